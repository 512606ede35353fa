"""Gets answers out of an endpoint behind which two versions of the model stand.

Which of them answers a call is for the endpoint to decide, so a call is repeated until the wanted one did. It does not
know what the answers are compared with.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from feedback.prediction import Outcome, Prediction
from lambdas.aws.endpoint import EndpointFailure, EndpointUnavailableError
from lambdas.canary.answers import NOT_ASKED, Question, write_answers
from lambdas.canary.judging import MOST_ERRORS

MOST_CALLS: Final = 60
"""For one answer of the new version: with a tenth of the traffic, 60 calls miss it twice in a thousand times."""

_TEXTS_IN_A_CALL: Final = 10
"""As many as the product's own callers send, so that the canary does not ring the alarm on latency itself."""

_SAMPLES: Final = 3
_MODEL_FAULTS: Final = frozenset({EndpointFailure.BROKEN, EndpointFailure.TIMEOUT, EndpointFailure.REFUSED})

Clock = Callable[[], float]


class AsksForSentiment(Protocol):
    """What is used of ``lambdas.aws.endpoint.Endpoint``."""

    def classify(self, texts: Sequence[tuple[str, str]]) -> list[Outcome]:
        """One outcome per (id, text), in order; EndpointUnavailableError."""


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """What the new version answered; a question that it was not asked in time is NOT_ASKED.

    ``milliseconds`` is its quickest answer to one text, None before the first. ``errors`` are calls that failed.
    """

    answers: str
    milliseconds: float | None
    errors: int


def ask_served(questions: Sequence[Question], *, endpoint: AsksForSentiment) -> tuple[str | None, str]:
    """Version and answers of the only version that is up; EndpointUnavailableError. No version: every line failed."""
    version: str | None = None
    answers = ""
    for start in range(0, len(questions), _TEXTS_IN_A_CALL):
        answered, said = _ask(questions[start : start + _TEXTS_IN_A_CALL], endpoint=endpoint)
        version = version or answered
        answers += said
    return version, answers


def ask_newcomer(
    questions: Sequence[Question],
    *,
    is_new: Callable[[str], bool],
    slow_milliseconds: float,
    seconds: float,
    endpoint: AsksForSentiment,
    clock: Clock = time.monotonic,
) -> Newcomer:
    """Ask one text for the time it takes, then all questions, until a version that ``is_new`` has answered each.

    Gives up after ``seconds``, or after MOST_CALLS for one answer; how far it came is in what it returns.
    """
    asking = _Asking(is_new=is_new, endpoint=endpoint, clock=clock, deadline=clock() + seconds)
    times: list[float] = []
    while len(times) < _SAMPLES and max(times, default=0.0) <= 2 * slow_milliseconds:
        if asking.ask(questions[:1]) is None:
            break
        times.append(asking.milliseconds)
    answers = ""
    # Where one text takes so long already, there is no need to ask for more.
    if times and max(times) <= 2 * slow_milliseconds:
        for start in range(0, len(questions), _TEXTS_IN_A_CALL):
            said = asking.ask(questions[start : start + _TEXTS_IN_A_CALL])
            if said is None:
                break
            answers += said
    return Newcomer(
        answers=answers.ljust(len(questions), NOT_ASKED),
        milliseconds=min(times, default=None),
        errors=asking.errors,
    )


class _Asking:
    """Calls that are repeated until the new version answers; what they cost and how many failed."""

    def __init__(
        self, *, is_new: Callable[[str], bool], endpoint: AsksForSentiment, clock: Clock, deadline: float
    ) -> None:
        self._is_new = is_new
        self._endpoint = endpoint
        self._clock = clock
        self._deadline = deadline
        self.errors = 0
        self.milliseconds = 0.0
        """How long the last call took."""

    def ask(self, questions: Sequence[Question]) -> str | None:
        """The new version's answers; None where it did not answer in time, or where too many calls have failed."""
        for _ in range(MOST_CALLS):
            started = self._clock()
            if started > self._deadline or self.errors > MOST_ERRORS:
                return None
            try:
                version, answers = _ask(questions, endpoint=self._endpoint)
            except EndpointUnavailableError as error:
                self.errors += error.failure in _MODEL_FAULTS  # a busy endpoint is no fault of the model
                continue
            self.milliseconds = (self._clock() - started) * 1000
            if version is not None and self._is_new(version):
                return answers
        return None


def _ask(questions: Sequence[Question], *, endpoint: AsksForSentiment) -> tuple[str | None, str]:
    outcomes = endpoint.classify([(str(place), question.text) for place, question in enumerate(questions)])
    version = next((outcome.model_version for outcome in outcomes if isinstance(outcome, Prediction)), None)
    return version, write_answers(outcomes)
