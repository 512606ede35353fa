"""The Watch stack: counters of what is said about each product, and the word when one goes wrong.

Composes. Knows which decisions are counted. Does not know what makes a spike.
"""

from aws_cdk import Duration, Stack
from constructs import Construct

from feedback.ledger import State
from stacks.assets import Assets
from stacks.constructs.functions import Functions
from stacks.constructs.operations import Operations
from stacks.constructs.private_network import PrivateNetwork
from stacks.constructs.schedule import Schedule
from stacks.constructs.stream_consumer import SHARDS, StreamConsumer, decided, statements_of_consumer
from stacks.intake import Intake
from stacks.settings import IntakeSettings, PlatformSettings

_SPIKES_MINUTES = 15
# Whether something is there can only be asked of a leaf.
_NOT_COUNTED = {"counted": {"M": {"label": {"S": [{"exists": False}]}}}}


class Watch(Stack):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stack_name: str,
        settings: IntakeSettings,
        platform: PlatformSettings,
        disposable: bool,
        network: PrivateNetwork | None,
        assets: Assets,
        intake: Intake,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_, stack_name=stack_name, description="Earshot: trends and spikes")
        self._intake = intake
        self._functions = Functions.of_stack(
            self,
            bundle=assets.lambda_bundle,
            platform=platform,
            disposable=disposable,
            failures=intake.failures,
            network=network,
            position=6,
            operations=operations,
        )
        self._add_trends(operations, window_seconds=settings.counting_window_seconds)
        self._add_spikes()

    def _add_trends(self, operations: Operations, *, window_seconds: int) -> None:
        intake, ledger = self._intake, self._intake.stores.acceptance.ledger
        trends = self._functions.add(
            "Trends",
            description="Counts each decision once, by day and product, and fills the review queue",
            environment={"LEDGER_TABLE": ledger.table_name, "DESK_TABLE": intake.stores.desk.table_name},
            statements=[
                *ledger.allowing("dynamodb:BatchGetItem", "dynamodb:UpdateItem"),
                *intake.stores.desk.allowing("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
                *statements_of_consumer(ledger, intake.failures),
            ],
            timeout=Duration.seconds(60),
            memory_mib=256,
            concurrency=SHARDS,
        )
        StreamConsumer(
            self,
            "Counting",
            ledger=ledger,
            function=trends,
            failures=intake.failures,
            # Its own mark on a decision is a change too, and is not to wake it; a correction changes what was counted.
            patterns=[
                decided(state={"S": [State.CLASSIFIED.value, State.UNSURE.value]}, **_NOT_COUNTED),
                decided(state={"S": [State.CORRECTED.value]}),
            ],
            batch_size=100,
            operations=operations,
            batching_window_seconds=window_seconds,
        )

    def _add_spikes(self) -> None:
        intake = self._intake
        spikes = self._functions.add(
            "Spikes",
            description="Looks for products that go wrong, in the counters of the last days",
            environment={
                "DESK_TABLE": intake.stores.desk.table_name,
                "LEDGER_TABLE": intake.stores.acceptance.ledger.table_name,
                "ALERT_QUEUE_URL": intake.alerts.queue.queue.queue_url,
            },
            statements=[
                *intake.stores.desk.allowing("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
                *intake.stores.acceptance.ledger.allowing("dynamodb:BatchGetItem"),
                *intake.alerts.queue.sending(),
            ],
            timeout=Duration.minutes(5),
            memory_mib=1024,
            concurrency=1,
        )
        Schedule(
            self,
            "Looking",
            what="Products that go wrong",
            minutes=_SPIKES_MINUTES,
            function=spikes,
            failures=intake.failures,
        )
