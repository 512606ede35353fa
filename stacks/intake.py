"""The Intake stack: the stores, the API, and the way of a feedback from its acceptance to the lake.

Composes; the constructs know how. What works with the stores beside this way (channels, alerts, the watch over
products) has stacks of its own after this one, and shares this one's queue of failed calls.
"""

from collections.abc import Mapping

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from constructs import Construct

from lambdas.telemetry import NAMESPACE
from stacks.alert_policy import shipped_policy
from stacks.assets import Assets
from stacks.constructs.alert_places import AlertPlaces
from stacks.constructs.channels import ChannelRights, add_routed
from stacks.constructs.data_key import DataKey
from stacks.constructs.declared_channels import DeclaredChannels
from stacks.constructs.drop_box import DropBox
from stacks.constructs.feedback_api import FeedbackApi
from stacks.constructs.functions import Functions
from stacks.constructs.handler_function import HandlerFunction
from stacks.constructs.inference_endpoint import InferenceEndpoint
from stacks.constructs.lake import CORRECTIONS, FEEDBACK, Lake
from stacks.constructs.operations import Operations
from stacks.constructs.operator_secrets import OperatorSecrets
from stacks.constructs.private_network import NetworkSegment, PrivateNetwork
from stacks.constructs.queue_consumer import QueueConsumer
from stacks.constructs.received_mail import ReceivedMail
from stacks.constructs.role import Statement
from stacks.constructs.stores import Stores
from stacks.constructs.stream_consumer import SHARDS, StreamConsumer, decided, statements_of_consumer
from stacks.constructs.web_acl import WebAcl
from stacks.constructs.work_queue import DeadLetters
from stacks.settings import IntakeSettings, PlatformSettings

ROUTER_TIMEOUT = Duration.seconds(60)
# A slow first call now and then is healthy. Where less comes in, the age of the oldest message tells.
_DEFERRED_PER_MINUTE = 10
# Requests of one pushing channel at once: they are short, and senders try again.
_PUSHED_AT_ONCE = 50


class Intake(Stack):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stack_name: str,
        name: str,
        stage: str,
        settings: IntakeSettings,
        platform: PlatformSettings,
        disposable: bool,
        network: PrivateNetwork | None,
        assets: Assets,
        lake: Lake,
        endpoint: InferenceEndpoint,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_, stack_name=stack_name, description="Earshot: feedback API, stores and routing")
        self._settings = settings
        self._operations = operations
        self.key = key = DataKey(
            self,
            "Key",
            encrypts="the queues, alerts and logs",
            removal_policy=RemovalPolicy.DESTROY if disposable else RemovalPolicy.RETAIN,
            more_services=("s3.amazonaws.com",),  # tells the channels' queues of what was dropped
        )
        self.failures = DeadLetters(
            self,
            "FailedEffects",
            what="Effects of a decision (alerts, lake rows), and calls of functions,",
            key=key,
            operations=operations,
        )
        self._functions = Functions(
            self,
            bundle=assets.lambda_bundle,
            platform=platform,
            key=key,
            failures=self.failures,
            network=NetworkSegment(self, "Network", network=network, position=3) if network else None,
            operations=operations,
        )
        oldest = Duration.seconds(settings.oldest_message_alarm_seconds)
        self.stores = Stores(
            self,
            name=name,
            ledger_key=lake.key,
            key=key,
            keep=settings.keep_ledger,
            protected=settings.protect_ledger,
            backup_days=settings.backup_days,
            original_days=settings.original_days,
            router_timeout=ROUTER_TIMEOUT,
            oldest_message_alarm=oldest,
            operations=operations,
        )
        self.alerts = AlertPlaces(
            self,
            name=name,
            stage=stage,
            key=key,
            emails=settings.alert_emails,
            inbox=settings.alert_inbox,
            policy=shipped_policy(settings.alert_policy),
            log_days=platform.log_days,
            oldest_message_alarm=oldest,
            failures=self.failures,
            operations=operations,
        )
        for output, value in (self.stores.outputs() | self.alerts.outputs()).items():
            self._output(output, value)
        api = self._add_api(name, platform, endpoint)
        self.feedback_url = api.feedback_url()
        channels = DeclaredChannels.named(settings.channels)
        self._add_drop_box(channels, lake)
        rights = ChannelRights(
            acceptance=self.stores.acceptance,
            desk=self.stores.desk,
            secrets=OperatorSecrets(f"earshot/{stage}/webhooks/"),
        )
        for each in channels.routed:
            add_routed(each, api=api, functions=self._functions, rights=rights, concurrency=_PUSHED_AT_ONCE)
        self._add_routing(endpoint)
        self._add_archive(lake)

    def _add_api(self, name: str, platform: PlatformSettings, endpoint: InferenceEndpoint) -> FeedbackApi:
        settings, acceptance = self._settings, self.stores.acceptance
        intake = self._functions.add(
            "Intake",
            description="Accepts feedback once and answers with its sentiment when the model is quick enough",
            environment={
                **acceptance.environment(),
                "DESK_TABLE": self.stores.desk.table_name,
                "ENDPOINT_NAME": endpoint.name,
                "CLASSIFY_BUDGET_SECONDS": str(settings.classify_budget_seconds),
                **self._languages(),
            },
            statements=[
                *acceptance.statements(),
                *acceptance.ledger.allowing("dynamodb:UpdateItem"),
                *self.stores.desk.allowing("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
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
            key=self.key,
            log_days=platform.log_days,
            keep_log_role=settings.keep_api_log_role,
            operations=self._operations,
        )
        WebAcl(
            self,
            "Firewall",
            name=name,
            protects=api.stage_arn,
            requests_per_address_per_five_minutes=settings.requests_per_address_per_five_minutes,
            key=self.key,
            log_days=platform.log_days,
        )
        self._alarm_on_deferred(
            "ModelAway",
            what="The model did not answer intake, and feedback waits for the router",
            function=intake,
            per_minute=_DEFERRED_PER_MINUTE,
        )
        self._output("ApiUrl", api.url)
        self._output("ApiId", api.id)
        self._output("ApiStage", api.stage_name)
        return api

    def _add_drop_box(self, channels: DeclaredChannels, lake: Lake) -> None:
        self.drop_box = DropBox(
            self,
            "Drop",
            channels=channels.dropped,
            days=self._settings.drop_days,
            key=self.stores.originals_key,
            queue_key=self.key,
            access_logs=lake.access_logs,
            delete_with_stack=not self._settings.keep_ledger,
            operations=self._operations,
        )
        self._output("DropBucket", self.drop_box.name)
        if self._settings.email_domain:
            (mail,) = (each.drop.prefix for each in channels.dropped if each.channel.name == "email")
            ReceivedMail(self, "Mail", domain=self._settings.email_domain, drop_box=self.drop_box, prefix=mail)

    def _add_routing(self, endpoint: InferenceEndpoint) -> None:
        settings, acceptance = self._settings, self.stores.acceptance
        translating = [Statement(actions=["translate:TranslateText"], resources=["*"])] if settings.translate else []
        router = self._functions.add(
            "Router",
            description="Classifies what intake could not, in batches",
            environment={
                "LEDGER_TABLE": acceptance.ledger.table_name,
                "DESK_TABLE": self.stores.desk.table_name,
                "ENDPOINT_NAME": endpoint.name,
                "QUEUE_URL": acceptance.queue.queue.queue_url,
                **self._languages(),
            },
            statements=[
                *acceptance.ledger.allowing("dynamodb:BatchGetItem", "dynamodb:UpdateItem"),
                *self.stores.desk.allowing("dynamodb:GetItem", "dynamodb:UpdateItem"),
                *acceptance.queue.consuming(),
                *acceptance.queue.sending(),
                endpoint.invoking(),
                *translating,
            ],
            timeout=ROUTER_TIMEOUT,
            memory_mib=512,
            concurrency=settings.router_concurrency,
            calls_itself=True,
        )
        # What is put off is queued anew, so that its age in the queue tells nothing.
        self._alarm_on_deferred(
            "RoutingPutOff", what="The model is away, and feedback is put off", function=router, per_minute=0
        )
        QueueConsumer(
            self,
            "Routing",
            queue=acceptance.queue,
            function=router,
            batch_size=10,
            maximum_concurrency=settings.router_concurrency,
        )

    def _alarm_on_deferred(self, id_: str, *, what: str, function: HandlerFunction, per_minute: int) -> None:
        self._operations.alarm(
            self,
            id_,
            description=what,
            namespace=NAMESPACE,
            metric_name="Deferred",
            dimensions={"FunctionName": function.function.function_name},
            statistic="Sum",
            threshold=per_minute,
            period=Duration.minutes(1),
            evaluation_periods=3,
            datapoints_to_alarm=2,
        )

    def _languages(self) -> Mapping[str, str]:
        return {
            "LANGUAGES": ",".join(self._settings.languages),
            "TRANSLATE": "on" if self._settings.translate else "off",
        }

    def _add_archive(self, lake: Lake) -> None:
        ledger = self.stores.acceptance.ledger
        archive = self._functions.add(
            "Archive",
            description="Writes decided feedback into the lake",
            environment={"LAKE_BUCKET": lake.data.name},
            statements=[
                *lake.data.writing(FEEDBACK, CORRECTIONS),
                *statements_of_consumer(ledger, self.failures),
            ],
            timeout=Duration.seconds(60),
            memory_mib=256,
            concurrency=SHARDS,
        )
        StreamConsumer(
            self,
            "Archiving",
            ledger=ledger,
            function=archive,
            failures=self.failures,
            patterns=[decided()],
            batch_size=500,
            operations=self._operations,
            batching_window_seconds=self._settings.archive_window_seconds,
        )

    def _output(self, name: str, value: str) -> None:
        CfnOutput(self, f"{name}Output", value=value).override_logical_id(name)
