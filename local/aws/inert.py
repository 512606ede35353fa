"""What a template may ask for and the local AWS takes without doing it: one list, printed, never silent.

Knows types and properties by name only; the rest of the adapter does not depend on it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Properties = dict[str, Any]


def _always(_: Properties) -> bool:
    return True


def _has(name: str) -> Callable[[Properties], bool]:
    return lambda properties: bool(properties.get(name))


@dataclass(frozen=True, kw_only=True)
class Inert:
    """One thing that is kept and described, but has no effect."""

    resource: str
    effect: str
    asked: Callable[[Properties], bool] = _always


INERT = (
    Inert(resource="AWS::WAFv2::WebACL", effect="rules are kept; no request is ever blocked or counted"),
    Inert(resource="AWS::WAFv2::WebACLAssociation", effect="kept; API Gateway does not ask the web ACL"),
    Inert(resource="AWS::WAFv2::LoggingConfiguration", effect="a name only; there is nothing to log"),
    Inert(resource="AWS::ApiGateway::ClientCertificate", effect="a name only; nothing is called over HTTP"),
    Inert(resource="AWS::Glue::SecurityConfiguration", effect="kept; the crawler's log is not encrypted"),
    Inert(resource="AWS::Budgets::Budget", effect="kept; there is no spend, so no notification is sent"),
    Inert(resource="AWS::CE::AnomalyMonitor", effect="kept; there is no spend to watch"),
    Inert(resource="AWS::CE::AnomalySubscription", effect="kept; no notification is sent"),
    Inert(resource="AWS::SES::ReceiptRuleSet", effect="kept; no mail is received"),
    Inert(resource="AWS::SES::ReceiptRule", effect="kept; no mail is received"),
    Inert(resource="AWS::CloudWatch::AnomalyDetector", effect="kept; no band is computed"),
    Inert(
        resource="AWS::CloudWatch::Alarm",
        effect="of AWS's own namespaces only AWS/Lambda and AWS/SageMaker have data here; alarms on others see none",
        asked=lambda properties: (
            str(properties.get("Namespace", "")).lower().startswith(("aws/", "/aws/"))
            and properties["Namespace"] not in ("AWS/Lambda", "AWS/SageMaker")
        ),
    ),
    Inert(resource="AWS::KMS::Key", effect="encrypts and decrypts what is given to it; data at rest stays readable"),
    Inert(
        resource="AWS::S3::Bucket",
        effect="access logs are not written",
        asked=_has("LoggingConfiguration"),
    ),
    Inert(
        resource="AWS::S3::Bucket",
        effect="lifecycle rules are kept and described; nothing expires or moves",
        asked=_has("LifecycleConfiguration"),
    ),
    Inert(
        resource="AWS::S3::Bucket",
        effect="intelligent tiering and inventory are ignored",
        asked=lambda properties: bool(
            properties.get("IntelligentTieringConfigurations") or properties.get("InventoryConfigurations")
        ),
    ),
    Inert(
        resource="AWS::S3::BucketPolicy",
        effect="holds for roles, not for an administrator's keys; what comes from this machine counts as encrypted",
    ),
    Inert(
        resource="AWS::IAM::Role",
        effect="with --iam, functions, workflows, event rules and jobs are held to their roles; else nothing is denied",
    ),
    Inert(
        resource="AWS::IAM::Role",
        effect="roles of API Gateway, Backup, Glue, flow logs, transform jobs and hosted models are not asked",
    ),
    Inert(
        resource="AWS::IAM::Role",
        effect="no role is asked for KMS on data at rest, logs and traces of functions and workflows, dead letters, "
        "network interfaces and images; iam:PassRole only of a workflow's tasks",
    ),
    Inert(
        resource="AWS::IAM::Role",
        effect="a condition on a key that the local AWS does not know never holds, so what depends on it is denied",
    ),
    Inert(
        resource="AWS::Lambda::Function",
        effect="memory size, architecture and X-Ray tracing have no effect; the interpreter is the local AWS's own",
    ),
    Inert(
        resource="AWS::Lambda::Function",
        effect="its setting for loops is kept; a loop is never ended",
        asked=_has("RecursiveLoop"),
    ),
    Inert(
        resource="AWS::Events::EventBus",
        effect="its key, policy and dead letters are not kept",
        asked=lambda properties: any(
            properties.get(name) for name in ("DeadLetterConfig", "KmsKeyIdentifier", "Policy")
        ),
    ),
    Inert(
        resource="AWS::StepFunctions::StateMachine",
        effect="executions are not traced",
        asked=_has("TracingConfiguration"),
    ),
    Inert(
        resource="AWS::ApplicationAutoScaling::ScalingPolicy",
        effect="kept; only target tracking of SageMakerVariantInvocationsPerInstance changes an instance count",
        asked=lambda properties: "SageMakerVariantInvocationsPerInstance" not in str(properties),
    ),
    Inert(
        resource="AWS::SageMaker::EndpointConfig",
        effect="instance types are kept; one chain of processes stands for all instances of a variant",
    ),
    Inert(
        resource="AWS::SageMaker::Model",
        effect="network isolation and VPC settings are kept; containers share this machine's network",
        asked=lambda properties: bool(properties.get("EnableNetworkIsolation") or properties.get("VpcConfig")),
    ),
    Inert(
        resource="AWS::SageMaker::MonitoringSchedule",
        effect="kept; executions start only when asked for",
    ),
    Inert(
        resource="AWS::Athena::WorkGroup",
        effect="the scan limit and the encryption of results are kept, not enforced",
    ),
    Inert(
        resource="AWS::ApiGateway::Account",
        effect="access logs of API Gateway are not written",
    ),
)

_reported: set[Inert] = set()


def lines() -> list[str]:
    """The whole list, one line each."""
    return [f"{entry.resource}: {entry.effect}" for entry in INERT]


def report(resource_type: str, logical_id: str, properties: Properties) -> None:
    """Print a line where a template uses something inert, once for each entry: an app has dozens of roles."""
    for entry in INERT:
        if entry.resource == resource_type and entry.asked(properties) and entry not in _reported:
            _reported.add(entry)
            print(f"local AWS: a template uses what is inert here: {logical_id} ({resource_type}): {entry.effect}")
