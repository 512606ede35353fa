"""Containers behind one another, as an inference pipeline runs them: each answer is the next one's request.

Usable on its own, from three local archives (``Chain.from_archives``), for instance to evaluate a model before it is
released. Knows nothing of endpoints, variants or S3.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from local.sagemaker.archives import unpack
from local.sagemaker.hosting.connection import Reply
from local.sagemaker.hosting.container import (
    START_TIMEOUT_SECONDS,
    Container,
    ContainerPlan,
    InvocationTimeoutError,
    UnansweredError,
    Workshop,
)

INVOCATION_TIMEOUT_SECONDS = 60.0
ANY_TYPE = "*/*"


class ChainError(Exception):
    """A container of the chain refused, failed or did not answer.

    ``status`` is the container's HTTP status, or 0 as AWS reports it where there was no answer in time; ``message`` is
    what the container said.
    """

    def __init__(self, container: str, status: int, message: str) -> None:
        super().__init__(f"{container} answered {status}: {message}")
        self.container = container
        self.status = status
        self.message = message


class ChainBrokenError(ChainError):
    """A container was not there or ended before it answered, so that the request may be sent again.

    ``was_sent`` says that the container had the request.
    """

    def __init__(self, container: str, message: str, *, was_sent: bool) -> None:
        super().__init__(container, 503, message)
        self.was_sent = was_sent


# (container, seconds until its answer was here)
Observe = Callable[[str, float], None]


def _observe_nothing(container: str, seconds: float) -> None:
    """Nobody measures."""


class Chain:
    """The containers of one production variant, started together. Ends them on ``close``."""

    def __init__(self, plans: Sequence[ContainerPlan], workshop: Workshop) -> None:
        if not plans:
            raise ValueError("a chain needs at least one container")
        self.containers = tuple(Container(plan, workshop) for plan in plans)

    @classmethod
    def from_archives(
        cls,
        archives: Sequence[Path],
        *,
        python: Path,
        folder: Path,
        environments: Sequence[Mapping[str, str]] = (),
        timeout_seconds: float = START_TIMEOUT_SECONDS,
    ) -> "Chain":
        """Unpack ``model.tar.gz`` files below ``folder`` and start them; returns when all are healthy.

        ``environments`` is one mapping per archive, or nothing. Raises ValueError for a bad archive and ContainerError
        with the reason where a container does not come up.
        """
        plans = []
        for index, archive in enumerate(archives):
            name = f"container-{index + 1}"
            model = folder / name
            unpack(archive, model)
            environment = environments[index] if environments else {}
            plans.append(
                ContainerPlan(name=name, model=model, environment=environment, log=folder / "logs" / f"{name}.log")
            )
        chain = cls(plans, Workshop(python=python, containers=folder / "containers", packages=folder / "packages"))
        chain.start(timeout_seconds)
        return chain

    def start(self, timeout_seconds: float = START_TIMEOUT_SECONDS) -> None:
        """Start all containers at once and return when all are healthy; on ContainerError none is left behind."""
        try:
            for container in self.containers:
                container.start()
            deadline = time.monotonic() + timeout_seconds
            for container in self.containers:
                container.wait_until_healthy(deadline - time.monotonic())
        except BaseException:
            self.close()
            raise

    def invoke(
        self,
        body: bytes,
        *,
        content_type: str,
        accept: str = ANY_TYPE,
        headers: Mapping[str, str] | None = None,
        only: str | None = None,
        timeout_seconds: float = INVOCATION_TIMEOUT_SECONDS,
        observe: Observe = _observe_nothing,
    ) -> Reply:
        """Send ``body`` through all containers, or through the one named ``only``; ChainError where one fails.

        As on AWS the content type of each answer is that of the next request, and what the client accepts concerns the
        last container; the others answer their SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT. ``headers`` go to every container.
        ``timeout_seconds`` is for the whole way.
        """
        deadline = time.monotonic() + timeout_seconds
        chosen = [container for container in self.containers if only in (None, container.plan.name)]
        for container in chosen:
            request = {
                **(headers or {}),
                "Content-Type": content_type,
                "Accept": accept if container is chosen[-1] else ANY_TYPE,
            }
            begin = time.monotonic()
            with _as_chain_error(container):
                reply = container.invoke(body, request, deadline)
            observe(container.plan.name, time.monotonic() - begin)
            if not 200 <= reply.status < 300:
                raise ChainError(container.plan.name, reply.status, reply.body.decode("utf-8", "replace"))
            body, content_type = reply.body, reply.headers.get("content-type", "application/octet-stream")
        return reply

    @property
    def is_serving(self) -> bool:
        """True while every container runs and has been healthy; costs no request."""
        return all(container.is_serving for container in self.containers)

    def close(self) -> None:
        """End all containers, side by side."""
        with ThreadPoolExecutor(max_workers=len(self.containers)) as pool:
            list(pool.map(Container.end, self.containers))

    def processes(self) -> list[tuple[int, str]]:
        """Process id and name of each container that runs."""
        return [(pid, container.plan.name) for container in self.containers if (pid := container.pid) is not None]

    def __enter__(self) -> "Chain":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextlib.contextmanager
def _as_chain_error(container: Container) -> Iterator[None]:
    name = container.plan.name
    try:
        yield
    except InvocationTimeoutError as error:
        message = (
            f"Your invocation timed out while waiting for a response from container {name}. Review the latency metrics "
            "for each container in Amazon CloudWatch, resolve the issue, and try again."
        )
        raise ChainError(name, 0, message) from error
    except UnansweredError as error:
        raise ChainBrokenError(name, f"{error}.", was_sent=error.was_sent) from error
