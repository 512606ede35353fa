"""A shop over weeks, looked at every few hours: one trouble is one message, whatever fails in between."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from feedback.trends import partition_of
from lambdas.aws.counters import Counters
from lambdas.spikes.explaining import Explaining
from lambdas.spikes.records import Records
from lambdas.spikes.watching import Watching
from tests.unit.lambdas.fakes import FakeLedger, classified

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
PRODUCTS = [f"P-{number}" for number in range(30)]


class FakeDesk:
    """Documents by partition and place."""

    def __init__(self):
        self.documents = defaultdict(dict)

    def get(self, pk, sk):
        return self.documents[pk].get(sk)

    def put(self, pk, sk, document, *, expires_at=None):
        self.documents[pk][sk] = {**document, "pk": pk, "sk": sk}
        return True

    def query(self, pk):
        return [self.documents[pk][sk] for sk in sorted(self.documents[pk])]

    def count(self, moment, product, *, negatives, positives, example="f-1"):
        """What the function trends would have counted."""
        pk, hour = partition_of(moment.date().isoformat()), f"{moment:%H}"
        for sk in (f"product#{product}", "channel#web"):
            document = self.documents[pk].setdefault(sk, {"pk": pk, "sk": sk})
            document[f"{hour}_negative"] = document.get(f"{hour}_negative", 0) + negatives
            document[f"{hour}_positive"] = document.get(f"{hour}_positive", 0) + positives
            if negatives:
                document["example0"] = example


class FakeAlertQueue:
    """Takes messages, but for so many times."""

    def __init__(self, *, refuses=0):
        self.sent = []
        self.refuses = refuses

    def send(self, messages):
        if self.refuses:
            self.refuses -= 1
            return list(messages)
        self.sent += messages
        return []


class Shop:
    """Thirty products with ten feedbacks a day, two of them negative, and a clock."""

    def __init__(self, *, refuses=0):
        self.desk = FakeDesk()
        self.queue = FakeAlertQueue(refuses=refuses)
        self.ledger = FakeLedger(classified("f-1"), classified("f-2"))
        self.now = FIRST

    def watching(self):
        counters = Counters(desk=self.desk)
        return Watching(
            counters=counters,
            records=Records(desk=self.desk),
            explaining=Explaining(counters=counters, ledger=self.ledger),
            alerts=self.queue,
            now=lambda: self.now,
        )

    def pass_days(self, days, *, bad=(), looks=4):
        """Days in which the ``bad`` products get eight negatives of ten."""
        for _ in range(days):
            for look in range(looks):
                self.now += timedelta(hours=24 / looks)
                moment = self.now - timedelta(minutes=1)
                if look in (1, 3):
                    for product in PRODUCTS:
                        negatives = 4 if product in bad else 1
                        self.desk.count(moment, product, negatives=negatives, positives=5 - negatives)
                self.watching().look()


@pytest.fixture
def calm_shop():
    shop = Shop()
    shop.pass_days(30, looks=2)
    assert shop.queue.sent == []
    return shop


def test_a_product_that_goes_wrong_is_told_once_with_figures_and_examples(calm_shop):
    shop = calm_shop
    shop.pass_days(10, bad=["P-3"])
    (message,) = shop.queue.sent
    assert message.id.startswith("spike-")
    assert dict(message.scope) == {"kind": "product", "name": "P-3"}
    assert message.figures["share"] == pytest.approx(0.8)
    assert message.figures["expected_share"] == pytest.approx(0.2, abs=0.03)
    assert message.figures["since"].startswith("2026-04-01T")
    assert message.figures["negatives"] <= 20, "it is told early"
    assert message.examples == ("f-1",)


def test_a_trouble_that_ends_can_begin_again_and_is_told_again(calm_shop):
    shop = calm_shop
    shop.pass_days(4, bad=["P-3"])
    shop.pass_days(20)
    assert shop.watching().look().closed == 0
    shop.pass_days(5, bad=["P-3"])
    first, second = shop.queue.sent
    assert first.id != second.id


def test_looking_again_changes_nothing(calm_shop):
    shop = calm_shop
    shop.pass_days(3, bad=["P-3"])
    before = {pk: dict(items) for pk, items in shop.desk.documents.items()}
    for _ in range(3):
        shop.watching().look()
    assert shop.desk.documents == before
    assert len(shop.queue.sent) == 1


def test_a_message_that_could_not_be_queued_is_told_at_the_next_look_under_the_same_id(calm_shop):
    shop = calm_shop
    shop.queue.refuses = 3
    shop.pass_days(3, bad=["P-3"])
    (message,) = shop.queue.sent
    assert shop.watching().look().told == 0
    assert message.figures["negatives"] > 0


def test_a_look_that_broke_off_comes_to_the_same(calm_shop):
    shop = calm_shop
    shop.pass_days(1)
    put = shop.desk.put
    shop.now += timedelta(days=1)

    def break_off(pk, sk, document, *, expires_at=None):
        if sk == "P-20":
            raise RuntimeError("killed")
        return put(pk, sk, document, expires_at=expires_at)

    shop.desk.put = break_off
    with pytest.raises(RuntimeError):
        shop.watching().look()
    shop.desk.put = put
    shop.watching().look()
    watches = shop.desk.documents["spike#product"]
    equal = {
        (watch["judged"], watch["negatives"], watch["through"], len(watch["waiting"])) for watch in watches.values()
    }
    assert len(equal) == 1, "every product had the same days"


def test_counts_that_a_correction_moves_are_weighed_anew(calm_shop):
    shop = calm_shop
    shop.now += timedelta(hours=2)
    shop.desk.count(shop.now, "P-3", negatives=4, positives=1)
    assert shop.watching().look().opened == 0, "not enough yet"
    day = shop.desk.documents[partition_of(shop.now.date().isoformat())]["product#P-3"]
    day["02_negative"], day["02_positive"] = 1, 4
    shop.desk.count(shop.now, "P-3", negatives=4, positives=1)
    shop.pass_days(3)
    assert shop.queue.sent == []


def test_an_example_that_was_corrected_or_forgotten_is_not_shown(calm_shop):
    shop = calm_shop
    del shop.ledger.entries["f-1"]
    shop.pass_days(3, bad=["P-3"])
    (message,) = shop.queue.sent
    assert message.examples == ()


def test_the_first_look_learns_from_the_counters_that_are_there():
    shop = Shop()
    for _ in range(40):
        shop.now += timedelta(days=1)
        for product in PRODUCTS:
            shop.desk.count(shop.now - timedelta(hours=3), product, negatives=2, positives=8)
    tally = shop.watching().look()
    assert (tally.products, tally.opened) == (30, 0)
    assert shop.desk.documents["spike#product"]["P-0"]["judged"] > 100


def test_an_empty_shop_is_no_failure():
    assert Shop().watching().look().products == 0


def test_many_products_at_once_are_all_told(calm_shop):
    shop = calm_shop
    shop.pass_days(4, bad=PRODUCTS[:12])
    assert {message.scope["name"] for message in shop.queue.sent} == set(PRODUCTS[:12])
