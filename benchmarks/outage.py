"""The endpoint is down for 15 minutes of simulated time, in every way it can be, while feedback keeps coming in.

    .venv/bin/python -m benchmarks.outage [--modes hang,503] [--per-second 1.0] [--json]

The deployed functions run in the simulated world (`benchmarks.simulation`), healthy but for the endpoint. Goals: every
post is answered 200 or 202; all is classified within 5 minutes of the endpoint's return; at most 1.2 calls of the
endpoint for each feedback, from the first to the last. ``--modes`` takes any of `faults.runtime`, also those in which
the endpoint answers, but wrongly.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.report import arguments, finish, percentile, show
from benchmarks.simulation.estate import ENVIRONMENT, HANDLERS, Estate
from benchmarks.simulation.installation import Here, installed
from benchmarks.simulation.story import MARK, post
from benchmarks.simulation.weather import Weather
from benchmarks.simulation.world import START
from faults.runtime import Mode

BEFORE_SECONDS: Final = 120.0
OUTAGE_SECONDS: Final = 900.0
AFTER_SECONDS: Final = 120.0
GOAL_CALLS: Final = 1.2
GOAL_SECONDS: Final = 300.0
DOWN: Final = (
    Mode.HANG,
    Mode.RESET,
    Mode.MODEL_ERROR_5XX,
    Mode.NOT_READY,
    Mode.THROTTLED,
    Mode.INTERNAL,
    Mode.UNAVAILABLE,
    Mode.ORIGIN_DOWN,
    Mode.HTML_502,
)
"""It gives no answer. In the other modes it does, and every answer is wrong: nothing is lost then either, but later."""
_TEXTS: Final = ("Terrible, the zip broke", "Love it, perfect fit", "It is a shirt")
_PATIENCE_SECONDS: Final = 3600.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one outage did. ``late_seconds``: from the return to the last decision; None where one is open."""

    mode: str
    posts: int
    statuses: Mapping[str, int]
    p99_seconds: float
    calls: int
    late_seconds: float | None

    @property
    def calls_per_feedback(self) -> float:
        return self.calls / self.posts

    @property
    def is_survived(self) -> bool:
        is_answered = set(self.statuses) <= {"200", "202"}
        in_time = self.late_seconds is not None and self.late_seconds <= GOAL_SECONDS
        return is_answered and in_time and self.calls_per_feedback <= GOAL_CALLS


def outage(mode: Mode, *, per_second: float, seconds: float = OUTAGE_SECONDS) -> Outcome:
    """One outage of so many seconds. Needs the functions to be installed in the simulated world."""
    estate = Estate(seed=1, weather=Weather(calm_from=START))
    world = estate.world
    Here.world = world
    begin, end = START + BEFORE_SECONDS, START + BEFORE_SECONDS + seconds
    world.model.mode = lambda: mode if begin <= world.turns.now < end else Mode.HEALTHY
    decided: dict[str, float] = {}
    estate.decided = lambda id_: decided.setdefault(id_, world.turns.now)
    answers: list[tuple[str, float]] = []
    sent: dict[str, float] = {}
    posts = int((BEFORE_SECONDS + seconds + AFTER_SECONDS) * per_second)

    def send(number: int) -> None:
        id_, sent_at = f"o-{number}", world.turns.now
        sent[id_] = sent_at
        document = {"id": id_, "channel": "web", "text": f"{_TEXTS[number % len(_TEXTS)]} {number}"}

        def answered(status: int | None, _: Any) -> None:
            answers.append((str(status), world.turns.now - sent_at))

        post(estate, [document], answered)

    try:
        for number in range(posts):
            world.turns.at(START + number / per_second, lambda number=number: send(number))  # type: ignore[misc]
        world.turns.run(end + AFTER_SECONDS + _PATIENCE_SECONDS)
    finally:
        world.turns.close()
        Here.world = None
    return Outcome(
        mode=mode.value,
        posts=posts,
        statuses=Counter(status for status, _ in answers),
        p99_seconds=percentile([taken for _, taken in answers], 0.99),
        calls=world.model.questions,
        late_seconds=max(0.0, *(at - end for id_, at in decided.items() if sent[id_] < end))
        if len(decided) == posts
        else None,
    )


def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("--modes", default=",".join(mode.value for mode in DOWN))
    parser.add_argument("--per-second", type=float, default=1.0)
    options = parser.parse_args()
    with installed(HANDLERS, ENVIRONMENT, mark=MARK):
        outcomes = [outage(Mode(name), per_second=options.per_second) for name in options.modes.split(",")]
    rows = [
        {
            "the endpoint": each.mode,
            "answers": ", ".join(f"{number} x {status}" for status, number in sorted(each.statuses.items())),
            "p99 of posts, s": each.p99_seconds,
            "calls a feedback": each.calls_per_feedback,
            "classified after": "never" if each.late_seconds is None else f"{each.late_seconds:.0f} s",
            "as promised": "yes" if each.is_survived else "NO",
        }
        for each in outcomes
    ]
    show(
        f"endpoint down for {OUTAGE_SECONDS / 60:.0f} minutes, {outcomes[0].posts} posts",
        rows,
        note=f"Goals: 200 or 202, within {GOAL_SECONDS:.0f} s, at most {GOAL_CALLS} calls a feedback.",
    )
    finish(options.json, {each.mode: {"survived": each.is_survived, "calls": each.calls} for each in outcomes})
    return 0 if all(each.is_survived for each in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
