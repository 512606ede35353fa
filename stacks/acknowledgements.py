"""What rules find and we leave as it is: the whole list, each with the place, the reason and the day of the decision.

Three kinds. `ACKNOWLEDGED` are findings of the third-party tools, each on the construct that it is about.
`OPEN_RESOURCES` are resources that end in a wildcard, each in the policies that name it. `DISPOSABLE` are rules that
the stages without worth (local, dev) break by their settings; prod keeps them. The tests in `tests/gate` fail for a
finding that is not here, and for a line here that no finding matches any more.

Our own rules (`policy/`) look for acknowledgements in the template's Metadata: `acknowledge` writes one on a resource,
`acknowledge_settings` those of a stage whose settings break a rule on purpose.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import CfnResource, Stack

from stacks.settings import StageSettings


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """One demand that is not met, under every id by which tools make it."""

    ids: tuple[str, ...]
    constructs: tuple[str, ...]
    """Where: paths below the stage, each with what is in it; empty for the app as a whole."""
    reason: str
    date: str


@dataclass(frozen=True, kw_only=True)
class OpenResource:
    """A resource that ends in a wildcard, as `AwsSolutions-IAM5` asks each to be given evidence for."""

    resource: str
    """`Lake/prefix/*` or `Artifacts/prefix/*` for objects, `service:resource` for an ARN, `*` for all."""
    within: tuple[str, ...]
    """The constructs whose policies may name it."""
    reason: str


@dataclass(frozen=True, kw_only=True)
class Disposable:
    """What the stages without worth leave out, under every id by which tools miss it there."""

    ids: tuple[str, ...]
    reason: str


def _in_three_packs(rule: str) -> tuple[str, ...]:
    return f"HIPAA.Security-{rule}", f"NIST.800.53.R5-{rule}", f"PCI.DSS.321-{rule}"


_DECIDED = "2026-11-22"

ACKNOWLEDGED = (
    Acknowledgement(
        ids=("AwsSolutions-COG4",),
        constructs=("Intake/Api/Api",),
        reason="Callers are systems, not people: they sign their requests with IAM credentials, on every route",
        date=_DECIDED,
    ),
    Acknowledgement(
        ids=(*_in_three_packs("APIGWCacheEnabledAndEncrypted"), "CKV_AWS_120"),
        constructs=("Intake/Api/Api/DeploymentStage.live",),
        reason="An answer changes when the model decides, and a forgotten feedback must not live on in a cache",
        date=_DECIDED,
    ),
    Acknowledgement(
        ids=("Serverless-LambdaEventSourceMappingDestination",),
        constructs=(
            "Intake/Routing/Mapping",
            "Alerts/Notifying/Mapping",
            "Channels/EmailReading/Mapping",
            "Channels/CallsReading/Mapping",
            "Channels/FilesReading/Mapping",
        ),
        reason="Lambda offers no failure destination for SQS; the queue has its dead letter queue instead",
        date=_DECIDED,
    ),
    Acknowledgement(
        ids=("Serverless-SQSRedrivePolicy",),
        constructs=(
            "Training/Failures/Queue",
            "Endpoint/Failures/Queue",
            "Intake/FailedEffects/Queue",
            "Intake/Queue/DeadLetters/Queue",
            "Intake/AlertQueue/DeadLetters/Queue",
            "Intake/Drop/Email/DeadLetters/Queue",
            "Intake/Drop/Calls/DeadLetters/Queue",
            "Intake/Drop/Files/DeadLetters/Queue",
            "Intake/Alerts/Inbox",
        ),
        reason="Asked of dead letter queues (and the inbox) themselves: each would need another, without end",
        date=_DECIDED,
    ),
    Acknowledgement(
        ids=_in_three_packs("S3BucketReplicationEnabled"),
        constructs=("DataLake/Lake", "Intake/Drop"),
        reason="A copy in another region is a choice of law and cost that the team makes; versions and locks are here",
        date=_DECIDED,
    ),
    Acknowledgement(
        ids=(*_in_three_packs("S3DefaultEncryptionKMS"), "CT.S3.PR.10"),
        constructs=("DataLake/Lake/AccessLogs",),
        reason="S3 delivers access logs to buckets with SSE-S3 only",
        date=_DECIDED,
    ),
    Acknowledgement(
        ids=("CT.S3.PR.2",),
        constructs=("Intake/Drop/Bucket",),
        reason="It has access logs: the rule does not see them where the bucket for them is in another stack",
        date="2026-11-23",
    ),
    Acknowledgement(
        ids=("HIPAA.Security-DynamoDBInBackupPlan", "NIST.800.53.R5-DynamoDBInBackupPlan"),
        constructs=("Intake/Originals", "Intake/Desk"),
        reason="What is forgotten must not live on in backups, and what functions remember follows from the ledger",
        date="2026-11-23",
    ),
    Acknowledgement(
        ids=("CT.S3.PR.9",),
        constructs=("DataLake/Lake/AccessLogs",),
        reason="S3 delivers no access logs to a bucket with object lock",
        date=_DECIDED,
    ),
    Acknowledgement(
        ids=_in_three_packs("VPCDefaultSecurityGroupClosed"),
        constructs=("DataLake/Network/Vpc",),
        reason="A template cannot change the group that AWS makes; nothing is in it, and nothing leads out",
        date=_DECIDED,
    ),
    Acknowledgement(
        ids=("I1022",),
        constructs=("",),
        reason="About templates written by hand: the CDK joins every text with Fn::Join",
        date=_DECIDED,
    ),
)

OPEN_RESOURCES = (
    OpenResource(
        resource="*",
        within=("Training", "Endpoint", "Intake", "Channels", "Alerts", "Watch"),
        reason="Calls that have no resource to name; tests/infra/test_permissions.py lists them",
    ),
    OpenResource(
        resource="ec2:*/*",
        within=("Training", "Endpoint", "Intake", "Channels", "Alerts", "Watch"),
        reason="Lambda makes a function's interfaces in the private network, and checks this right against every id",
    ),
    OpenResource(
        resource="logs:log-group:*",
        within=("Intake/Api/LogAccess",),
        reason="The account's one role for API Gateway's logs, which it tries against all log groups when it is set",
    ),
    OpenResource(
        resource="logs:log-group:/aws-glue/crawlers*",
        within=("DataLake/Catalog/CrawlerAccess",),
        reason="Glue puts the name of the role and of the security configuration behind it",
    ),
    OpenResource(
        resource="logs:log-group:/aws/sagemaker/ProcessingJobs*",
        within=(
            "Training/ModelPipeline/Processing",
            "Training/ModelPipeline/Clarify",
            "Training/ModelPipeline/Autopilot",
        ),
        reason="SageMaker has one log group for all jobs of a kind, and a stream for each",
    ),
    OpenResource(
        resource="logs:log-group:/aws/sagemaker/TrainingJobs*",
        within=(
            "Training/ModelPipeline/Training",
            "Training/ModelPipeline/BlazingText",
            "Training/ModelPipeline/Autopilot",
        ),
        reason="SageMaker has one log group for all jobs of a kind, and a stream for each",
    ),
    OpenResource(
        resource="logs:log-group:/aws/sagemaker/TransformJobs*",
        within=(
            "Endpoint/Rescoring/Job",
            "Training/ModelPipeline/Autopilot",
            "Training/ModelPipeline/AutopilotModel",
        ),
        reason="SageMaker has one log group for all jobs of a kind, and a stream for each",
    ),
    OpenResource(
        resource="logs:log-group:/aws/sagemaker/Endpoints*",
        within=("Endpoint/Endpoint/Serving",),
        reason="SageMaker has a log group for each endpoint, and a stream for each container",
    ),
    OpenResource(
        resource="glue:table/earshot_STAGE/*",
        within=("DataLake/Catalog/CrawlerAccess",),
        reason="The crawler names the tables that it finds, in this stage's database only",
    ),
    OpenResource(
        resource="sagemaker:processing-job/earshot-STAGE-*",
        within=("Training/ModelPipeline/Workflow", "Training/ModelPipeline/Autopilot"),
        reason="Each run names its jobs",
    ),
    OpenResource(
        resource="sagemaker:training-job/earshot-STAGE-*",
        within=("Training/ModelPipeline/Workflow", "Training/ModelPipeline/Autopilot"),
        reason="Each run names its jobs",
    ),
    OpenResource(
        resource="sagemaker:hyper-parameter-tuning-job/earshot-STAGE-*",
        within=("Training/ModelPipeline/Workflow", "Training/ModelPipeline/Autopilot"),
        reason="Each run names its jobs",
    ),
    OpenResource(
        resource="sagemaker:transform-job/earshot-STAGE-*",
        within=("Training/ModelPipeline/Workflow", "Training/ModelPipeline/Autopilot"),
        reason="Each run names its jobs",
    ),
    OpenResource(
        resource="sagemaker:model/earshot-STAGE-*",
        within=("Training/ModelPipeline/Workflow", "Training/ModelPipeline/Autopilot"),
        reason="Each run names its jobs",
    ),
    OpenResource(
        resource="sagemaker:automl-job/earshot-STAGE-*",
        within=("Training/ModelPipeline/Workflow",),
        reason="Each run names its jobs",
    ),
    OpenResource(
        resource="arn:<AWS::Partition>:ecr:<AWS::Region>:*:repository/linear-learner",
        within=("Training/ModelPipeline/Autopilot", "Training/ModelPipeline/AutopilotModel"),
        reason="AWS's image, in an account of AWS's that differs by region: Autopilot chooses it, we cannot name it",
    ),
    OpenResource(
        resource="arn:<AWS::Partition>:ecr:<AWS::Region>:*:repository/mxnet-algorithms",
        within=("Training/ModelPipeline/Autopilot", "Training/ModelPipeline/AutopilotModel"),
        reason="AWS's image, in an account of AWS's that differs by region: Autopilot chooses it, we cannot name it",
    ),
    OpenResource(
        resource="arn:<AWS::Partition>:ecr:<AWS::Region>:*:repository/sagemaker-sklearn-automl",
        within=("Training/ModelPipeline/Autopilot", "Training/ModelPipeline/AutopilotModel"),
        reason="AWS's image, in an account of AWS's that differs by region: Autopilot chooses it, we cannot name it",
    ),
    OpenResource(
        resource="arn:<AWS::Partition>:ecr:<AWS::Region>:*:repository/sagemaker-xgboost",
        within=("Training/ModelPipeline/Autopilot", "Training/ModelPipeline/AutopilotModel"),
        reason="AWS's image, in an account of AWS's that differs by region: Autopilot chooses it, we cannot name it",
    ),
    OpenResource(
        resource="sagemaker:model-package/earshot-STAGE/*",
        within=(
            "Training/ModelPipeline/Gate",
            "Training/ModelPipeline/Register",
            "Training/ModelPipeline/Workflow",
            "Endpoint/Release/Update",
        ),
        reason="Versions of the stage's one group of models",
    ),
    OpenResource(
        resource="cloudformation:stack/earshot-STAGE-endpoint/*",
        within=("Endpoint/Release/Update",),
        reason="CloudFormation ends a stack's ARN with an id of its own",
    ),
    OpenResource(
        resource="cloudwatch:alarm:*",
        within=("Endpoint/Release/Update",),
        reason="Alarms are looked for by name, and the call names no single one",
    ),
    OpenResource(
        resource="Ledger/stream/*",
        within=("Intake/Archive", "Alerts/Alerts", "Alerts/Respond", "Watch/Trends"),
        reason="DynamoDB ends a stream's ARN with the moment it was made",
    ),
    OpenResource(
        resource="Ledger/backup/*",
        within=("Intake/Backup",),
        reason="DynamoDB ends a backup's ARN with the moment it was made",
    ),
    OpenResource(
        resource="Drop/email/*",
        within=("Channels/Email",),
        reason="Mails, under names that SES gives them",
    ),
    OpenResource(
        resource="Drop/calls/*",
        within=("Channels/Calls",),
        reason="Recordings, under names that the telephone system gives them",
    ),
    OpenResource(
        resource="Drop/calls/transcripts/*",
        within=("Channels/Calls",),
        reason="One transcript for each recording",
    ),
    OpenResource(
        resource="Drop/files/*",
        within=("Channels/Files",),
        reason="Files, under names that whoever drops them gives them",
    ),
    OpenResource(
        resource="Drop/results/files/*",
        within=("Channels/Files",),
        reason="One result for each file",
    ),
    OpenResource(
        resource="transcribe:transcription-job/earshot-*",
        within=("Channels/Calls",),
        reason="One job for each recording",
    ),
    OpenResource(
        resource="secretsmanager:secret:earshot/STAGE/webhooks/*",
        within=("Intake/Webhooks",),
        reason="One secret for each source, as the operator names them; Secrets Manager ends each ARN with letters",
    ),
    OpenResource(
        resource="secretsmanager:secret:earshot/STAGE/alerts/*",
        within=("Alerts/Notify",),
        reason="One secret for each destination, as the operator names it; Secrets Manager ends each ARN with letters",
    ),
    OpenResource(
        resource="Lake/raw/corrections/*",
        within=("Intake/Archive",),
        reason="One folder for each day",
    ),
    OpenResource(
        resource="Lake/reports/cases/*",
        within=("Alerts/ResponseExample",),
        reason="One object for each case",
    ),
    OpenResource(
        resource="Lake/raw/*",
        within=("DataLake/Catalog/CrawlerAccess", "Training/ModelPipeline/Processing"),
        reason="The reviews that the team brings, under names of its own",
    ),
    OpenResource(
        resource="Lake/curated/features/*",
        within=(
            "Training/ModelPipeline/Processing",
            "Training/ModelPipeline/Training",
            "Training/ModelPipeline/BlazingText",
            "Training/ModelPipeline/Autopilot",
            "Training/ModelPipeline/AutopilotModel",
            "Training/ModelPipeline/Clarify",
        ),
        reason="One folder for each run",
    ),
    OpenResource(
        resource="Lake/curated/candidates/*",
        within=("Training/ModelPipeline/Processing",),
        reason="One folder for each run",
    ),
    OpenResource(
        resource="Lake/reports/*",
        within=(
            "Training/ModelPipeline/Processing",
            "Training/ModelPipeline/Clarify",
            "Training/ModelPipeline/Gate",
            "Training/ModelPipeline/Register",
            "Endpoint/Release/Update",
        ),
        reason="One folder for each run",
    ),
    OpenResource(
        resource="Lake/capture/*",
        within=("Endpoint/Endpoint/Serving",),
        reason="SageMaker names what it captures by variant and hour",
    ),
    OpenResource(
        resource="Lake/feedback/*",
        within=("Intake/Archive", "Endpoint/Canary/Compare"),
        reason="One folder for each day",
    ),
    OpenResource(
        resource="Lake/rescore/*/input/*",
        within=("Endpoint/Rescoring/Job",),
        reason="One folder for each job",
    ),
    OpenResource(
        resource="Lake/rescore/*/output/*",
        within=("Endpoint/Rescoring/Job",),
        reason="One folder for each job",
    ),
    OpenResource(
        resource="Artifacts/training/*",
        within=(
            "Training/ModelPipeline/Processing",
            "Training/ModelPipeline/Training",
            "Training/ModelPipeline/BlazingText",
        ),
        reason="One folder for each run",
    ),
    OpenResource(
        resource="Artifacts/checkpoints/*",
        within=("Training/ModelPipeline/Training",),
        reason="One folder for each run",
    ),
    OpenResource(
        resource="Artifacts/autopilot/*",
        within=(
            "Training/ModelPipeline/Processing",
            "Training/ModelPipeline/Autopilot",
            "Training/ModelPipeline/AutopilotModel",
        ),
        reason="Autopilot names what it leaves by its job",
    ),
    OpenResource(
        resource="Artifacts/models/*",
        within=(
            "Training/ModelPipeline/Processing",
            "Training/ModelPipeline/Gate",
            "Endpoint/Endpoint/Serving",
            "Endpoint/Canary/Compare",
            "Endpoint/Release/Update",
            "Endpoint/Rescoring/Job",
        ),
        reason="One folder for each run",
    ),
    OpenResource(
        resource="Artifacts/bases/*",
        within=("Training/ModelPipeline/Training",),
        reason="Base models that the team brings, under names of its own",
    ),
)

DISPOSABLE = (
    Disposable(
        ids=(*_in_three_packs("LambdaInsideVPC"), "CT.LAMBDA.PR.3", "CKV_AWS_117"),
        reason="A private network costs by the hour",
    ),
    Disposable(
        ids=("HIPAA.Security-LambdaConcurrency", "NIST.800.53.R5-LambdaConcurrency", "CKV_AWS_115"),
        reason="A new account has no concurrency to reserve",
    ),
    Disposable(
        ids=("HIPAA.Security-DynamoDBInBackupPlan", "NIST.800.53.R5-DynamoDBInBackupPlan"),
        reason="Nothing in the ledger is worth a backup",
    ),
    Disposable(ids=("CT.CLOUDWATCH.PR.2",), reason="Logs are kept for days, not for a year"),
    Disposable(
        ids=("AwsSolutions-SQS3", "CT.SQS.PR.1"),
        reason="The inbox keeps every alert for a person or a test to read; nothing works it off",
    ),
    Disposable(
        ids=("CKV_AWS_116", "W3005"),
        reason="Of the CDK's own function that empties the buckets when the stack goes",
    ),
)


def acknowledge(resource: CfnResource, *, rule: str, reason: str) -> None:
    """Leave one finding of our own rules on one resource as it is."""
    _add(resource.get_metadata("earshot"), rule, reason, lambda metadata: resource.add_metadata("earshot", metadata))


def acknowledge_settings(
    settings: StageSettings,
    *,
    data_lake: Stack,
    training: Stack,
    endpoint: Stack,
    intake: Stack,
    later: Sequence[Stack],
) -> None:
    """Leave as it is what a stage's settings bring, on every resource of a stack that the rule is about."""
    deleted = "The stage is disposable: what it holds goes with it"
    if settings.disposable:
        for stack in (data_lake, training, endpoint, intake, *later):
            _acknowledge_for_stack(stack, rule="DATA-01", reason=deleted)
        _acknowledge_emptying(intake)
    if not settings.intake.protect_ledger:
        _acknowledge_for_stack(intake, rule="DATA-21", reason=deleted)
    if settings.intake.alert_inbox:
        reason = "The inbox keeps every alert for a person or a test to read; nothing works it off"
        _acknowledge_for_stack(intake, rule="DELIVERY-03", reason=reason)
    if not settings.data_lake.encrypt_account_catalog:
        reason = "The catalog's encryption is a setting of the whole account, which another stage may have made"
        _acknowledge_for_stack(data_lake, rule="DATA-50", reason=reason)
    capacity = settings.endpoint
    if capacity.minimum_instances < 2:
        reason = "One instance is enough where nobody waits for an answer"
        _acknowledge_for_stack(endpoint, rule="ML-20", reason=reason)
    if capacity.minimum_instances < 2 or capacity.minimum_instances == capacity.maximum_instances:
        reason = "There is no load to grow with"
        _acknowledge_for_stack(endpoint, rule="ML-41", reason=reason)
    if capacity.canary_wait_seconds < 60:
        reason = "On one machine alarms are judged every second, and a release is to end while one watches"
        _acknowledge_for_stack(endpoint, rule="ML-31", reason=reason)
    if not capacity.termination_wait_seconds:
        reason = "On one machine both fleets share its memory"
        _acknowledge_for_stack(endpoint, rule="ML-32", reason=reason)


def _acknowledge_emptying(stack: Stack) -> None:
    """The CDK makes this function without a log group, a key or traces; it runs when the stack is deleted."""
    provider = stack.node.try_find_child("Custom::S3AutoDeleteObjectsCustomResourceProvider")
    function = provider.node.find_child("Handler") if provider else None
    if isinstance(function, CfnResource):
        for rule in ("OPS-04", "OPS-23", "OPS-42", "OPS-47", "OPS-55"):
            acknowledge(function, rule=rule, reason="Of the CDK's own function that empties a bucket with its stack")


def _acknowledge_for_stack(stack: Stack, *, rule: str, reason: str) -> None:
    metadata = dict(stack.template_options.metadata or {})
    _add(metadata.get("earshot"), rule, reason, lambda earshot: metadata.update(earshot=earshot))
    stack.template_options.metadata = metadata


def _add(
    present: Mapping[str, Sequence[object]] | None, rule: str, reason: str, write: Callable[[dict[str, object]], None]
) -> None:
    before = (present or {}).get("acknowledge", ())
    write({"acknowledge": [*before, {"rule": rule, "reason": reason, "date": _DECIDED}]})
