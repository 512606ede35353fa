"""The detector's parts on values; `tests/unit/benchmarks/test_spikes.py` runs whole shops."""

import json
import math
import random

import pytest

from feedback.spikes import judging
from feedback.spikes.baseline import UNKNOWN, Prior, fit_prior
from feedback.spikes.evidence import LIMIT, NO_EVIDENCE, RATIOS, log_ratio, raised_share, strength, weighed
from feedback.spikes.onset import find_onset
from feedback.spikes.season import Season
from feedback.spikes.watch import LEARN_AFTER_DAYS, Trouble, Watch
from feedback.trends import DayCounts, HourCounts, Subject, SubjectKind

PRODUCT = Subject(kind=SubjectKind.PRODUCT, name="P-1")
PRIOR = Prior(share=0.2, strength=30.0)
SEASON = Season(through="2026-02-01")


def day(number, **hours):
    """Hours as h9=(judged, negatives)."""
    counts = {
        int(name[1:]): HourCounts(counts={"negative": negatives, "positive": judged - negatives})
        for name, (judged, negatives) in hours.items()
    }
    return DayCounts(day=f"2026-03-{number:02d}", subject=PRODUCT, hours=counts)


def test_the_usual_counts_leave_little_evidence_and_a_tripled_share_much():
    usual = tripled = NO_EVIDENCE
    for _ in range(10):
        usual = weighed(usual, judged=5, negatives=1, usual=0.2)
        tripled = weighed(tripled, judged=5, negatives=3, usual=0.2)
    assert strength(usual) < 1.0
    assert strength(tripled) > 12.0


@pytest.mark.parametrize("usual", [0.01, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("ratio", RATIOS)
def test_a_raised_share_is_a_share_and_higher(usual, ratio):
    assert usual < raised_share(usual, ratio) < 1.0


@pytest.mark.parametrize(("share", "usual"), [(0.05, 0.05), (0.2, 0.2), (0.1, 0.2), (0.35, 0.35)])
def test_the_mean_of_the_likelihood_ratio_is_at_most_one_when_nothing_has_changed(share, usual):
    """Which is what makes looking again and again harmless; computed over all outcomes of an hour."""
    judged = 6
    for ratio in RATIOS:
        mean = sum(
            math.comb(judged, negatives)
            * share**negatives
            * (1 - share) ** (judged - negatives)
            * math.exp(log_ratio(judged, negatives, usual, raised_share(usual, ratio)))
            for negatives in range(judged + 1)
        )
        assert mean <= 1.0 + 1e-9


def test_evidence_is_bounded_so_that_a_trouble_that_is_over_ends():
    evidence = NO_EVIDENCE
    for _ in range(200):
        evidence = weighed(evidence, judged=10, negatives=10, usual=0.2)
    assert strength(evidence) == pytest.approx(LIMIT)
    hours = 0
    while strength(evidence) >= 0.5 * 11.0:
        evidence = weighed(evidence, judged=10, negatives=2, usual=0.2)
        hours += 1
    assert hours < 20


def test_the_prior_is_found_again_from_the_products():
    chance = random.Random(1)
    products = []
    for _ in range(2000):
        share, judged = chance.betavariate(6, 24), chance.choice([1, 3, 10, 40, 200])
        products.append((float(judged), float(sum(chance.random() < share for _ in range(judged)))))
    prior = fit_prior(products)
    assert prior.share == pytest.approx(0.2, abs=0.01)
    assert 20.0 < prior.strength < 45.0


def test_without_history_the_prior_is_a_careful_guess_and_equal_products_have_a_strong_one():
    assert fit_prior([]) == fit_prior([(3.0, 1.0)]) == UNKNOWN
    assert fit_prior([(100.0, 20.0)] * 50).strength == 400.0


def test_a_product_with_little_feedback_is_close_to_the_others_and_has_the_benefit_of_the_doubt():
    assert PRIOR.mean(judged=2, negatives=2) < 0.3
    assert PRIOR.mean(judged=3000, negatives=1500) == pytest.approx(0.5, abs=0.01)
    doubts = [PRIOR.usual(judged=n, negatives=n / 5) - PRIOR.mean(judged=n, negatives=n / 5) for n in (0, 50, 5000)]
    assert doubts[0] > doubts[1] > doubts[2] > 0.0


def shop_day(season, day_name, shares):
    counts = {
        hour: HourCounts(counts={"negative": round(share * 1000), "positive": 1000 - round(share * 1000)})
        for hour, share in shares.items()
    }
    all_ = DayCounts(day=day_name, subject=Subject(kind=SubjectKind.CHANNEL, name="web"), hours=counts)
    return season.after(day_name, channels=[all_], busy_hours=240)


def test_the_season_learns_the_hours_and_the_weekdays_of_the_shop():
    season = SEASON
    for number in range(2, 16):
        season = shop_day(season, f"2026-02-{number:02d}", {3: 0.4, 12: 0.2})
    assert season.offset("2026-02-16", 3) > 0.3
    assert season.offset("2026-02-16", 12) < -0.3
    assert season.busy_hours_per_day == pytest.approx(240.0)
    assert Season.from_document(json.loads(json.dumps(season.to_document()))) == season


def test_evidence_against_a_bad_hour_of_the_whole_shop_is_weaker():
    season = SEASON
    for number in range(2, 16):
        season = shop_day(season, f"2026-02-{number:02d}", {3: 0.4, 12: 0.2})
    night, noon = (
        Watch(through="2026-02-28").after(day(1, **{hour: (6, 4)}), prior=PRIOR, season=season)
        for hour in ("h3", "h12")
    )
    assert night.strength < noon.strength


def test_a_day_teaches_what_is_usual_a_week_later():
    watch = Watch(through="2026-02-28")
    for number in range(1, LEARN_AFTER_DAYS + 1):
        watch = watch.after(day(number, h9=(10, 3)), prior=PRIOR, season=SEASON)
    assert watch.judged == 0.0
    watch = watch.after(day(LEARN_AFTER_DAYS + 1, h9=(10, 3)), prior=PRIOR, season=SEASON)
    assert (watch.judged, watch.negatives) == (10.0, 3.0)
    assert len(watch.waiting) == LEARN_AFTER_DAYS


def test_days_of_a_trouble_and_before_it_teach_nothing():
    watch = Watch(through="2026-02-28").after(day(1, h9=(10, 9)), prior=PRIOR, season=SEASON)
    watch = watch.in_trouble(Trouble(id="spike-1", opened_on="2026-03-02"))
    for number in range(2, 20):
        watch = watch.after(day(number, h9=(10, 9)), prior=PRIOR, season=SEASON)
    assert watch.judged == 0.0
    as_usual = watch.calm(as_usual=True)
    assert as_usual.trouble is None
    assert as_usual.negatives / as_usual.judged == pytest.approx(0.9)
    assert as_usual.strength == 0.0


def test_a_watch_is_written_and_read_again():
    watch = Watch(through="2026-02-28").after(day(1, h9=(10, 9)), prior=PRIOR, season=SEASON)
    for each in (watch, watch.in_trouble(Trouble(id="spike-1", opened_on="2026-03-02", told=True))):
        assert Watch.from_document(json.loads(json.dumps(each.to_document()))) == each


def test_one_product_has_to_reach_the_patience_and_many_at_once_less():
    assert judging.threshold([5.0, 4.0, 0.0], log_patience=10.0) == 10.0
    assert judging.threshold([9.9], log_patience=10.0) == 10.0
    together = judging.threshold([9.0] * 40, log_patience=10.0)
    assert together == pytest.approx(10.0 - math.log(4.0))


def test_a_trouble_opens_once_and_ends_when_the_evidence_is_gone():
    verdict = judging.judge({"A": 11.0, "B": 9.0, "C": 6.0, "D": 4.9}, in_trouble={"B", "D", "E"}, log_patience=10.0)
    assert verdict.opened == {"A"}
    assert verdict.closed == {"D", "E"}, "B has less than it had to reach, but more than half"


def test_the_onset_is_the_hour_from_which_on_the_counts_are_unusual():
    calm, bad = {"h8": (10, 2), "h12": (10, 1)}, {"h9": (10, 2), "h14": (6, 5), "h15": (4, 4)}
    onset = find_onset(Watch(through="2026-02-28"), [day(1, **calm), day(2, **bad)], prior=PRIOR, season=SEASON)
    assert onset is not None
    assert (onset.since, onset.judged, onset.negatives) == ("2026-03-02T14:00:00.000Z", 10, 9)
    assert find_onset(Watch(through="2026-02-28"), [], prior=PRIOR, season=SEASON) is None
