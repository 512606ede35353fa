"""The counters on the desk, read: a day of all subjects with one query. It does not know what is unusual."""

from feedback.trends import DayCounts, Place, Subject, partition_of
from lambdas.aws.desk import Desk


class Counters:
    """What the function trends counted."""

    def __init__(self, *, desk: Desk) -> None:
        self._desk = desk

    def day(self, day: str) -> list[DayCounts]:
        """The counters of every subject with feedback on that day."""
        return [
            DayCounts.from_document(Place(day=day, subject=Subject.from_key(item["sk"])), item)
            for item in self._desk.query(partition_of(day))
        ]

    def of(self, subject: Subject, *, day: str) -> DayCounts | None:
        """The counters of one subject on one day."""
        place = Place(day=day, subject=subject)
        item = self._desk.get(place.partition, subject.key)
        return None if item is None else DayCounts.from_document(place, item)
