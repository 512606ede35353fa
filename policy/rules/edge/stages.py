"""Rules for the stages of APIs: throttled, logged without what was sent, watched by a firewall."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part, present
from policy.rule import Fault, Kept, rule
from policy.rules.edge.apis import HTTP_STAGE, REST_STAGE, api_of, deployed_stages, is_private
from policy.template import Resource, Template
from policy.values import UNKNOWN, is_known, is_true, number, text

USAGE_PLAN = "AWS::ApiGateway::UsagePlan"
ASSOCIATION = "AWS::WAFv2::WebACLAssociation"
# The account's own limit: a stage that asks for more is not throttled by it.
MOST_REQUESTS_PER_SECOND = 10_000
LIMITS = ("ThrottlingRateLimit", "ThrottlingBurstLimit")


def _method_settings(stage: Part) -> list[Part]:
    return [stage, *stage.each("MethodSettings")]


def _route_settings(stage: Resource) -> list[Part]:
    part = Part.of(stage)
    named = [
        Part(stage.template, inner)
        for settings in part.at("RouteSettings")
        if isinstance(settings.raw, dict)
        for inner in settings.raw.values()
    ]
    return [*part.at("DefaultRouteSettings"), *named]


@rule(
    id="EDGE-10",
    title="Stages do not log what is sent",
    why="Data trace writes whole requests and answers to the log: the texts, the names, the tokens",
    mend="Set DataTraceEnabled to false, or leave it out",
)
def stages_do_not_trace_data(template: Template) -> Iterator[Fault]:
    for resource, stage in deployed_stages(template):
        if any(is_true(value) for part in _method_settings(stage) for value in part.values("DataTraceEnabled")):
            yield Fault(resource)
    for resource in template.of_type(HTTP_STAGE):
        if any(is_true(value) for part in _route_settings(resource) for value in part.values("DataTraceEnabled")):
            yield Fault(resource)


@rule(
    id="EDGE-11",
    title="Stages log who called",
    why="Without an access log nobody can say who called, when, and what came of it",
    mend="Set AccessLogSetting (AccessLogSettings of an HTTP or WebSocket API) with DestinationArn and Format",
    controls=("APIGateway.9",),
)
def stages_log_access(template: Template) -> Iterator[Fault]:
    for resource, stage in deployed_stages(template):
        if not (stage.has("AccessLogSetting.DestinationArn") and stage.has("AccessLogSetting.Format")):
            yield Fault(resource)
    for resource in template.of_type(HTTP_STAGE):
        settings = Part.of(resource)
        if not (settings.has("AccessLogSettings.DestinationArn") and settings.has("AccessLogSettings.Format")):
            yield Fault(resource)


@rule(
    id="EDGE-12",
    title="Stages are throttled",
    why="Without a limit of its own one API can use up the whole account's, and the bill has none",
    mend='Set ThrottlingRateLimit and ThrottlingBurstLimit for "/*" and "*" (DefaultRouteSettings of an HTTP API)',
)
def stages_are_throttled(template: Template) -> Iterator[Fault]:
    for resource, stage in deployed_stages(template):
        every = [part for part in stage.each("MethodSettings") if _is_for_all(part)]
        limited = any(_limits(part) for part in [stage, *every]) or _usage_plan_limits(template, resource)
        if not limited and not _is_unseen(stage, "MethodSettings"):
            yield Fault(resource)
    for resource in template.of_type(HTTP_STAGE):
        settings = Part.of(resource).at("DefaultRouteSettings")
        if not any(_limits(part) for part in settings) and is_known(resource.value("DefaultRouteSettings")):
            yield Fault(resource)


def _is_unseen(stage: Part, name: str) -> bool:
    return not is_known(stage.value(name))


def _is_for_all(part: Part) -> bool:
    everything = (("HttpMethod", ("*",)), ("ResourcePath", ("/*", "*")))
    return all(text(value) in wanted or value is UNKNOWN for name, wanted in everything for value in part.values(name))


def _limits(part: Part) -> bool:
    for name in LIMITS:
        for value in part.values(name):
            limit = number(value)
            if value is None or (is_known(value) and (limit is None or not 0 < limit <= MOST_REQUESTS_PER_SECOND)):
                return False
    return True


def _usage_plan_limits(template: Template, stage: Resource) -> bool:
    for plan in template.of_type(USAGE_PLAN):
        names = {name for part in Part.of(plan).each("ApiStages") for name in _ids(template, part)}
        of_stage = stage.logical_id in names or ((api := api_of(stage)) is not None and api.logical_id in names)
        limit = number(plan.value("Throttle", "RateLimit"))
        if of_stage and ((limit is None and plan.has("Throttle", "RateLimit")) or (limit or 0) > 0):
            return True
    return False


def _ids(template: Template, part: Part) -> list[str]:
    return [resource.logical_id for name in ("ApiId", "Stage") for resource in template.targets(part.value(name))]


@rule(
    id="EDGE-13",
    title="Public REST APIs have a firewall in front",
    why="Without a firewall floods and known attacks reach the functions",
    mend="Add an AWS::WAFv2::WebACLAssociation of the stage with a regional web ACL",
    controls=("APIGateway.4",),
)
def public_stages_have_firewalls(template: Template) -> Iterator[Fault]:
    associations = template.of_type(ASSOCIATION)
    guarded: list[str] = []
    for association in associations:
        for arn in association.values("ResourceArn"):
            if text(arn) is None:
                return  # an association of something that is not known: it may be this stage
            guarded.append(text(arn) or "")
    for stage, _ in deployed_stages(template):
        api = api_of(stage)
        if api is not None and is_private(api):
            continue
        if not any(_names_stage(template, arn, stage, api) for arn in guarded):
            yield Fault(stage)


def _names_stage(template: Template, arn: str, stage: Resource, api: Resource | None) -> bool:
    if f"${{{stage.logical_id}" in arn:
        return True
    name = template.label(stage.properties.get("StageName"))
    api_id = f"${{{api.logical_id}" if api is not None else template.label(stage.properties.get("RestApiId"))
    return api_id in arn and arn.endswith(f"/stages/{name}")


@rule(
    id="EDGE-14",
    title="Stages write execution logs",
    why="Why a call failed before it reached a function stands nowhere but in the execution log",
    mend='Set LoggingLevel to ERROR or INFO for "/*" and "*"',
    controls=("APIGateway.1",),
    practice=True,
)
def stages_log_executions(template: Template) -> Iterator[Fault | Kept]:
    for resource, stage in deployed_stages(template):
        levels = [value for part in _method_settings(stage) for value in part.values("LoggingLevel")]
        logs = any(present(value) and value != "OFF" for value in levels)
        yield Kept(resource) if logs else Fault(resource)


@rule(
    id="EDGE-15",
    title="Execution logs are not switched off",
    why="Why a call failed before it reached a function stands nowhere but in the execution log",
    mend="Set LoggingLevel to ERROR or INFO",
    controls=("APIGateway.1",),
)
def execution_logs_are_not_off(template: Template) -> Iterator[Fault]:
    for resource, stage in deployed_stages(template):
        if any("OFF" in part.values("LoggingLevel") for part in _method_settings(stage)):
            yield Fault(resource)


@rule(
    id="EDGE-16",
    title="Stages are traced",
    why="Where the time of a slow call went stands in its trace",
    mend="Set TracingEnabled to true",
    controls=("APIGateway.3",),
    practice=True,
)
def stages_are_traced(template: Template) -> Iterator[Fault | Kept]:
    for resource, stage in deployed_stages(template):
        traced = stage.value("TracingEnabled")
        yield Kept(resource) if is_true(traced) or not is_known(traced) else Fault(resource)


@rule(
    id="EDGE-17",
    title="Tracing is not switched off",
    why="Where the time of a slow call went stands in its trace",
    mend="Set TracingEnabled to true, or leave it out",
    controls=("APIGateway.3",),
)
def tracing_is_not_off(template: Template) -> Iterator[Fault]:
    for resource, stage in deployed_stages(template):
        if any(text(value) == "false" for value in stage.values("TracingEnabled")):
            yield Fault(resource)


@rule(
    id="EDGE-18",
    title="What a stage caches is encrypted",
    why="Answers in a cache without encryption lie readable on the service's disks",
    mend="Set CacheDataEncrypted to true wherever CachingEnabled is",
    controls=("APIGateway.5",),
)
def caches_are_encrypted(template: Template) -> Iterator[Fault]:
    for resource, stage in deployed_stages(template):
        for part in _method_settings(stage):
            if is_true(part.value("CachingEnabled")) and not all(
                is_true(value) or not is_known(value) for value in part.values("CacheDataEncrypted")
            ):
                yield Fault(resource)


@rule(
    id="EDGE-19",
    title="Stages show their backends a certificate",
    why="A backend that is reached over HTTP cannot tell the API from anybody else",
    mend="Set ClientCertificateId (not needed where every integration is a function or another AWS service)",
    controls=("APIGateway.2",),
    practice=True,
)
def stages_show_certificates(template: Template) -> Iterator[Fault | Kept]:
    for stage in template.of_type(REST_STAGE):
        api = api_of(stage)
        if api is None or not _has_http_backend(template, api):
            continue
        yield Kept(stage) if stage.has("ClientCertificateId") else Fault(stage)


def _has_http_backend(template: Template, api: Resource) -> bool:
    return any(
        text(method.value("Integration", "Type")) in ("HTTP", "HTTP_PROXY")
        for method in template.referrers(api, "AWS::ApiGateway::Method")
    )
