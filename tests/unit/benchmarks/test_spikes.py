"""The benchmark of the spike detector in small, and that its arrays say what the product's own code says."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from benchmarks.spikes import detector
from benchmarks.spikes.__main__ import measure, report
from benchmarks.spikes.outcome import divergence, run
from benchmarks.spikes.shop import Shop, Simulation
from feedback.spikes.baseline import Prior
from feedback.spikes.evidence import NO_EVIDENCE, strength, weighed
from feedback.spikes.watch import Watch
from feedback.trends import DayCounts, HourCounts, Subject, SubjectKind

SMALL = Shop(products=40, feedbacks_per_day=800.0, warm_up_days=14, days=16, trouble_days=10, share=0.25)


def test_a_small_shop_has_few_false_alarms_and_its_large_troubles_are_noticed_once():
    figures = measure(replace(SMALL), shops=1)
    assert figures["false_alarms_per_shop_month"] <= 2.0
    assert figures["told_more_than_once"] == 0
    largest = figures["classes"][0]
    assert largest["noticed"] == 1.0
    assert largest["feedbacks"][1] < 60
    assert report(figures)[0] == "usual share 25%"


def test_the_same_seed_gives_the_same_shop():
    shop = replace(SMALL, days=4, warm_up_days=2, trouble_days=2, troubles=5)
    assert run(shop, 3) == run(shop, 3)
    assert (Simulation(shop, 3).onset != Simulation(shop, 4).onset).any()


def test_a_trouble_triples_the_share_while_it_lasts():
    shop = replace(SMALL, products=1, feedbacks_per_day=20000.0, troubles=1, bad_days=0.0, drift_per_month=0.0)
    simulation = Simulation(shop, 1)
    days = list(simulation.run())
    onset = simulation.onset[0] // 96
    before = sum(int(day.negatives.sum()) for day in days[:onset]) / sum(int(day.judged.sum()) for day in days[:onset])
    during = [day for day in days if onset < day.number < onset + shop.trouble_days]
    ratio = sum(int(day.negatives.sum()) for day in during) / sum(int(day.judged.sum()) for day in during) / before
    assert ratio == pytest.approx(min(3.0, 0.95 / before), rel=0.08)


def test_evidence_on_arrays_is_the_evidence_of_each_product():
    random = np.random.default_rng(1)
    usual = random.uniform(0.02, 0.6, 20)
    arrays = np.zeros((2, 20))
    singles = [NO_EVIDENCE] * 20
    ratios = detector.log_ratios(usual)
    for _ in range(50):
        judged = random.poisson(1.0, 20)
        negatives = random.binomial(judged, 0.5)
        arrays = detector.weighed(arrays, judged, negatives, ratios)
        singles = [
            weighed(one, judged=int(n), negatives=int(k), usual=float(share)) if n else one
            for one, n, k, share in zip(singles, judged, negatives, usual, strict=True)
        ]
    assert detector.strength(arrays) == pytest.approx([strength(one) for one in singles])


def test_what_is_learnt_on_arrays_is_what_each_watch_learns(monkeypatch):
    """The prior is held still: the product fits it to what is settled, the benchmark to what is learnt."""
    shop = replace(SMALL, products=6, days=6, warm_up_days=14, feedbacks_per_day=120.0)
    prior = Prior(share=0.25, strength=20.0)
    monkeypatch.setattr(detector.baseline, "fit_prior", lambda products: prior)
    on_arrays = detector.Detector(shop.products)
    watches = [Watch(through="2026-01-04")] * shop.products
    for day in Simulation(shop, 5).run():
        season = on_arrays.season
        on_arrays.watch(day)
        today = (date(2026, 1, 5) + timedelta(days=day.number)).isoformat()
        for product in range(shop.products):
            hours = (
                day.judged[:, product].reshape(24, 4).sum(axis=1),
                day.negatives[:, product].reshape(24, 4).sum(axis=1),
            )
            counts = {
                hour: HourCounts(counts={"negative": int(k), "positive": int(n - k)})
                for hour, (n, k) in enumerate(zip(*hours, strict=True))
                if n
            }
            subject = Subject(kind=SubjectKind.PRODUCT, name=str(product))
            watches[product] = watches[product].after(
                DayCounts(day=today, subject=subject, hours=counts), prior=prior, season=season
            )
    assert on_arrays.alarms == []
    assert detector.strength(on_arrays.evidence) == pytest.approx([watch.strength for watch in watches])
    assert on_arrays.judged == pytest.approx([watch.judged for watch in watches])
    assert on_arrays.negatives == pytest.approx([watch.negatives for watch in watches])


def test_the_least_number_of_feedbacks_falls_with_the_usual_share():
    assert divergence(0.1, 3.0) == pytest.approx(0.1537, abs=0.001)
    assert divergence(0.1, 3.0) < divergence(0.2, 3.0) < divergence(0.3, 3.0)
