"""Where alerts and automatic responses go: the topic, the queue to each destination, the policy, the bus.

Makes them where it is told to, under the names that they always had. Does not know the functions that decide on alerts
and deliver them: those come and go in a stack of their own, and readers of the topic never notice.
"""

from collections.abc import Sequence

from aws_cdk import Duration
from constructs import Construct

from stacks.constructs.alert_channel import AlertChannel
from stacks.constructs.data_key import DataKey
from stacks.constructs.log_group import log_group
from stacks.constructs.operations import Operations
from stacks.constructs.parameter import Parameter
from stacks.constructs.response_bus import ResponseBus
from stacks.constructs.work_queue import DeadLetters, WorkQueue

NOTIFY_TIMEOUT = Duration.seconds(30)
# A destination that is down for days loses nothing: its messages come back, each time after a longer while.
_RECEIVES = 1000


class AlertPlaces:
    def __init__(
        self,
        scope: Construct,
        *,
        name: str,
        stage: str,
        key: DataKey,
        emails: Sequence[str],
        inbox: bool,
        policy: str,
        log_days: int,
        oldest_message_alarm: Duration,
        failures: DeadLetters,
        operations: Operations,
    ) -> None:
        self.channel = AlertChannel(
            scope, "Alerts", key=key, emails=emails, inbox=inbox, failures=failures, operations=operations
        )
        self.queue = WorkQueue(
            scope,
            "AlertQueue",
            what="Alerts to deliver",
            worker_timeout=NOTIFY_TIMEOUT,
            oldest_message_alarm=oldest_message_alarm,
            receives=_RECEIVES,
            key=key,
            operations=operations,
        )
        self.policy = Parameter(
            scope,
            "AlertPolicy",
            name=f"/earshot/{stage}/alert-policy",
            what="Who hears of what, and when",
            value=policy,
        )
        self.responses = ResponseBus(scope, "Responses", name=f"{name}-responses", key=key, failures=failures)
        failures.take_events()
        # Of the function that told of alerts in 0.1: its lines stay as long as they were promised to.
        log_group(Construct(scope, "Alert"), "Log", key=key, days=log_days)

    def outputs(self) -> dict[str, str]:
        """What people and programs look for, by name."""
        inbox = {"AlertInbox": self.channel.inbox.queue_url} if self.channel.inbox else {}
        return {
            "AlertTopic": self.channel.topic_arn,
            "AlertQueue": self.queue.queue.queue_url,
            "AlertPolicy": self.policy.name,
            "ResponseBus": self.responses.name,
            **inbox,
        }
