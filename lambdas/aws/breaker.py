"""The endpoint behind a circuit breaker that all instances of all functions share through the desk.

A state is read at most once a second, and written only when something fails or a run of failures ends; of many
instances one gets to probe. Where the desk is away the endpoint is asked as if nothing guarded it. It does not know
when a breaker opens, nor what is asked.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from feedback.breaker import Breaker
from feedback.prediction import Outcome
from lambdas.aws.desk import Desk, DeskUnavailableError
from lambdas.aws.endpoint import EndpointFailure, EndpointUnavailableError
from lambdas.telemetry import log, log_error

_PLACE: Final = ("breaker", "endpoint")
_CACHE_SECONDS: Final = 1.0
_WRITE_ATTEMPTS: Final = 4


class Model(Protocol):
    """What is asked for sentiments."""

    def admits(self) -> bool:
        """Whether it may be asked now."""

    def classify(self, texts: Sequence[tuple[str, str]]) -> list[Outcome]:
        """One outcome per (id, text), in order; EndpointUnavailableError when the batch has no usable answer."""


class SharedBreaker:
    """The breaker as this instance knows it."""

    def __init__(self, *, desk: Desk, now: Callable[[], datetime]) -> None:
        self._desk = desk
        self._now = now
        self._state = Breaker()
        self._version = 0
        self._read_at: float | None = None
        self._is_probing = False

    def admits(self) -> bool:
        """Whether the endpoint may be asked now: while closed, or as the one probe that is due."""
        now = self._now().timestamp()
        self._is_probing = False
        if not self._refresh(now) or self._state.is_closed:
            return True
        if not self._state.wants_probe(now):
            return False
        try:
            self._is_probing = self._replace(self._state.probed(now))
        except DeskUnavailableError as error:
            log_error("The breaker cannot be read: it counts as closed.", error)
            return True
        if not self._is_probing:
            self._read_at = None  # another probes, or it has closed
        return self._is_probing

    def report(self, *, is_success: bool) -> None:
        """Tell how the call went that was admitted last."""
        now = self._now().timestamp()
        try:
            for _ in range(_WRITE_ATTEMPTS):
                state = self._state
                if is_success and state.is_calm(now):
                    return
                if not state.is_closed and not self._is_probing:
                    return  # begun before it opened: says nothing new
                changed = state.succeeded(now) if is_success else state.failed(now)
                if self._replace(changed):
                    _log_change(state, changed)
                    return
                self._read(now)
        except DeskUnavailableError as error:
            log_error("The breaker could not be told.", error)

    def _refresh(self, now: float) -> bool:
        """Whether the state is known."""
        if self._read_at is not None and 0.0 <= now - self._read_at < _CACHE_SECONDS:
            return True
        try:
            self._read(now)
        except DeskUnavailableError as error:
            log_error("The breaker cannot be read: it counts as closed.", error)
            return False
        return True

    def _read(self, now: float) -> None:
        document = self._desk.get(*_PLACE) or {"version": 0, "state": {}}
        self._state = Breaker.from_document(document["state"])
        self._version = document["version"]
        self._read_at = now

    def _replace(self, state: Breaker) -> bool:
        """Write the state over the one that was read; False where another was quicker."""
        expected: dict[str, Any] = {":seen": self._version} if self._version else {}
        written = self._desk.update_if(
            *_PLACE,
            "SET #state = :state, #version = :version",
            condition="#version = :seen" if expected else "attribute_not_exists(#version)",
            names={"#state": "state", "#version": "version"},
            values={":state": state.to_document(), ":version": self._version + 1, **expected},
        )
        if written is None:
            return False
        self._state = state
        self._version += 1
        return True


class GuardedEndpoint:
    """An endpoint that is asked only when the breaker admits it, and whose failures the breaker is told."""

    def __init__(self, *, endpoint: Model, breaker: SharedBreaker) -> None:
        self._endpoint = endpoint
        self._breaker = breaker

    def admits(self) -> bool:
        """Whether it may be asked now. To be asked before each :meth:`classify`, or the first of several."""
        return self._breaker.admits()

    def classify(self, texts: Sequence[tuple[str, str]]) -> list[Outcome]:
        """As the endpoint does."""
        try:
            outcomes = self._endpoint.classify(texts)
        except EndpointUnavailableError as error:
            # A refusal is about the texts: the endpoint itself is well.
            self._breaker.report(is_success=error.failure is EndpointFailure.REFUSED)
            raise
        self._breaker.report(is_success=True)
        return outcomes


def _log_change(before: Breaker, after: Breaker) -> None:
    if before.is_closed and not after.is_closed:
        log("ERROR", "The breaker opens: the model is left alone.")
    if after.is_closed and not before.is_closed:
        log("WARNING", "The breaker closes: the model answers again.")
