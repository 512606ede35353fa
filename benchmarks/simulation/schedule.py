"""One schedule from its seed: a storm with feedback in it, calm, and the verdict. It does not know other schedules."""

from __future__ import annotations

import random
from dataclasses import dataclass

from benchmarks.simulation.estate import Estate
from benchmarks.simulation.installation import Here
from benchmarks.simulation.operator import redrive
from benchmarks.simulation.story import tell
from benchmarks.simulation.turns import Turns
from benchmarks.simulation.verdict import (
    acceptance_broken,
    broken_promises,
    dead_ids,
    repeated_alerts,
    repeated_rows,
)
from benchmarks.simulation.weather import storm
from benchmarks.simulation.world import START
from cli.redrive import Redriven

STORM_SECONDS = 600.0
SENDING_SECONDS = 300.0
CALM_SECONDS = 3600.0
REDRIVE_SECONDS = 2700.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one schedule."""

    seed: int
    broken: tuple[str, ...]
    sent: int
    accepted: int
    dead: int
    redriven: int
    repeated_alerts: int
    repeated_rows: int
    calls: int
    kills: int


def play(seed: int) -> Outcome:
    """The schedule of this seed, to its end. Needs the functions to be installed in the simulated world."""
    chance = random.Random(seed)  # noqa: S311 - the same seed is to give the same schedule
    weather = storm(chance, start=START, seconds=STORM_SECONDS)
    estate = Estate(seed=chance.randrange(2**31), weather=weather)
    Here.world, Here.leaks = estate.world, 0
    turns: Turns = estate.world.turns
    try:
        story = tell(estate, chance, feedbacks=chance.randrange(3, 15), seconds=SENDING_SECONDS)
        turns.run(START + STORM_SECONDS + CALM_SECONDS)
        broken = acceptance_broken(estate, story)
        dead = len(dead_ids(estate))
        redriven: list[Redriven] = []
        for _ in range(2):  # twice is to be safe
            redrive(estate, redriven.extend, again_after=60.0)
            turns.run(turns.now + REDRIVE_SECONDS)
        return Outcome(
            seed=seed,
            broken=(*broken, *broken_promises(estate, story)),
            sent=len(story.feedback),
            accepted=len(story.accepted),
            dead=dead,
            redriven=sum(each.moved for each in redriven),
            repeated_alerts=repeated_alerts(estate),
            repeated_rows=repeated_rows(estate),
            calls=estate.world.calls,
            kills=estate.world.fleet.kills,
        )
    finally:
        turns.close()
        Here.world = None
