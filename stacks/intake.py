"""The Intake stack: API, ledger, queue, and what follows from a decision.

Composes; the constructs know how. Nothing comes after it.
"""

from collections.abc import Iterable

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from constructs import Construct

from feedback.ledger import State
from feedback.sentiment import Sentiment
from lambdas.telemetry import NAMESPACE
from stacks.assets import Assets
from stacks.constructs.alert_channel import AlertChannel
from stacks.constructs.backup import DailyBackup
from stacks.constructs.data_key import DataKey
from stacks.constructs.feedback_api import FeedbackApi
from stacks.constructs.handler_function import HandlerFunction
from stacks.constructs.inference_endpoint import InferenceEndpoint
from stacks.constructs.lake import FEEDBACK, Lake
from stacks.constructs.ledger import Ledger
from stacks.constructs.operations import Operations
from stacks.constructs.private_network import NetworkSegment, PrivateNetwork
from stacks.constructs.queue_consumer import QueueConsumer
from stacks.constructs.role import Statement
from stacks.constructs.stream_consumer import StreamConsumer, statements_of_consumer
from stacks.constructs.web_acl import WebAcl
from stacks.constructs.work_queue import DeadLetters, WorkQueue
from stacks.settings import IntakeSettings, PlatformSettings

ROUTER_TIMEOUT = Duration.seconds(60)
# The ledger's stream calls a function once for each of its shards at a time.
_SHARDS = 20
# A slow first call now and then is healthy. Where less comes in, the age of the oldest message tells.
_DEFERRED_PER_MINUTE = 10


class Intake(Stack):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stack_name: str,
        name: str,
        settings: IntakeSettings,
        platform: PlatformSettings,
        disposable: bool,
        network: PrivateNetwork | None,
        assets: Assets,
        lake: Lake,
        endpoint: InferenceEndpoint,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_, stack_name=stack_name, description="Earshot: feedback API, ledger and alerts")
        self._assets = assets
        self._platform = platform
        self._network = NetworkSegment(self, "Network", network=network, position=3) if network else None
        self._operations = operations
        self._key = key = DataKey(
            self,
            "Key",
            encrypts="the queues, alerts and logs",
            removal_policy=RemovalPolicy.DESTROY if disposable else RemovalPolicy.RETAIN,
        )
        self._failures = failures = DeadLetters(
            self, "FailedEffects", what="Effects of a decision (alerts, lake rows)", key=key, operations=operations
        )

        ledger = Ledger(
            self,
            "Ledger",
            key=lake.key,
            keep=settings.keep_ledger,
            protected=settings.protect_ledger,
            operations=operations,
        )
        if settings.backup_days:
            DailyBackup(
                self,
                "Backup",
                name=f"{name}-ledger",
                table_arn=ledger.table_arn,
                days=settings.backup_days,
                key=lake.key,
            )
        queue = WorkQueue(
            self,
            "Queue",
            what="Feedback to classify",
            worker_timeout=ROUTER_TIMEOUT,
            oldest_message_alarm=Duration.seconds(settings.oldest_message_alarm_seconds),
            key=key,
            operations=operations,
        )
        channel = AlertChannel(
            self,
            "Alerts",
            key=key,
            emails=settings.alert_emails,
            inbox=settings.alert_inbox,
            failures=failures,
            operations=operations,
        )

        intake = self._function(
            "Intake",
            description="Accepts feedback once and answers with its sentiment when the model is quick enough",
            environment={
                "LEDGER_TABLE": ledger.table_name,
                "QUEUE_URL": queue.queue.queue_url,
                "ENDPOINT_NAME": endpoint.name,
                "CLASSIFY_BUDGET_SECONDS": str(settings.classify_budget_seconds),
            },
            statements=[
                *ledger.allowing("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
                *queue.sending(),
                endpoint.invoking(),
            ],
            timeout=Duration.seconds(28),
            memory_mib=512,
            concurrency=settings.request_burst,
        )
        api = FeedbackApi(
            self,
            "Api",
            name=name,
            handler=intake,
            requests_per_second=settings.requests_per_second,
            request_burst=settings.request_burst,
            key=key,
            log_days=platform.log_days,
            keep_log_role=settings.keep_api_log_role,
            operations=operations,
        )
        WebAcl(
            self,
            "Firewall",
            name=name,
            protects=api.stage_arn,
            requests_per_address_per_five_minutes=settings.requests_per_address_per_five_minutes,
            key=key,
            log_days=platform.log_days,
        )

        operations.alarm(
            self,
            "ModelAway",
            description="The model did not answer intake, and feedback waits for the router",
            namespace=NAMESPACE,
            metric_name="Deferred",
            dimensions={"FunctionName": intake.function.function_name},
            statistic="Sum",
            threshold=_DEFERRED_PER_MINUTE,
            period=Duration.minutes(1),
            evaluation_periods=3,
            datapoints_to_alarm=2,
        )

        router = self._function(
            "Router",
            description="Classifies what intake could not, in batches",
            environment={"LEDGER_TABLE": ledger.table_name, "ENDPOINT_NAME": endpoint.name},
            statements=[
                *ledger.allowing("dynamodb:BatchGetItem", "dynamodb:UpdateItem"),
                *queue.consuming(),
                endpoint.invoking(),
            ],
            timeout=ROUTER_TIMEOUT,
            memory_mib=512,
            concurrency=settings.router_concurrency,
        )
        QueueConsumer(
            self,
            "Routing",
            queue=queue,
            function=router,
            batch_size=10,
            maximum_concurrency=settings.router_concurrency,
        )

        alerts = self._function(
            "Alert",
            package="alerts",
            description="Tells the team of a negative feedback, once",
            environment={
                "LEDGER_TABLE": ledger.table_name,
                "ALERT_TOPIC_ARN": channel.topic_arn,
                "ALERT_THRESHOLD": str(settings.alert_threshold),
                "FEEDBACK_URL": api.feedback_url(),
            },
            statements=[
                *ledger.allowing("dynamodb:GetItem", "dynamodb:UpdateItem"),
                *statements_of_consumer(ledger, failures),
                *channel.publishing(),
            ],
            timeout=Duration.seconds(30),
            memory_mib=256,
            concurrency=_SHARDS,
        )
        StreamConsumer(
            self,
            "Alerting",
            ledger=ledger,
            function=alerts,
            failures=failures,
            pattern=_decided({"sentiment": {"N": [str(int(Sentiment.NEGATIVE))]}}),
            batch_size=10,
            operations=operations,
        )
        archive = self._function(
            "Archive",
            description="Writes decided feedback into the lake",
            environment={"LAKE_BUCKET": lake.data.name},
            statements=[*lake.data.writing(FEEDBACK), *statements_of_consumer(ledger, failures)],
            timeout=Duration.seconds(60),
            memory_mib=256,
            concurrency=_SHARDS,
        )
        StreamConsumer(
            self,
            "Archiving",
            ledger=ledger,
            function=archive,
            failures=failures,
            pattern=_decided({}),
            batch_size=500,
            operations=operations,
            batching_window_seconds=settings.archive_window_seconds,
        )

        CfnOutput(self, "ApiUrl", value=api.url)
        CfnOutput(self, "ApiId", value=api.id)
        CfnOutput(self, "ApiStage", value=api.stage_name)
        CfnOutput(self, "LedgerOutput", value=ledger.table_name).override_logical_id("Ledger")
        CfnOutput(self, "QueueOutput", value=queue.queue.queue_url).override_logical_id("Queue")
        CfnOutput(self, "DeadLetterQueue", value=queue.dead_letters.queue.queue_url)
        CfnOutput(self, "AlertTopic", value=channel.topic_arn)
        if channel.inbox:
            CfnOutput(self, "AlertInbox", value=channel.inbox.queue_url)

    def _function(
        self,
        id_: str,
        *,
        description: str,
        environment: dict[str, str],
        statements: Iterable[Statement],
        timeout: Duration,
        memory_mib: int,
        concurrency: int,
        package: str | None = None,
    ) -> HandlerFunction:
        return HandlerFunction(
            self,
            id_,
            package=package or id_.lower(),
            description=description,
            bundle=self._assets.lambda_bundle,
            environment=environment,
            statements=statements,
            timeout=timeout,
            memory_mib=memory_mib,
            key=self._key,
            log_days=self._platform.log_days,
            operations=self._operations,
            failures=self._failures,
            network=self._network,
            concurrency=concurrency if self._platform.reserve_concurrency else None,
        )


def _decided(also: dict[str, object]) -> dict[str, object]:
    """Stream records of items that have their decision."""
    image = {"state": {"S": [state.value for state in State if state.is_decided]}, **also}
    return {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"NewImage": image}}
