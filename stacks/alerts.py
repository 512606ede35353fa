"""The Alerts stack: who hears of a decision, delivery to them, and what happens by itself.

Composes. The topic, the queue of alerts, the policy and the bus are in the Intake stack, where people and programs
find them; here is what works with them.
"""

from collections.abc import Mapping

from aws_cdk import Duration, Stack
from constructs import Construct

from feedback.ledger import State
from feedback.sentiment import Sentiment
from stacks.assets import Assets
from stacks.constructs.alert_places import NOTIFY_TIMEOUT
from stacks.constructs.functions import Functions
from stacks.constructs.inference_endpoint import InferenceEndpoint
from stacks.constructs.lake import CASES, Lake
from stacks.constructs.operations import Operations
from stacks.constructs.operator_secrets import OperatorSecrets
from stacks.constructs.private_network import PrivateNetwork
from stacks.constructs.queue_consumer import QueueConsumer
from stacks.constructs.schedule import Schedule
from stacks.constructs.stream_consumer import SHARDS, StreamConsumer, decided, statements_of_consumer
from stacks.intake import Intake
from stacks.settings import PlatformSettings

_DESK = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem")
_DELIVERING = 5
_NEGATIVE = {"N": [str(int(Sentiment.NEGATIVE))]}
# Whether something is there can only be asked of a leaf.
_NOT_TOLD = {"alert": {"M": {"state": {"S": [{"exists": False}]}}}}


class Alerts(Stack):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stack_name: str,
        stage: str,
        platform: PlatformSettings,
        disposable: bool,
        network: PrivateNetwork | None,
        assets: Assets,
        lake: Lake,
        endpoint: InferenceEndpoint,
        intake: Intake,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_, stack_name=stack_name, description="Earshot: alerts and automatic responses")
        self._intake = intake
        self._functions = Functions.of_stack(
            self,
            bundle=assets.lambda_bundle,
            platform=platform,
            disposable=disposable,
            failures=intake.failures,
            network=network,
            position=5,
            operations=operations,
        )
        self._add_alerts(operations)
        self._add_notify(stage, endpoint)
        self._add_duty()
        self._add_responses(lake, operations)

    def _add_alerts(self, operations: Operations) -> None:
        ledger, failures = self._intake.stores.acceptance.ledger, self._intake.failures
        alerts = self._functions.add(
            "Alerts",
            description="Decides who hears of a negative feedback, once",
            environment=self._deciding(),
            statements=[
                *ledger.allowing("dynamodb:GetItem", "dynamodb:UpdateItem"),
                *self._intake.stores.desk.allowing("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
                *self._intake.alerts.queue.sending(),
                self._intake.alerts.policy.reading(),
                *statements_of_consumer(ledger, failures),
            ],
            timeout=Duration.seconds(60),
            memory_mib=256,
            concurrency=SHARDS,
        )
        StreamConsumer(
            self,
            "Alerting",
            ledger=ledger,
            function=alerts,
            failures=failures,
            patterns=_negative(**_NOT_TOLD),
            batch_size=10,
            operations=operations,
        )

    def _add_notify(self, stage: str, endpoint: InferenceEndpoint) -> None:
        intake, secrets = self._intake, OperatorSecrets(f"earshot/{stage}/alerts/")
        notify = self._functions.add(
            "Notify",
            description="Delivers alerts, each to each destination once",
            environment={
                "LEDGER_TABLE": intake.stores.acceptance.ledger.table_name,
                "DESK_TABLE": intake.stores.desk.table_name,
                "ALERT_TOPIC_ARN": intake.alerts.channel.topic_arn,
                "ENDPOINT_NAME": endpoint.name,
                "FEEDBACK_URL": intake.feedback_url,
                "ALERT_POLICY_PARAMETER": intake.alerts.policy.name,
                "WEBHOOK_SECRET_PREFIX": secrets.prefix,
                "ALERT_QUEUE_URL": intake.alerts.queue.queue.queue_url,
            },
            statements=[
                *intake.stores.acceptance.ledger.allowing(
                    "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem"
                ),
                *intake.stores.desk.allowing(*_DESK),
                *intake.alerts.channel.publishing(),
                *intake.alerts.queue.consuming(),
                endpoint.invoking(),
                secrets.reading(),
                intake.alerts.policy.reading(),
            ],
            timeout=NOTIFY_TIMEOUT,
            memory_mib=256,
            concurrency=_DELIVERING,
        )
        QueueConsumer(
            self,
            "Notifying",
            queue=intake.alerts.queue,
            function=notify,
            batch_size=5,
            maximum_concurrency=_DELIVERING,
        )

    def _add_duty(self) -> None:
        intake = self._intake
        duty = self._functions.add(
            "Duty",
            description="Sends what was held back, and asks again where nobody took an alert on",
            environment=self._deciding(),
            statements=[
                *intake.stores.acceptance.ledger.allowing("dynamodb:GetItem", "dynamodb:UpdateItem"),
                *intake.stores.desk.allowing("dynamodb:DeleteItem", *_DESK),
                *intake.alerts.queue.sending(),
                intake.alerts.policy.reading(),
            ],
            timeout=Duration.seconds(55),
            memory_mib=256,
            concurrency=1,
        )
        Schedule(
            self, "EachMinute", what="What is due by now", minutes=1, function=duty, failures=self._intake.failures
        )

    def _add_responses(self, lake: Lake, operations: Operations) -> None:
        intake, ledger = self._intake, self._intake.stores.acceptance.ledger
        respond = self._functions.add(
            "Respond",
            description="Puts the automatic response to a negative feedback on the bus, once",
            environment={
                "LEDGER_TABLE": ledger.table_name,
                "DESK_TABLE": intake.stores.desk.table_name,
                "RESPONSE_BUS": intake.alerts.responses.name,
                "ALERT_POLICY_PARAMETER": intake.alerts.policy.name,
            },
            statements=[
                *ledger.allowing("dynamodb:UpdateItem"),
                *intake.stores.desk.allowing(*_DESK),
                intake.alerts.responses.putting(),
                intake.alerts.policy.reading(),
                *statements_of_consumer(ledger, intake.failures),
            ],
            timeout=Duration.seconds(60),
            memory_mib=256,
            concurrency=SHARDS,
        )
        StreamConsumer(
            self,
            "Responding",
            ledger=ledger,
            function=respond,
            failures=intake.failures,
            patterns=_negative(),
            batch_size=10,
            operations=operations,
        )
        example = self._functions.add(
            "ResponseExample",
            package="response_example",
            description="Opens a case for an automatic response: an object in the lake",
            environment={"LAKE_BUCKET": lake.data.name},
            statements=lake.data.writing(CASES),
            timeout=Duration.seconds(30),
            memory_mib=256,
            concurrency=_DELIVERING,
        )
        intake.alerts.responses.answer(self, "Case", what="An example: opens a case", function=example)

    def _deciding(self) -> Mapping[str, str]:
        intake = self._intake
        return {
            "LEDGER_TABLE": intake.stores.acceptance.ledger.table_name,
            "DESK_TABLE": intake.stores.desk.table_name,
            "ALERT_QUEUE_URL": intake.alerts.queue.queue.queue_url,
            "ALERT_POLICY_PARAMETER": intake.alerts.policy.name,
        }


def _negative(**also: object) -> list[dict[str, object]]:
    """Decisions that are negative: the model's, or a person's over it."""
    return [
        decided(state={"S": [State.CLASSIFIED.value]}, sentiment=_NEGATIVE, **also),
        decided(state={"S": [State.CORRECTED.value]}, correction={"M": {"sentiment": _NEGATIVE}}, **also),
    ]
