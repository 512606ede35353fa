"""Which call of which service meets what: a storm of a given kind, and calm after it. It carries nothing out."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from faults.runtime import Mode

_CODES: Mapping[str, tuple[str, ...]] = {
    "dynamodb": ("ProvisionedThroughputExceededException", "InternalServerError", "TransactionConflictException"),
    "sqs": ("RequestThrottled", "InternalError", "AccessDenied", "KMSThrottlingException"),
    "sns": ("Throttling", "InternalError"),
    "s3": ("SlowDown", "InternalError", "PreconditionFailed"),
    "events": ("ThrottlingException", "InternalFailure"),
    "ssm": ("ThrottlingException", "InternalServerError"),
    "secretsmanager": ("ThrottlingException", "InternalServerError"),
}
_SICK = tuple(mode for mode in Mode if mode is not Mode.HEALTHY)


class Meeting(Enum):
    """What a call meets. DYING is a kill just after the service did it, LOST an answer that never arrives."""

    NOTHING = "nothing"
    DEAD = "dead"
    DYING = "dying"
    ERROR = "error"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A service that refuses every call for a while."""

    service: str
    start: float
    end: float

    def covers(self, service: str, moment: float) -> bool:
        return service == self.service and self.start <= moment < self.end


@dataclass(frozen=True, kw_only=True)
class Weather:
    """Shares of calls that end so, until ``calm_from``; ``sickness`` is the share of time that the model is sick."""

    calm_from: float
    killed: float = 0.0
    refused: float = 0.0
    lost: float = 0.0
    partial: float = 0.0
    repeated: float = 0.0
    sickness: float = 0.0
    skew_seconds: float = 0.0
    outages: tuple[Outage, ...] = ()

    def meeting(self, service: str, moment: float, chance: random.Random) -> Meeting:
        """What a call of the service meets."""
        if any(outage.covers(service, moment) for outage in self.outages):
            return Meeting.ERROR
        if moment >= self.calm_from:
            return Meeting.NOTHING
        dice = chance.random()
        for share, meeting in (
            (self.killed / 2, Meeting.DEAD),
            (self.killed / 2, Meeting.DYING),
            (self.lost, Meeting.LOST),
            (self.refused, Meeting.ERROR),
        ):
            if dice < share:
                return meeting
            dice -= share
        return Meeting.NOTHING

    def partial_share(self, moment: float) -> float:
        """The share of the entries of a batch that SQS loses inside a 200."""
        return self.partial if moment < self.calm_from else 0.0

    def is_repeated(self, moment: float, chance: random.Random) -> bool:
        """Whether something is handed out once more than it had to be."""
        return moment < self.calm_from and chance.random() < self.repeated


def error_code(service: str, chance: random.Random) -> str:
    """One of the errors that the service is known for."""
    return chance.choice(_CODES.get(service, ("InternalFailure",)))


def storm(chance: random.Random, *, start: float, seconds: float) -> Weather:
    """Some weather; every tenth is calm from the beginning, so that what is asserted is also seen to hold without."""
    if chance.random() < 0.1:
        return Weather(calm_from=start)
    outages = []
    for service in ("dynamodb", "sqs", "sns", "s3"):
        if chance.random() < 0.15:
            begin = start + chance.random() * seconds
            outages.append(Outage(service=service, start=begin, end=begin + chance.choice((20.0, 120.0, 420.0))))
    return Weather(
        calm_from=start + seconds,
        killed=chance.choice((0.0, 0.01, 0.05, 0.15)),
        refused=chance.choice((0.0, 0.02, 0.1)),
        lost=chance.choice((0.0, 0.02, 0.08)),
        partial=chance.choice((0.0, 0.2, 0.5)),
        repeated=chance.choice((0.0, 0.1, 0.4)),
        sickness=chance.choice((0.0, 0.3, 1.0)),
        skew_seconds=chance.choice((0.0, 1.0, 600.0)),
        outages=tuple(outages),
    )


def modes(chance: random.Random, weather: Weather, *, start: float, step: float = 20.0) -> dict[int, Mode]:
    """The model's mode in each step of the storm."""
    steps = int((weather.calm_from - start) / step) + 1
    return {at: chance.choice(_SICK) if chance.random() < weather.sickness else Mode.HEALTHY for at in range(steps)}
