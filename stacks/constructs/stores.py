"""What accepted feedback is kept in: the ledger, the originals that redaction took out, the queue, the functions' desk.

Makes them where it is told to, under the names that they always had. Does not know who reads or writes them.
"""

from aws_cdk import Duration, RemovalPolicy
from constructs import Construct

from stacks.constructs.acceptance import Acceptance
from stacks.constructs.backup import DailyBackup
from stacks.constructs.data_key import DataKey
from stacks.constructs.ledger import Ledger
from stacks.constructs.operations import Operations
from stacks.constructs.store_table import StoreTable
from stacks.constructs.work_queue import WorkQueue

_KEPT_TO_RESTORE_DAYS = 1
"""For originals: what is forgotten is to be gone soon."""


class Stores:
    def __init__(
        self,
        scope: Construct,
        *,
        name: str,
        ledger_key: DataKey,
        key: DataKey,
        keep: bool,
        protected: bool,
        backup_days: int,
        original_days: int,
        router_timeout: Duration,
        oldest_message_alarm: Duration,
        operations: Operations,
    ) -> None:
        ledger = Ledger(scope, "Ledger", key=ledger_key, keep=keep, protected=protected, operations=operations)
        if backup_days:
            DailyBackup(
                scope,
                "Backup",
                name=f"{name}-ledger",
                table_arn=ledger.table_arn,
                days=backup_days,
                key=ledger_key,
            )
        queue = WorkQueue(
            scope,
            "Queue",
            what="Feedback to classify",
            worker_timeout=router_timeout,
            oldest_message_alarm=oldest_message_alarm,
            key=key,
            operations=operations,
        )
        # Their own key: whoever may read the ledger cannot read what was taken out of it.
        self.originals_key = DataKey(
            scope,
            "OriginalsKey",
            encrypts="what customers sent, before redaction,",
            removal_policy=RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY,
        )
        originals = StoreTable(
            scope,
            "Originals",
            what="The originals",
            partition_key="feedback_id",
            key=self.originals_key,
            keep=keep,
            protected=protected,
            operations=operations,
            recovery_days=_KEPT_TO_RESTORE_DAYS,
        )
        self.desk = StoreTable(
            scope,
            "Desk",
            what="The functions' desk",
            partition_key="pk",
            sort_key="sk",
            key=key,
            keep=keep,
            protected=protected,
            operations=operations,
        )
        self.acceptance = Acceptance(ledger=ledger, originals=originals, original_days=original_days, queue=queue)

    def outputs(self) -> dict[str, str]:
        """What people and programs look for, by name."""
        queue = self.acceptance.queue
        return {
            "Ledger": self.acceptance.ledger.table_name,
            "Originals": self.acceptance.originals.table_name,
            "Desk": self.desk.table_name,
            "Queue": queue.queue.queue_url,
            "DeadLetterQueue": queue.dead_letters.queue.queue_url,
        }
