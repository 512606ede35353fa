"""Turns what a channel declares into its function, with exactly the variables and statements that it asks for.

Knows what each word of `lambdas.channels.declaration` stands for. Does not know any channel.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_events as events
from constructs import Construct

from lambdas.channels.declaration import Access, Channel
from stacks.constructs.acceptance import Acceptance
from stacks.constructs.arns import arn
from stacks.constructs.declared_channels import DropChannel, RouteChannel, ScheduledChannel
from stacks.constructs.drop_box import DropBox
from stacks.constructs.feedback_api import FeedbackApi
from stacks.constructs.functions import Functions
from stacks.constructs.handler_function import HandlerFunction
from stacks.constructs.operator_secrets import OperatorSecrets
from stacks.constructs.parameter import Parameter
from stacks.constructs.queue_consumer import QueueConsumer
from stacks.constructs.role import Statement
from stacks.constructs.schedule import Schedule
from stacks.constructs.store_table import StoreTable
from stacks.constructs.work_queue import DeadLetters, WorkQueue

# What takes this long works on one thing at a time.
_LONG_SECONDS = 600
_GATE_MEMORY_MIB = 256
_AT_ONCE = 5


@dataclass(frozen=True, kw_only=True)
class Right:
    """The variables and statements that a word of the declaration stands for."""

    environment: Mapping[str, str]
    statements: list[Statement]


@dataclass(frozen=True, kw_only=True)
class ChannelRights:
    """What channels may ask for; where something is not given, no channel of the stack may ask for it."""

    acceptance: Acceptance
    desk: StoreTable
    secrets: OperatorSecrets | None = None
    sources: Parameter | None = None

    def to(self, channel: Channel) -> list[Right]:
        """Everything that the channel asks for and that does not depend on what wakes it."""
        return [self._right(access) for access in channel.access if access not in _OF_THE_DROP]

    def _right(self, access: Access) -> Right:
        if access is Access.ACCEPT:
            return Right(environment=self.acceptance.environment(), statements=self.acceptance.statements())
        if access is Access.DESK:
            return Right(
                environment={"DESK_TABLE": self.desk.table_name},
                statements=self.desk.allowing("dynamodb:GetItem", "dynamodb:PutItem"),
            )
        if access is Access.SECRETS and self.secrets:
            return Right(
                environment={"WEBHOOK_SECRET_PREFIX": self.secrets.prefix}, statements=[self.secrets.reading()]
            )
        if access is Access.SOURCES and self.sources:
            return Right(environment={"SOURCES_PARAMETER": self.sources.name}, statements=[self.sources.reading()])
        raise ValueError(f"a channel of this stack cannot ask for {access}")


_OF_THE_DROP = (Access.CONTINUE, Access.TRANSCRIBE)


def add_routed(
    each: RouteChannel, *, api: FeedbackApi, functions: Functions, rights: ChannelRights, concurrency: int
) -> None:
    """A channel that the API calls, behind an authorizer of its own."""
    gate = functions.add(
        f"{each.channel.name.capitalize()}Gate",
        package=each.route.authorizer,
        description=f"Turns away calls of {each.channel.name} without a well-formed signature",
        environment={},
        statements=[],
        timeout=Duration.seconds(5),
        memory_mib=_GATE_MEMORY_MIB,
        concurrency=concurrency,
        refuses_by_raising=True,
    )
    function = _function(each.channel, functions, rights.to(each.channel), concurrency=concurrency)
    api.add_signed_route(
        method=each.route.method,
        path=each.route.path,
        handler=function,
        authorizer=gate,
        concern=each.channel.name.capitalize(),
    )


def add_dropped(
    scope: Construct, each: DropChannel, *, drop_box: DropBox, functions: Functions, rights: ChannelRights
) -> None:
    """A channel that works off its queue of what was dropped."""
    channel, queue = each.channel, drop_box.queues[each.channel.name]
    of_the_drop = [
        Right(environment={"DROP_BUCKET": drop_box.name}, statements=drop_box.reading(each.drop.prefix)),
        *(Right(environment={}, statements=drop_box.writing(prefix)) for prefix in each.drop.writes),
        Right(environment={}, statements=queue.consuming()),
    ]
    if Access.CONTINUE in channel.access:
        of_the_drop.append(Right(environment={"CHANNEL_QUEUE_URL": queue.queue.queue_url}, statements=queue.sending()))
    if Access.TRANSCRIBE in channel.access:
        jobs = Statement(
            actions=["transcribe:StartTranscriptionJob"],
            resources=[arn("transcribe", "transcription-job/earshot-*")],
        )
        of_the_drop.append(Right(environment={"DROP_KEY_ID": drop_box.key.arn}, statements=[jobs]))
        _keep_failed_transcriptions(scope, queue, functions.failures)
    function = _function(
        channel,
        functions,
        [*rights.to(channel), *of_the_drop],
        concurrency=channel.concurrency or _AT_ONCE,
        calls_itself=Access.CONTINUE in channel.access,
    )
    QueueConsumer(
        scope,
        f"{channel.name.capitalize()}Reading",
        queue=queue,
        function=function,
        batch_size=1 if channel.timeout_seconds >= _LONG_SECONDS else 10,
        maximum_concurrency=max(2, channel.concurrency or _AT_ONCE),
    )


def _keep_failed_transcriptions(scope: Construct, queue: WorkQueue, failures: DeadLetters) -> None:
    """A job that fails writes nothing: its recording would be lost in silence."""
    events.CfnRule(
        scope,
        "FailedTranscriptions",
        description="Recordings that could not be transcribed",
        event_pattern={
            "source": ["aws.transcribe"],
            "detail-type": ["Transcribe Job State Change"],
            "detail": {"TranscriptionJobStatus": ["FAILED"], "TranscriptionJobName": [{"prefix": "earshot-"}]},
        },
        state="ENABLED",
        targets=[
            events.CfnRule.TargetProperty(
                id="DeadLetters",
                arn=queue.dead_letters.queue.queue_arn,
                dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=failures.queue.queue_arn),
            )
        ],
    )


def add_scheduled(
    scope: Construct, each: ScheduledChannel, *, minutes: int, functions: Functions, rights: ChannelRights
) -> None:
    """A channel that is called at a rate."""
    function = _function(
        each.channel, functions, rights.to(each.channel), concurrency=each.channel.concurrency or _AT_ONCE
    )
    Schedule(
        scope,
        f"{each.channel.name.capitalize()}Schedule",
        what=each.channel.description,
        minutes=minutes,
        function=function,
        failures=functions.failures,
    )


def _function(
    channel: Channel, functions: Functions, rights: list[Right], *, concurrency: int, calls_itself: bool = False
) -> HandlerFunction:
    environment = dict(channel.environment)
    for right in rights:
        environment.update(right.environment)
    return functions.add(
        channel.name.capitalize(),
        package=f"channels.{channel.name}",
        description=channel.description,
        environment=environment,
        statements=[statement for right in rights for statement in right.statements],
        timeout=Duration.seconds(channel.timeout_seconds),
        memory_mib=channel.memory_mib,
        concurrency=channel.concurrency or concurrency,
        calls_itself=calls_itself,
    )
