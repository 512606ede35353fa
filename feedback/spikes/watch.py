"""What is remembered of one product, and how a day of feedback changes it.

A day teaches what is usual only a week after it was, so that a trouble that begins slowly does not become the usual
before it is noticed; while a product is in trouble its days teach nothing. It does not know other products.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from feedback.spikes.baseline import HIGHEST_SHARE, LOWEST_SHARE, Prior
from feedback.spikes.evidence import NO_EVIDENCE, Evidence, strength, weighed
from feedback.spikes.fading import days_between, faded
from feedback.spikes.season import Season, shifted
from feedback.trends import DayCounts

LEARN_AFTER_DAYS: Final = 7
NEW_NORMAL_DAYS: Final = 28
"""A trouble that lasts so long is the product's new usual share."""

DayOfFeedback = tuple[str, int, int]  # day, judged, negatives


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """An unusual share that somebody is told of once. ``id`` names it in messages; ``opened_on`` is a day."""

    id: str
    opened_on: str
    told: bool = False


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One product up to the end of the day ``through``. ``judged`` and ``negatives`` are what was learnt, fading."""

    through: str
    judged: float = 0.0
    negatives: float = 0.0
    learnt_on: str = ""
    waiting: tuple[DayOfFeedback, ...] = ()
    evidence: Evidence = NO_EVIDENCE
    trouble: Trouble | None = None

    @property
    def strength(self) -> float:
        """The evidence that something is wrong, in natural logarithms; 0 is none."""
        return strength(self.evidence)

    def after(self, counts: DayCounts, *, prior: Prior, season: Season) -> "Watch":
        """The watch after a day, which may not be over yet."""
        learnt = self._learnt(counts.day)
        evidence = self.evidence
        for hour, usual in learnt.usual_by_hour(counts, prior=prior, season=season).items():
            found = counts.hours[hour]
            evidence = weighed(evidence, judged=found.judged, negatives=found.negatives, usual=usual)
        today = (counts.day, counts.judged, counts.negatives)
        return replace(learnt, through=counts.day, evidence=evidence, waiting=(*learnt.waiting, today))

    def usual_by_hour(self, counts: DayCounts, *, prior: Prior, season: Season) -> dict[int, float]:
        """The share that is usual for this product, for every hour of the day in which there is feedback to judge."""
        usual = prior.usual(judged=self.judged, negatives=self.negatives)
        return {
            hour: min(max(shifted(usual, season.offset(counts.day, hour)), LOWEST_SHARE), HIGHEST_SHARE)
            for hour, found in counts.hours.items()
            if found.judged
        }

    def in_trouble(self, trouble: Trouble) -> "Watch":
        """The watch with a trouble. The days before it, in which it may have begun, teach nothing any more."""
        return replace(self, trouble=trouble, waiting=())

    def calm(self, *, as_usual: bool = False) -> "Watch":
        """The watch after its trouble; ``as_usual``: what lasted so long is what is usual now."""
        if not as_usual:
            return replace(self, trouble=None, waiting=())
        return replace(
            self,
            trouble=None,
            waiting=(),
            evidence=NO_EVIDENCE,
            judged=float(sum(judged for _, judged, _ in self.waiting)),
            negatives=float(sum(negatives for _, _, negatives in self.waiting)),
            learnt_on=self.through,
        )

    def to_document(self) -> dict[str, Any]:
        """As JSON values."""
        document: dict[str, Any] = {
            "through": self.through,
            "judged": self.judged,
            "negatives": self.negatives,
            "learnt_on": self.learnt_on,
            "waiting": [list(day) for day in self.waiting],
            "evidence": list(self.evidence),
        }
        if self.trouble is not None:
            document["trouble"] = {
                "id": self.trouble.id,
                "opened_on": self.trouble.opened_on,
                "told": self.trouble.told,
            }
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Watch":
        """The watch that :meth:`to_document` wrote."""
        trouble = document.get("trouble")
        return cls(
            through=document["through"],
            judged=float(document["judged"]),
            negatives=float(document["negatives"]),
            learnt_on=document["learnt_on"],
            waiting=tuple((day, judged, negatives) for day, judged, negatives in document["waiting"]),
            evidence=tuple(map(float, document["evidence"])),
            trouble=None if trouble is None else Trouble(**trouble),
        )

    def _learnt(self, today: str) -> "Watch":
        """With the days in the baseline that are a week old by now; in trouble they are only let go."""
        due = [day for day in self.waiting if days_between(day[0], today) >= LEARN_AFTER_DAYS]
        if not due:
            return self
        waiting = self.waiting[len(due) :]
        if self.trouble is not None:
            return replace(self, waiting=waiting)
        judged, negatives, learnt_on = self.judged, self.negatives, self.learnt_on or due[0][0]
        for day, more_judged, more_negatives in due:
            judged = faded(judged, learnt_on, day) + more_judged
            negatives = faded(negatives, learnt_on, day) + more_negatives
            learnt_on = day
        return replace(self, waiting=waiting, judged=judged, negatives=negatives, learnt_on=learnt_on)
