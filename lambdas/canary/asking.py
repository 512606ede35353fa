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
from lambdas.canary.answers import Question, write_answers

MOST_CALLS: Final = 60
"""With a tenth of the traffic on the new version, 60 calls miss it twice in a thousand times."""

_SAMPLES: Final = 3
_MODEL_FAULTS: Final = frozenset({EndpointFailure.BROKEN, EndpointFailure.TIMEOUT, EndpointFailure.REFUSED})

Clock = Callable[[], float]


class AsksForSentiment(Protocol):
    """What is used of ``lambdas.aws.endpoint.Endpoint``."""

    def classify(self, texts: Sequence[tuple[str, str]]) -> list[Outcome]:
        """One outcome per (id, text), in order; EndpointUnavailableError."""


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """What the new version answered: None as long as it has not. ``errors`` are calls that the model failed."""

    answers: str | None
    milliseconds: float | None
    errors: int


def ask_served(questions: Sequence[Question], *, endpoint: AsksForSentiment) -> tuple[str | None, str]:
    """Version and answers of the only version that is up; EndpointUnavailableError. No version: every line failed."""
    outcomes = endpoint.classify(_lines(questions))
    return _version(outcomes), write_answers(outcomes)


def ask_newcomer(
    questions: Sequence[Question],
    *,
    is_new: Callable[[str], bool],
    slow_milliseconds: float,
    seconds: float,
    endpoint: AsksForSentiment,
    clock: Clock = time.monotonic,
) -> Newcomer:
    """Ask one text for the time it takes, then all questions at once, until a version that ``is_new`` has answered.

    Gives up after ``seconds`` or MOST_CALLS a part; how far it came is in the answer.
    """
    deadline = clock() + seconds
    errors, times = 0, list[float]()
    first = questions[:1]
    for _ in range(MOST_CALLS):
        started = clock()
        if started > deadline or len(times) >= _SAMPLES:
            break
        version, _, failed = _attempt(first, endpoint=endpoint)
        errors += failed
        if version is not None and is_new(version):
            times.append((clock() - started) * 1000)
            if times[-1] > 2 * slow_milliseconds:  # so slow that there is no need to ask any more
                return Newcomer(answers=None, milliseconds=times[-1], errors=errors)
        if errors > 1:
            break
    answers = None
    for _ in range(MOST_CALLS if times else 0):
        if clock() > deadline or errors > 1:
            break
        version, answers_now, failed = _attempt(questions, endpoint=endpoint)
        errors += failed
        if version is not None and is_new(version):
            answers = answers_now
            break
    return Newcomer(answers=answers, milliseconds=min(times, default=None), errors=errors)


def _attempt(questions: Sequence[Question], *, endpoint: AsksForSentiment) -> tuple[str | None, str, int]:
    """Version, answers and whether the model itself failed; a busy endpoint is neither an answer nor a fault."""
    try:
        version, answers = ask_served(questions, endpoint=endpoint)
    except EndpointUnavailableError as error:
        return None, "", int(error.failure in _MODEL_FAULTS)
    return version, answers, 0


def _lines(questions: Sequence[Question]) -> list[tuple[str, str]]:
    return [(str(place), question.text) for place, question in enumerate(questions)]


def _version(outcomes: Sequence[Outcome]) -> str | None:
    return next((outcome.model_version for outcome in outcomes if isinstance(outcome, Prediction)), None)
