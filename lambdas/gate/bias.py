"""What the bias report says about the champion: the largest difference between one group and all others.

Groups are of people or of products, and each has rows enough, which the report sees to. It does not know how large a
difference may be.
"""

from dataclasses import dataclass
from typing import Final

from lambdas.gate.figures import Document, UnreadableReportError, number, part, rows, text

_REPORT: Final = "bias report"


@dataclass(frozen=True, kw_only=True)
class GroupDifference:
    """All others minus the group, so above 0 the group is the worse off. ``rows`` are those of the group."""

    value: float
    facet: str
    facet_value: str
    rows: int
    surely_at_least: float | None
    """How large it is at least, chance among all that were compared allowed for; None where nobody has said."""

    @property
    def may_be_chance(self) -> bool:
        """An interval says that there may be no difference."""
        return self.surely_at_least is not None and self.surely_at_least <= 0.0


@dataclass(frozen=True, kw_only=True)
class Bias:
    """None where no group has rows enough: then nothing is known."""

    accuracy: GroupDifference | None
    recall: GroupDifference | None

    @classmethod
    def from_document(cls, document: Document) -> "Bias":
        """What ``bias.json`` says; UnreadableReportError where it does not."""
        largest = part(document, "largest", report=_REPORT)
        if largest is None:
            raise UnreadableReportError(f"The {_REPORT} states no usable largest.")
        return cls(accuracy=_group(largest, "accuracy_difference"), recall=_group(largest, "recall_difference"))


def _group(largest: Document, name: str) -> GroupDifference | None:
    found = part(largest, name, report=_REPORT)
    if found is None:
        return None
    return GroupDifference(
        value=number(found, "value", report=_REPORT, low=-1.0, high=1.0),
        facet=text(found, "facet", report=_REPORT),
        facet_value=text(found, "facet_value", report=_REPORT),
        rows=rows(found, report=_REPORT),
        surely_at_least=_surely_at_least(found),
    )


def _surely_at_least(found: Document) -> float | None:
    if "surely_at_least" in found:
        return number(found, "surely_at_least", report=_REPORT)
    interval = found.get("interval")
    if interval is None:
        return None
    if not isinstance(interval, list) or len(interval) != 2:
        raise UnreadableReportError(f"The {_REPORT} states no usable interval.")
    ends = dict(zip(("low", "high"), interval, strict=True))
    low, high = (number(ends, end, report=_REPORT, low=-1.0) for end in ("low", "high"))
    return max(low, -high, 0.0)
