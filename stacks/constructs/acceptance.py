"""What every function needs that accepts feedback: the ledger, the originals beside it, and the queue to the model.

Knows the variables and the statements. Does not know where the feedback comes from.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stacks.constructs.ledger import Ledger
from stacks.constructs.role import Statement
from stacks.constructs.store_table import StoreTable
from stacks.constructs.work_queue import WorkQueue


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """The stores that accepted feedback goes into."""

    ledger: Ledger
    originals: StoreTable
    original_days: int
    queue: WorkQueue

    def environment(self) -> Mapping[str, str]:
        """By the names that the functions' settings read."""
        return {
            "LEDGER_TABLE": self.ledger.table_name,
            "ORIGINALS_TABLE": self.originals.table_name,
            "ORIGINAL_DAYS": str(self.original_days),
            "QUEUE_URL": self.queue.queue.queue_url,
        }

    def statements(self) -> list[Statement]:
        """Accept once, keep what redaction took out, and queue it; nothing that was accepted is changed."""
        return [
            *self.ledger.allowing("dynamodb:GetItem", "dynamodb:PutItem"),
            *self.originals.allowing("dynamodb:PutItem"),
            *self.queue.sending(),
        ]
