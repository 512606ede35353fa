"""The Intake stack: API, ledger, queue, and what follows from a decision.

Composes; the constructs know how. Nothing comes after it.
"""

from collections.abc import Iterable

from aws_cdk import CfnOutput, Duration, Stack
from constructs import Construct

from feedback.ledger import State
from feedback.sentiment import Sentiment
from stacks.assets import Assets
from stacks.constructs.alert_channel import AlertChannel
from stacks.constructs.feedback_api import FeedbackApi
from stacks.constructs.handler_function import HandlerFunction
from stacks.constructs.inference_endpoint import InferenceEndpoint
from stacks.constructs.lake import FEEDBACK, Lake
from stacks.constructs.ledger import Ledger
from stacks.constructs.operations import Operations
from stacks.constructs.queue_consumer import QueueConsumer
from stacks.constructs.role import Statement
from stacks.constructs.stream_consumer import StreamConsumer, statements_of_consumer
from stacks.constructs.web_acl import WebAcl
from stacks.constructs.work_queue import DeadLetters, WorkQueue
from stacks.settings import IntakeSettings

ROUTER_TIMEOUT = Duration.seconds(60)


class Intake(Stack):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stack_name: str,
        name: str,
        settings: IntakeSettings,
        log_days: int,
        assets: Assets,
        lake: Lake,
        endpoint: InferenceEndpoint,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_, stack_name=stack_name, description="Earshot: feedback API, ledger and alerts")
        self._assets = assets
        self._lake = lake
        self._operations = operations
        self._log_days = log_days

        ledger = Ledger(self, "Ledger", key=lake.key, keep=settings.keep_ledger, protected=settings.protect_ledger)
        queue = WorkQueue(
            self,
            "Queue",
            what="Feedback to classify",
            worker_timeout=ROUTER_TIMEOUT,
            oldest_message_alarm=Duration.seconds(settings.oldest_message_alarm_seconds),
            key=lake.key,
            operations=operations,
        )
        channel = AlertChannel(self, "Alerts", key=lake.key, emails=settings.alert_emails, inbox=settings.alert_inbox)

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
        )
        api = FeedbackApi(
            self,
            "Api",
            name=name,
            handler=intake,
            requests_per_second=settings.requests_per_second,
            request_burst=settings.request_burst,
            key=lake.key,
            log_days=log_days,
            keep_log_role=settings.keep_api_log_role,
            operations=operations,
        )
        WebAcl(
            self,
            "Firewall",
            protects=api.stage_arn,
            requests_per_address_per_five_minutes=settings.requests_per_address_per_five_minutes,
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
        )
        QueueConsumer(
            self,
            "Routing",
            queue=queue,
            function=router,
            batch_size=10,
            maximum_concurrency=settings.router_concurrency,
        )

        failures = DeadLetters(
            self, "FailedEffects", what="Effects of a decision (alerts, lake rows)", key=lake.key, operations=operations
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
        )
        StreamConsumer(
            self,
            "Alerting",
            ledger=ledger,
            function=alerts,
            failures=failures,
            pattern=_decided({"sentiment": {"N": [str(int(Sentiment.NEGATIVE))]}}),
            batch_size=10,
        )
        archive = self._function(
            "Archive",
            description="Writes decided feedback into the lake",
            environment={"LAKE_BUCKET": lake.data.name},
            statements=[*lake.data.writing(FEEDBACK), *statements_of_consumer(ledger, failures)],
            timeout=Duration.seconds(60),
            memory_mib=256,
        )
        StreamConsumer(
            self,
            "Archiving",
            ledger=ledger,
            function=archive,
            failures=failures,
            pattern=_decided({}),
            batch_size=500,
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
            key=self._lake.key,
            log_days=self._log_days,
            operations=self._operations,
        )


def _decided(also: dict[str, object]) -> dict[str, object]:
    """Stream records of items that have their decision."""
    image = {"state": {"S": [state.value for state in State if state.is_decided]}, **also}
    return {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"NewImage": image}}
