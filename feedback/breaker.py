"""When the model is left alone: the circuit breaker's state, and what successes and failures make of it.

It opens after a run of failures that is long for what failed before: eight when all was well, more while failures were
frequent anyway, since half an answer is better than none. Open, it lets one probe through now and then, less often the
more of them fail, and closes when two in a row are answered. It does not know the clock, who else looks at it, nor
where it is kept.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

PROBE_SECONDS: Final = 30.0
"""At least, between two probes, and from the opening to the first."""

_LONGEST_PROBE_SECONDS: Final = 90.0
_FEWEST_FAILURES: Final = 8
_MOST_FAILURES: Final = 40
_CHANCE: Final = 1e-7  # that a run as long as needed is one of the failures that are usual
_WEIGHT: Final = 0.05  # of one outcome in the usual share of failures
_HALF_LIFE_SECONDS: Final = 60.0  # of that share while nothing is heard
_CALM_SHARE: Final = 0.05
_GOOD_PROBES: Final = 2


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """The state. ``failures`` is the run since the last success, ``share`` the usual share of failures before it as of
    ``share_at``; moments are seconds of one clock. ``opened_at`` is None while it is closed."""

    failures: int = 0
    share: float = 0.0
    share_at: float = 0.0
    opened_at: float | None = None
    probed_at: float | None = None
    good_probes: int = 0
    bad_probes: int = 0

    @property
    def is_closed(self) -> bool:
        """Everybody may ask."""
        return self.opened_at is None

    def is_calm(self, now: float) -> bool:
        """Nothing is remembered that a success would change."""
        return self.is_closed and self.failures == 0 and self._usual_share(now) < _CALM_SHARE

    def wants_probe(self, now: float) -> bool:
        """It is open, and long enough since the last probe."""
        if self.opened_at is None:
            return False
        pause = min(PROBE_SECONDS * (1 + self.bad_probes), _LONGEST_PROBE_SECONDS)
        return now >= max(self.opened_at, self.probed_at or 0.0) + pause

    def probed(self, now: float) -> "Breaker":
        """Somebody asks, as a probe."""
        return replace(self, probed_at=now)

    def failed(self, now: float) -> "Breaker":
        """A call failed; while it is open, a probe."""
        if not self.is_closed:
            return replace(self, good_probes=0, bad_probes=self.bad_probes + 1)
        failures = self.failures + 1
        if failures < self._failures_needed(now):
            return replace(self, failures=failures)
        return self._with_run_learned(now, failures=failures, opened_at=now)

    def succeeded(self, now: float) -> "Breaker":
        """A call was answered; while it is open, a probe."""
        if self.is_closed:
            learned = self._with_run_learned(now, failures=self.failures, opened_at=None)
            return replace(learned, share=learned.share * (1.0 - _WEIGHT))
        if self.good_probes + 1 < _GOOD_PROBES:
            return replace(self, good_probes=self.good_probes + 1, bad_probes=0)
        return Breaker(share=self.share, share_at=now)

    def to_document(self) -> dict[str, Any]:
        """The state as JSON values; absent moments are absent."""
        return {name: value for name, value in vars(self).items() if value is not None}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Breaker":
        """The state that :meth:`to_document` wrote; TypeError for anything else."""
        return cls(**document)

    def _with_run_learned(self, now: float, *, failures: int, opened_at: float | None) -> "Breaker":
        kept = (1.0 - _WEIGHT) ** failures
        share = self._usual_share(now) * kept + 1.0 - kept
        return Breaker(share=share, share_at=now, opened_at=opened_at)

    def _failures_needed(self, now: float) -> int:
        share = self._usual_share(now)
        if share <= _CHANCE ** (1 / _FEWEST_FAILURES):
            return _FEWEST_FAILURES
        if share >= _CHANCE ** (1 / _MOST_FAILURES):
            return _MOST_FAILURES
        return math.ceil(math.log(_CHANCE) / math.log(share))

    def _usual_share(self, now: float) -> float:
        return float(self.share * 0.5 ** (max(0.0, now - self.share_at) / _HALF_LIFE_SECONDS))
