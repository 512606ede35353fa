"""What spikes remembers on the desk: the season of the shop and the watch of every product. It decides nothing."""

from datetime import UTC, datetime
from typing import Final

from feedback.ledger import RETENTION
from feedback.spikes.season import Season
from feedback.spikes.watch import Watch
from lambdas.aws.desk import Desk

_SEASON: Final = ("spike#shop", "season")
_WATCHES: Final = "spike#product"


class Records:
    """Season and watches."""

    def __init__(self, *, desk: Desk) -> None:
        self._desk = desk

    def season(self) -> Season | None:
        """What was learnt of the shop; None in the beginning."""
        item = self._desk.get(*_SEASON)
        return None if item is None else Season.from_document(item)

    def keep_season(self, season: Season) -> None:
        """Write the season."""
        self._desk.put(*_SEASON, season.to_document())

    def watches(self) -> dict[str, Watch]:
        """What is remembered of every product, by its id."""
        return {item["sk"]: Watch.from_document(item) for item in self._desk.query(_WATCHES)}

    def keep_watch(self, product: str, watch: Watch) -> None:
        """Write one watch. That of a product of which nobody speaks any more goes with its last feedback."""
        last = datetime.fromisoformat(watch.through).replace(tzinfo=UTC)
        self._desk.put(_WATCHES, product, watch.to_document(), expires_at=last + RETENTION)
