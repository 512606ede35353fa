"""What came of a simulated shop: its false alarms, and for each trouble when it was noticed and could have been.

A delay counts from the beginning of the trouble to the look that opened the alarm: in hours, and in feedbacks of that
product with a sentiment. *In time* is at most 20 feedbacks or at most 2 hours, whichever allows more. *Possible* is a
trouble of which the theory says that a detector with this rate of false alarms can notice it in time: in the mean it
needs ``log(patience) / KL(raised share, usual share)`` feedbacks at the least (Lorden, 1971), even if it knows both
shares exactly. It does not know how the detector works.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmarks.spikes.detector import Detector
from benchmarks.spikes.shop import HIGHEST_SHARE, QUARTERS, Shop, Simulation
from feedback.spikes import judging

FEEDBACKS = 20
HOURS = 2.0
DAYS_PER_MONTH = 30


@dataclass(frozen=True, kw_only=True)
class TroubleOutcome:
    """One trouble. ``feedbacks`` and ``hours`` are infinite where it was not noticed while it lasted."""

    per_day: float
    share: float
    hours: float
    feedbacks: float
    least_feedbacks: float

    @property
    def in_time(self) -> bool:
        """Noticed within 20 feedbacks or 2 hours."""
        return self.feedbacks <= FEEDBACKS or self.hours <= HOURS

    @property
    def possible(self) -> bool:
        """Whether it could be noticed in time, in the mean, by any detector as quiet as this."""
        return self.least_feedbacks <= max(FEEDBACKS, self.per_day / 24.0 * HOURS)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One shop."""

    false_alarms: int
    months: float
    alarms_while_new: int
    alarms_twice: int
    troubles: tuple[TroubleOutcome, ...]


def run(shop: Shop, seed: int) -> Outcome:
    """Simulate a shop and watch it."""
    simulation, detector = Simulation(shop, seed), Detector(shop.products)
    judged = []
    for day in simulation.run():
        judged.append(day.judged)
        detector.watch(day)
    received = np.concatenate(judged).cumsum(axis=0)
    first = shop.warm_up_days * QUARTERS
    noticed: dict[int, int] = {}
    false = new = twice = 0
    for moment, product in detector.alarms:
        onset = int(simulation.onset[product])
        if onset >= 0 and onset <= moment < onset + shop.trouble_days * QUARTERS:
            twice += product in noticed
            noticed.setdefault(product, moment)
        elif moment < first:
            new += 1
        else:
            false += 1
    patience = judging.patience(detector.season.busy_hours_per_day)
    troubles = []
    for product in np.flatnonzero(simulation.onset >= 0).tolist():
        begun, alarm = int(simulation.onset[product]), noticed.get(product)
        seen = received[begun - 1, product]
        troubles.append(
            TroubleOutcome(
                per_day=float(simulation.volumes[product]),
                share=float(simulation.shares[product]),
                hours=math.inf if alarm is None else (alarm + 1 - begun) / 4.0,
                feedbacks=math.inf if alarm is None else float(received[alarm, product] - seen),
                least_feedbacks=patience / divergence(float(simulation.shares[product]), shop.ratio),
            )
        )
    return Outcome(
        false_alarms=false,
        months=shop.days / DAYS_PER_MONTH,
        alarms_while_new=new,
        alarms_twice=twice,
        troubles=tuple(troubles),
    )


def divergence(share: float, ratio: float) -> float:
    """What one feedback tells in the mean of a share that has risen by the ratio, in natural logarithms."""
    raised = min(share * ratio, HIGHEST_SHARE)
    return raised * math.log(raised / share) + (1.0 - raised) * math.log((1.0 - raised) / (1.0 - share))
