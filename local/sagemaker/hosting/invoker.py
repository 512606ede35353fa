"""One InvokeEndpoint: from the request's headers to a variant's containers, and back with an answer or an error.

A container that is gone does not fail the request: it waits for the other fleet of a deployment or for the container's
replacement. One that ends in the middle of a request counts as an error in the metrics, as on AWS, but the request is
sent once more. Knows the runtime's headers, who captures and who counts; nothing of how fleets come up or of records.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from local.sagemaker.context import Context
from local.sagemaker.hosting import runtime
from local.sagemaker.hosting.capture import Capture, Payload
from local.sagemaker.hosting.chain import (
    ANY_TYPE,
    INVOCATION_TIMEOUT_SECONDS,
    ChainBrokenError,
    ChainError,
)
from local.sagemaker.hosting.connection import Reply
from local.sagemaker.hosting.fleet import Fleet, Variant
from local.sagemaker.hosting.logs import log_group
from local.sagemaker.hosting.meter import Meter, Outcome
from local.sagemaker.hosting.shadows import Shadows
from local.sagemaker.hosting.traffic import Traffic

PASSED_ON = (runtime.CUSTOM_ATTRIBUTES, runtime.INFERENCE_ID)
# How long a request waits for the replacement of its container.
REPLACEMENT_SECONDS = 20.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it came, its header names in lower case; ``begin`` is of ``time.monotonic``."""

    headers: Mapping[str, str]
    body: bytes
    begin: float

    @property
    def content_type(self) -> str:
        """What the body is."""
        return self.headers.get("content-type", "application/octet-stream")

    @property
    def deadline(self) -> float:
        """When there must be an answer, whatever the number of attempts."""
        return self.begin + INVOCATION_TIMEOUT_SECONDS


class Invoker:
    """Answers requests for any endpoint whose traffic it is given."""

    def __init__(self, context: Context, *, capture: Capture, meter: Meter, shadows: Shadows) -> None:
        self._context = context
        self._capture = capture
        self._meter = meter
        self._shadows = shadows

    def invoke(
        self,
        traffic: Traffic,
        headers: Mapping[str, str],
        body: bytes,
        *,
        maximum_bytes: int = runtime.MAX_PAYLOAD_BYTES,
    ) -> runtime.Answer | None:
        """The answer in wire form, errors included; None where no fleet is routed."""
        request = Request(
            headers={name.lower(): value for name, value in headers.items()}, body=body, begin=time.monotonic()
        )
        if len(body) > maximum_bytes:
            return runtime.validation_error(
                f"The request body of {len(body)} bytes exceeds the limit of {maximum_bytes} bytes."
            )
        refused = runtime.refusal(request.headers)
        if refused is not None:
            return refused
        lost: Fleet | None = None
        give_up, broken_off = request.deadline, 0
        while True:
            is_last = time.monotonic() >= give_up
            with traffic.enter(avoiding=lost) as fleet:
                if fleet is None:
                    return None
                variant = fleet.choose(request.headers.get(runtime.TARGET_VARIANT))
                refused = self._refusal(fleet, variant, request)
                if variant is None or refused is not None:
                    return refused
                try:
                    return self._ask(fleet, variant, request, is_last=is_last)
                except ChainBrokenError as error:
                    broken_off += error.was_sent
                    if is_last or broken_off > 1:
                        return self._model_error(fleet, variant, error)
                finally:
                    if lost is None:
                        self._cast_shadow(fleet, request)
            give_up = min(give_up, time.monotonic() + REPLACEMENT_SECONDS)
            lost = fleet
            _await_another(traffic, fleet, variant, give_up)

    def _refusal(self, fleet: Fleet, variant: Variant | None, request: Request) -> runtime.Answer | None:
        if variant is None:
            target = request.headers.get(runtime.TARGET_VARIANT)
            if target is None:
                return runtime.validation_error(f"No variant of endpoint {fleet.endpoint_name} has a weight.")
            return runtime.validation_error(f"Variant {target} of endpoint {fleet.endpoint_name} not found.")
        only = request.headers.get(runtime.TARGET_CONTAINER)
        if variant.plan.direct != (only is not None):
            return runtime.validation_error("TargetContainerHostname is for endpoints in Direct mode, which need it.")
        if only is not None and all(only != source.name for source in variant.plan.containers):
            return runtime.validation_error(f"Container {only} not found.")
        return None

    def _ask(self, fleet: Fleet, variant: Variant, request: Request, *, is_last: bool) -> runtime.Answer:
        """The variant's answer, or the error that it is; ChainBrokenError where another attempt may help."""
        try:
            reply = self._measured(fleet, variant, request, is_last=is_last)
        except ChainBrokenError:
            raise
        except ChainError as error:
            return self._model_error(fleet, variant, error)
        answer = runtime.answered(reply.body, reply.headers, variant_name=variant.plan.name)
        self._keep(fleet, variant, request, Payload(body=reply.body, content_type=answer[1]["content-type"]))
        return answer

    def _cast_shadow(self, fleet: Fleet, request: Request) -> None:
        shadow = fleet.choose_shadow()
        if shadow is not None:
            self._shadows.cast(lambda: self._ask_shadow(fleet, shadow, request))

    def _ask_shadow(self, fleet: Fleet, shadow: Variant, request: Request) -> None:
        """Send the copy; what comes back is captured and counted, and goes to nobody."""
        if fleet.is_ended:
            return
        copy = Request(headers=request.headers, body=request.body, begin=time.monotonic())
        try:
            reply = self._measured(fleet, shadow, copy, is_last=True)
        except ChainError:
            return
        content_type = reply.headers.get("content-type", "application/octet-stream")
        self._keep(fleet, shadow, copy, Payload(body=reply.body, content_type=content_type))

    def _measured(self, fleet: Fleet, variant: Variant, request: Request, *, is_last: bool) -> Reply:
        """One attempt, counted unless no container had it and there will be another."""
        containers: dict[str, float] = {}
        begin = time.monotonic()

        def count(status: int) -> None:
            outcome = Outcome(
                status=status,
                model_seconds=time.monotonic() - begin,
                overhead_seconds=begin - request.begin,
                container_seconds=containers if len(variant.plan.containers) > 1 else {},
            )
            self._meter.invocation(fleet.place(variant), outcome)

        try:
            reply = variant.chain.invoke(
                request.body,
                content_type=request.content_type,
                accept=request.headers.get("accept", ANY_TYPE),
                headers={name: request.headers[name] for name in PASSED_ON if name in request.headers},
                only=request.headers.get(runtime.TARGET_CONTAINER),
                timeout_seconds=request.deadline - begin,
                observe=containers.__setitem__,
            )
        except ChainError as error:
            if is_last or not isinstance(error, ChainBrokenError) or error.was_sent:
                count(error.status)
            raise
        count(reply.status)
        return reply

    def _keep(self, fleet: Fleet, variant: Variant, request: Request, answer: Payload) -> None:
        if fleet.capture is not None and fleet.capture.takes_this_one():
            self._capture.add(
                fleet.capture,
                endpoint_name=fleet.endpoint_name,
                variant_name=variant.plan.name,
                request=Payload(body=request.body, content_type=request.content_type),
                answer=answer,
                inference_id=request.headers.get(runtime.INFERENCE_ID),
            )

    def _model_error(self, fleet: Fleet, variant: Variant, error: ChainError) -> runtime.Answer:
        group = log_group(fleet.endpoint_name)
        place = f"{self._context.region}:{self._context.account}:log-group:{group}"
        return runtime.model_error(
            container=error.container,
            status=error.status,
            message=error.message,
            account=self._context.account,
            log_group=group,
            log_stream_arn=f"arn:aws:logs:{place}:log-stream:{variant.log_stream(error.container)}",
        )


def _await_another(traffic: Traffic, fleet: Fleet, variant: Variant, deadline: float) -> None:
    """Return soon where another fleet is routed or the variant's containers run, else when they do or time is up."""
    time.sleep(LOOK_SECONDS)
    while traffic.fleets() == [fleet] and not variant.chain.is_serving and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
