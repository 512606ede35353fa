"""One InvokeEndpoint: from the request's headers to a variant's containers, and back with an answer or an error.

Knows the runtime's headers and who captures; nothing of how fleets come up or of endpoint records.
"""

from local.sagemaker.context import Context
from local.sagemaker.hosting import runtime
from local.sagemaker.hosting.capture import Capture, Payload
from local.sagemaker.hosting.chain import ANY_TYPE, ChainError
from local.sagemaker.hosting.fleet import Fleet, Variant
from local.sagemaker.hosting.logs import log_group
from local.sagemaker.hosting.traffic import Traffic

PASSED_ON = (runtime.CUSTOM_ATTRIBUTES, runtime.INFERENCE_ID)


class Invoker:
    """Answers requests for any endpoint whose traffic it is given."""

    def __init__(self, context: Context, capture: Capture) -> None:
        self._context = context
        self._capture = capture

    def invoke(self, traffic: Traffic, headers: dict[str, str], body: bytes) -> runtime.Answer | None:
        """The answer in wire form, errors included; None where no fleet is routed."""
        if len(body) > runtime.MAX_PAYLOAD_BYTES:
            return runtime.validation_error(
                f"The request body of {len(body)} bytes exceeds the limit of {runtime.MAX_PAYLOAD_BYTES} bytes."
            )
        given = {name.lower(): value for name, value in headers.items()}
        with traffic.enter() as fleet:
            if fleet is None:
                return None
            target = given.get(runtime.TARGET_VARIANT)
            variant = fleet.choose(target)
            if variant is None:
                return runtime.validation_error(f"Variant {target} of endpoint {fleet.endpoint_name} not found.")
            return self._ask(fleet, variant, given, body)

    def _ask(self, fleet: Fleet, variant: Variant, given: dict[str, str], body: bytes) -> runtime.Answer:
        only = given.get(runtime.TARGET_CONTAINER)
        if variant.plan.direct != (only is not None):
            return runtime.validation_error("TargetContainerHostname is for endpoints in Direct mode, which need it.")
        if only is not None and all(only != source.name for source in variant.plan.containers):
            return runtime.validation_error(f"Container {only} not found.")
        content_type = given.get("content-type", "application/octet-stream")
        try:
            reply = variant.chain.invoke(
                body,
                content_type=content_type,
                accept=given.get("accept", ANY_TYPE),
                headers={name: given[name] for name in PASSED_ON if name in given},
                only=only,
            )
        except ChainError as error:
            return self._model_error(fleet, variant, error)
        answer = runtime.answered(reply.body, reply.headers, variant_name=variant.plan.name)
        if fleet.capture is not None and fleet.capture.takes_this_one():
            self._capture.add(
                fleet.capture,
                endpoint_name=fleet.endpoint_name,
                variant_name=variant.plan.name,
                request=Payload(body=body, content_type=content_type),
                answer=Payload(body=reply.body, content_type=answer[1]["content-type"]),
                inference_id=given.get(runtime.INFERENCE_ID),
            )
        return answer

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
