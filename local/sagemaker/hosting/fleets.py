"""All fleets of this process: brought up from plans, looked after, drained and ended.

Joins models, containers, logs and the watchdog. Knows endpoints by name only, nothing of their states or records.
"""

import logging
import secrets
import shutil
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from local.sagemaker.context import Context
from local.sagemaker.hosting.artifacts import ArtifactError, ModelCache
from local.sagemaker.hosting.capture import CaptureSettings
from local.sagemaker.hosting.chain import Chain
from local.sagemaker.hosting.container import ContainerPlan, Workshop
from local.sagemaker.hosting.fleet import Fleet, HostingError, Variant
from local.sagemaker.hosting.logs import LogShipper, log_group
from local.sagemaker.hosting.plans import FleetPlan, VariantPlan
from local.sagemaker.hosting.traffic import Traffic
from local.sagemaker.hosting.watchdog import Watchdog
from local.sagemaker.objects import ObjectError

DRAIN_SECONDS = 60.0
KEPT_LOG_FOLDERS = 50

_log = logging.getLogger(__name__)


class Fleets:
    """``bring_up`` gives a healthy fleet, ``retire`` ends one that is no longer needed, ``close`` ends them all."""

    def __init__(self, context: Context, *, s3: Any, logs: Any) -> None:
        cache = context.home / "cache"
        self._models = ModelCache(cache / "models", s3)
        self._workshop = Workshop(
            python=context.serving_python,
            containers=context.home / "containers",
            packages=cache / "packages",
            region=context.region,
        )
        self._log_folder = context.home / "logs" / "endpoints"
        self._shipper = LogShipper(logs)
        self._watchdog = Watchdog()
        self._lock = threading.Lock()
        self._running: set[Fleet] = set()
        self._closing = False

    def tidy(self, hosted: Iterable[FleetPlan]) -> None:
        """Clear what an earlier process left: its container folders, old logs, and models that nothing hosts."""
        shutil.rmtree(self._workshop.containers, ignore_errors=True)
        instances = sorted(self._log_folder.glob("*/*/*"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in instances[KEPT_LOG_FOLDERS:]:
            shutil.rmtree(path)
        self._models.prune(
            {
                ModelCache.digest(source.model_uri, source.model_etag)
                for plan in hosted
                for source in plan.sources()
                if source.model_uri and source.model_etag
            }
        )

    def bring_up(self, endpoint_name: str, plan: FleetPlan, *, group: str | None = None) -> Fleet:
        """A healthy fleet that gets no traffic yet; HostingError with the reason, and nothing left, where not.

        Its logs go to the endpoint's log group unless another ``group`` is named.
        """
        try:
            fixed = plan.with_etags(self._models.present_etag)
            fleet = Fleet(
                endpoint_name,
                fixed,
                variants=[self._lay_out(endpoint_name, variant) for variant in fixed.variants],
                shadows=[self._lay_out(endpoint_name, variant) for variant in fixed.shadows],
                capture=CaptureSettings.of(plan.capture),
            )
        except (ArtifactError, ObjectError) as error:
            raise HostingError(str(error)) from error
        with self._lock:
            if self._closing:
                raise HostingError("The local AWS is stopping.")
            self._running.add(fleet)
        for variant, container in fleet.containers():
            stream = variant.log_stream(container.plan.name)
            self._shipper.follow(container.plan.log, group=group or log_group(endpoint_name), stream=stream)
        try:
            fleet.start()
        except BaseException:
            self._forget(fleet)
            raise
        self._watchdog.watch(container for _, container in fleet.containers())
        return fleet

    def retire(self, fleet: Fleet, traffic: Traffic) -> None:
        """End a fleet that is no longer routed, once it has answered what it took."""
        if not traffic.drain(fleet, DRAIN_SECONDS):
            _log.warning("a fleet of endpoint %s ends with requests unanswered", fleet.endpoint_name)
        self._watchdog.forget(container for _, container in fleet.containers())
        fleet.close()
        self._forget(fleet)

    def close(self) -> None:
        """End every container, whatever it does."""
        with self._lock:
            self._closing = True
            running = list(self._running)
        self._watchdog.close()
        if running:
            with ThreadPoolExecutor(max_workers=len(running)) as pool:
                list(pool.map(Fleet.close, running))
        self._shipper.close()

    def processes(self) -> list[tuple[int, str]]:
        """Process id and a description of every running container."""
        with self._lock:
            running = list(self._running)
        return [process for fleet in running for process in fleet.processes()]

    def _lay_out(self, endpoint_name: str, plan: VariantPlan) -> Variant:
        """A variant with its models fetched and its containers not yet started."""
        instance = f"i-{secrets.token_hex(9)[:17]}"
        logs = self._log_folder / endpoint_name / plan.name / instance
        containers = [
            ContainerPlan(
                name=source.name,
                model=self._model(source.name, source.model_uri, source.model_etag),
                environment=source.environment,
                log=logs / f"{source.name}.log",
            )
            for source in plan.containers
        ]
        return Variant(endpoint_name, plan, Chain(containers, self._workshop), instance)

    def _model(self, name: str, uri: str | None, etag: str | None) -> Path:
        if uri is None or etag is None:
            raise ArtifactError(f"The container {name} has no model data, and only script mode is hosted locally.")
        return self._models.fetch(uri, etag)

    def _forget(self, fleet: Fleet) -> None:
        for _, container in fleet.containers():
            self._shipper.release(container.plan.log)
        with self._lock:
            self._running.discard(fleet)
