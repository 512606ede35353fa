"""Endpoints: their states, their records and the fleets behind them.

Each operation checks and notes what it begins, and a thread carries it out: a new fleet is up and healthy before
traffic goes to it, the old one answers what it took before it ends, and an update that fails or is rolled back leaves
the old one serving. Records outlive this process; ``start`` hosts again what they say. Knows nothing of HTTP, of how
requests are parsed or of how traffic is shifted.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from local.sagemaker import events, listing, objects, shapes
from local.sagemaker.context import Context
from local.sagemaker.errors import AwsError, validation
from local.sagemaker.hosting import descriptions, runtime
from local.sagemaker.hosting.asynchronous import MAXIMUM_INPUT_BYTES, Asynchronous
from local.sagemaker.hosting.capture import Capture
from local.sagemaker.hosting.chain import Chain
from local.sagemaker.hosting.deployment import ALL_AT_ONCE, Deployment
from local.sagemaker.hosting.fleet import Fleet, HostingError
from local.sagemaker.hosting.fleets import Fleets
from local.sagemaker.hosting.invoker import Invoker
from local.sagemaker.hosting.meter import Meter
from local.sagemaker.hosting.plans import FleetPlan
from local.sagemaker.hosting.rollout import RollbackError, Rollout, StoppedError
from local.sagemaker.hosting.shadows import Shadows
from local.sagemaker.hosting.traffic import Traffic
from local.sagemaker.store import Record, Store
from local.sagemaker.tags import Tags

KIND = "endpoint"
EVENT = "SageMaker Endpoint State Change"
IN_PROGRESS = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
_log = logging.getLogger(__name__)


class Hosting:
    """The endpoint operations of SageMaker and its runtime.

    ``s3`` and ``logs`` are boto3 clients of the local AWS unless given.
    """

    def __init__(self, context: Context, store: Store, *, s3: Any = None, logs: Any = None) -> None:
        self._context = context
        self._store = store
        self._tags = Tags(store)
        s3 = s3 or objects.client(context, "s3")
        self._fleets = Fleets(context, s3=s3, logs=logs or objects.client(context, "logs"))
        self._capture = Capture(s3)
        self._meter = Meter(context.measure)
        self._shadows = Shadows()
        self._invoker = Invoker(context, capture=self._capture, meter=self._meter, shadows=self._shadows)
        self._asynchronous = Asynchronous(store, self._answer_later, s3=s3, sns=lambda: objects.client(context, "sns"))
        self._lock = threading.RLock()
        self._traffic: dict[str, Traffic] = {}
        self._stopped = threading.Event()

    # ---- life of the service ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Host again, in the background, what was hosted or begun when the process ended. Returns at once."""
        records = self._store.list(KIND)
        self._fleets.tidy(FleetPlan.from_record(plan) for record in records if (plan := record.get("HostedPlan")))
        for record in records:
            self._resume(record)
        self._asynchronous.start()

    def close(self) -> None:
        """End every container and write out what waits. States stay as they are, for the next start."""
        with self._lock:
            self._stopped.set()
        self._asynchronous.close()
        self._shadows.close()
        self._fleets.close()
        self._meter.close()
        self._capture.close()

    def processes(self) -> list[tuple[int, str]]:
        """Process id and a description of every running container."""
        return self._fleets.processes()

    # ---- control plane ----------------------------------------------------------------------------------------

    def create_endpoint(self, request: Record) -> Record:
        """CreateEndpoint."""
        name, config_name = request["EndpointName"], request["EndpointConfigName"]
        arn = self._context.arn(KIND, name)
        now = time.time()
        with self._lock:
            if self._store.get(KIND, name) is not None:
                raise validation(f'Cannot create already existing endpoint "{arn}".')
            plan = FleetPlan.of(config_name, self._store, self._context.arn)
            record = {
                "EndpointName": name,
                "EndpointArn": arn,
                "EndpointConfigName": config_name,
                "EndpointStatus": "Creating",
                "CreationTime": now,
                "LastModifiedTime": now,
                "PendingPlan": plan.to_record(),
            }
            if "DeploymentConfig" in request:
                record["LastDeploymentConfig"] = request["DeploymentConfig"]
            self._store.put(KIND, name, record)
            self._tags.keep(arn, request.get("Tags"))
        self._announce(record)
        self._in_background(self._create, name, plan)
        return {"EndpointArn": arn}

    def update_endpoint(self, request: Record) -> Record:
        """UpdateEndpoint."""
        name = request["EndpointName"]
        with self._lock:
            record = self._idle(name)
            old = FleetPlan.from_record(record["HostedPlan"])
            plan = FleetPlan.of(request["EndpointConfigName"], self._store, self._context.arn)
            if request.get("RetainAllVariantProperties"):
                excluded = request.get("ExcludeRetainedVariantProperties", [])
                plan = plan.with_properties_of(old, excluded={each["VariantPropertyType"] for each in excluded})
            config = _deployment_config(request, record)
            deployment = Deployment.of(config, [variant.instances for variant in plan.variants])
            if config != ALL_AT_ONCE:
                _require_same_variants(old, plan)
            record = self._change(
                name,
                drop=("FailureReason",),
                EndpointStatus="Updating",
                PendingPlan=plan.to_record(),
                LastDeploymentConfig=config,
                PendingDeploymentSummary=descriptions.pending(plan, "Creating", 0.0, started=time.time()),
            )
        self._announce(record)
        self._in_background(self._update, name, plan, deployment)
        return {"EndpointArn": record["EndpointArn"]}

    def update_weights_and_capacities(self, request: Record) -> Record:
        """UpdateEndpointWeightsAndCapacities."""
        name = request["EndpointName"]
        desired = {each["VariantName"]: each for each in request["DesiredWeightsAndCapacities"]}
        with self._lock:
            plan = FleetPlan.from_record(self._idle(name)["HostedPlan"])
            unknown = desired.keys() - {variant.name for variant in plan.hosted()}
            if unknown:
                arn = self._context.arn(KIND, name)
                raise validation(f'Could not find variants {sorted(unknown)} of endpoint "{arn}".')
            record = self._change(name, drop=("FailureReason",), EndpointStatus="Updating")
        self._announce(record)
        self._in_background(self._reweigh, name, plan.with_capacities(desired))
        return {"EndpointArn": record["EndpointArn"]}

    def delete_endpoint(self, request: Record) -> Record:
        """DeleteEndpoint."""
        name = request["EndpointName"]
        with self._lock:
            self._not_in_progress(self._find(name))
            record = self._change(name, EndpointStatus="Deleting")
        self._announce(record)
        self._in_background(self._delete, name)
        return {}

    def describe_endpoint(self, request: Record) -> Record:
        """DescribeEndpoint."""
        return shapes.project("DescribeEndpoint", self._find(request["EndpointName"]))

    def list_endpoints(self, request: Record) -> Record:
        """ListEndpoints."""
        page = listing.page(
            self._store.list(KIND), request, name="EndpointName", status="EndpointStatus", order="Descending"
        )
        return shapes.project("ListEndpoints", {"Endpoints": page.pop("records"), **page})

    # ---- runtime ----------------------------------------------------------------------------------------------

    def invoke(self, endpoint_name: str, headers: dict[str, str], body: bytes) -> runtime.Answer:
        """InvokeEndpoint: an answer in the runtime's wire form, errors included."""
        if self._asynchronous_config(endpoint_name) is not None:
            return runtime.validation_error(f"Endpoint {endpoint_name} is asynchronous: use InvokeEndpointAsync.")
        return self._answer(endpoint_name, headers, body)

    def invoke_asynchronously(self, endpoint_name: str, headers: dict[str, str]) -> runtime.Answer:
        """InvokeEndpointAsync: where the answer will be, or an error."""
        config = self._asynchronous_config(endpoint_name)
        if config is not None:
            return self._asynchronous.accept(
                endpoint_name, config, {name.lower(): value for name, value in headers.items()}
            )
        if self._traffic.get(endpoint_name) is None:
            return self._not_served(endpoint_name)
        return runtime.validation_error(f"Endpoint {endpoint_name} is not asynchronous: use InvokeEndpoint.")

    def _answer(
        self,
        endpoint_name: str,
        headers: dict[str, str],
        body: bytes,
        *,
        maximum_bytes: int = runtime.MAX_PAYLOAD_BYTES,
    ) -> runtime.Answer:
        traffic = self._traffic.get(endpoint_name)
        answer = (
            self._invoker.invoke(traffic, headers, body, maximum_bytes=maximum_bytes) if traffic is not None else None
        )
        return answer if answer is not None else self._not_served(endpoint_name)

    def _answer_later(self, endpoint_name: str, headers: dict[str, str], body: bytes) -> runtime.Answer:
        return self._answer(endpoint_name, headers, body, maximum_bytes=MAXIMUM_INPUT_BYTES)

    def _asynchronous_config(self, endpoint_name: str) -> Record | None:
        traffic = self._traffic.get(endpoint_name)
        fleets = traffic.fleets() if traffic is not None else []
        return fleets[-1].plan.asynchronous if fleets else None

    def _not_served(self, endpoint_name: str) -> runtime.Answer:
        record = self._store.get(KIND, endpoint_name)
        if record is not None and record["EndpointStatus"] == "SystemUpdating":
            return runtime.service_unavailable(f"Endpoint {endpoint_name} is being hosted again. Wait and retry.")
        return runtime.validation_error(f"Endpoint {endpoint_name} of account {self._context.account} not found.")

    # ---- without an endpoint ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def serving(self, what: str, model_name: str, *, log_group: str) -> Iterator[Chain]:
        """A model's containers, healthy, for as long as the block lasts; HostingError where they do not come up."""
        plan = FleetPlan.of_model(model_name, self._store, self._context.arn)
        fleet = self._fleets.bring_up(what, plan, group=log_group)
        try:
            yield fleet.hosted()[0].chain
        finally:
            self._fleets.retire(fleet, Traffic())

    # ---- what the threads do ----------------------------------------------------------------------------------

    def _create(self, name: str, plan: FleetPlan) -> None:
        try:
            fleet = self._fleets.bring_up(name, plan)
        except HostingError as error:
            self._settle(name, drop=("PendingPlan",), EndpointStatus="Failed", FailureReason=str(error))
            return
        self._go_live(name, fleet)

    def _update(self, name: str, plan: FleetPlan, deployment: Deployment) -> None:
        rollout = Rollout(deployment, alarm_states=self._alarm_states, stopped=self._stopped)
        try:
            rollout.require_calm()
            green = self._fleets.bring_up(name, plan)
        except (HostingError, RollbackError) as error:
            self._as_before(name, str(error))
            return
        traffic = self._traffic[name]
        (blue,) = traffic.fleets()
        try:
            rollout.carry_out(
                traffic, blue=blue, green=green, report=lambda status, share: self._report(name, plan, status, share)
            )
        except StoppedError:
            return
        except Exception as error:
            self._roll_back(name, green, traffic, error)
            return
        self._fleets.retire(blue, traffic)
        self._go_live(name, green)

    def _roll_back(self, name: str, green: Fleet, traffic: Traffic, error: Exception) -> None:
        """The old fleet has all traffic again: end the new one and be in service as before."""
        self._settle(name, EndpointStatus="RollingBack")
        self._report(name, green.plan, "Deleting", 0.0)
        self._fleets.retire(green, traffic)
        if not isinstance(error, RollbackError):
            raise error
        self._as_before(name, str(error))

    def _as_before(self, name: str, reason: str) -> None:
        """Say what came of an update that the old fleet outlived, and be in service again."""
        self._settle(
            name, drop=("PendingPlan", "PendingDeploymentSummary"), EndpointStatus="InService", FailureReason=reason
        )

    def _report(self, name: str, plan: FleetPlan, status: str, share: float) -> None:
        started = self._find(name)["PendingDeploymentSummary"]["StartTime"]
        self._change(name, PendingDeploymentSummary=descriptions.pending(plan, status, share, started=started))

    def _alarm_states(self, names: Collection[str]) -> Mapping[str, str]:
        """The states that the alarms are in with all that was measured until now."""
        self._meter.flush()
        return self._context.alarm_states(names)

    def _reweigh(self, name: str, plan: FleetPlan) -> None:
        for fleet in self._traffic[name].fleets():
            fleet.reweigh(plan)
        self._settle(name, EndpointStatus="InService", HostedPlan=plan.to_record(), **descriptions.variants(plan))

    def _delete(self, name: str) -> None:
        traffic = self._traffic.pop(name, None)
        if traffic is not None:
            fleets = traffic.fleets()
            traffic.route()
            for fleet in fleets:
                self._fleets.retire(fleet, traffic)
        with self._lock:
            if not self._stopped.is_set():
                self._store.delete(KIND, name)
                self._tags.forget(self._context.arn(KIND, name))

    def _resume(self, record: Record) -> None:
        name, status = record["EndpointName"], record["EndpointStatus"]
        if status == "Deleting":
            self._in_background(self._delete, name)
        elif "HostedPlan" in record:
            interrupted = "PendingPlan" in record
            self._announce(self._change(name, EndpointStatus="SystemUpdating"))
            self._in_background(self._host_again, name, FleetPlan.from_record(record["HostedPlan"]), interrupted)
        elif status == "Creating":
            self._in_background(self._create, name, FleetPlan.from_record(record["PendingPlan"]))

    def _host_again(self, name: str, plan: FleetPlan, was_interrupted: bool) -> None:
        try:
            fleet = self._fleets.bring_up(name, plan)
        except HostingError as error:
            # The plan stays, so that the next start of the local AWS tries again.
            self._settle(name, EndpointStatus="Failed", FailureReason=str(error))
            return
        self._go_live(name, fleet)
        if was_interrupted:
            self._as_before(
                name, "The update was cut off when the local AWS stopped; the endpoint is as it was before."
            )

    def _go_live(self, name: str, fleet: Fleet) -> None:
        plan = fleet.plan
        traffic = self._traffic.setdefault(name, Traffic())
        traffic.route((fleet, 1.0))
        with self._lock:
            self._settle(
                name,
                drop=("FailureReason", "PendingPlan", "PendingDeploymentSummary", "ShadowProductionVariants"),
                EndpointStatus="InService",
                EndpointConfigName=plan.config_name,
                HostedPlan=plan.to_record(),
                DataCaptureConfig=descriptions.capture(plan.capture),
                **descriptions.variants(plan),
            )

    # ---- records ----------------------------------------------------------------------------------------------

    def _find(self, name: str) -> Record:
        record = self._store.get(KIND, name)
        if record is None:
            raise validation(f'Could not find endpoint "{self._context.arn(KIND, name)}".')
        return record

    def _idle(self, name: str) -> Record:
        """The record of an endpoint that may be changed."""
        record = self._find(name)
        self._not_in_progress(record)
        if record["EndpointStatus"] == "Failed":
            raise validation(f'Cannot update failed endpoint "{record["EndpointArn"]}": it can only be deleted.')
        return record

    def _not_in_progress(self, record: Record) -> None:
        if record["EndpointStatus"] in IN_PROGRESS:
            raise validation(f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')

    def _change(self, name: str, *, drop: Collection[str] = (), **changes: Any) -> Record:
        with self._lock:
            kept = {member: value for member, value in self._find(name).items() if member not in drop}
            record = {**kept, **changes, "LastModifiedTime": time.time()}
            self._store.put(KIND, name, record)
            return record

    def _settle(self, name: str, *, drop: Collection[str] = (), **changes: Any) -> None:
        """Note the outcome of an operation, unless it only failed because this process ends."""
        with self._lock:
            if self._stopped.is_set():
                return
            record = self._change(name, drop=drop, **changes)
        self._announce(record)

    def _announce(self, record: Record) -> None:
        status = "".join(f"_{letter}" if letter.isupper() else letter for letter in record["EndpointStatus"])
        events.announce(
            self._context, EVENT, "DescribeEndpoint", record, EndpointStatus=status.removeprefix("_").upper()
        )

    def _in_background(self, work: Callable[..., None], name: str, *arguments: Any) -> None:
        def run() -> None:
            try:
                work(name, *arguments)
            except AwsError as error:
                _log.warning("endpoint %s: %s", name, error)
            except Exception:
                _log.exception("the operation on endpoint %s broke off", name)
                reason = "InternalServerError: see the log of the local AWS."
                if self._traffic.get(name) is not None:
                    self._as_before(name, reason)
                else:
                    self._settle(name, EndpointStatus="Failed", FailureReason=reason)

        threading.Thread(target=run, name=f"endpoint-{name}", daemon=True).start()


def _deployment_config(request: Record, record: Record) -> Record:
    """What the request asks for, else what is retained from the last update, else AWS's default."""
    retained = record.get("LastDeploymentConfig") if request.get("RetainDeploymentConfig") else None
    config: Record = request.get("DeploymentConfig") or retained or ALL_AT_ONCE
    return config


def _require_same_variants(old: FleetPlan, new: FleetPlan) -> None:
    before, after = ({variant.name for variant in plan.variants} for plan in (old, new))
    if before != after:
        raise validation(
            "A deployment configuration needs the same variant names in the old and the new endpoint configuration: "
            f"{', '.join(sorted(before))} and {', '.join(sorted(after))} differ."
        )
