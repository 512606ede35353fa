"""The ledger: one item per feedback, and the stream that everything after a decision follows from.

Knows the table's stream and its index of who wrote what. Does not know the items' attributes beyond the keys and the
expiry.
"""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from stacks.constructs.data_key import DataKey
from stacks.constructs.operations import Operations
from stacks.constructs.role import Statement
from stacks.constructs.store_table import StoreTable


class Ledger(StoreTable):
    def __init__(
        self, scope: Construct, id_: str, *, key: DataKey, keep: bool, protected: bool, operations: Operations
    ) -> None:
        super().__init__(
            scope,
            id_,
            what="The ledger",
            partition_key="feedback_id",
            key=key,
            keep=keep,
            protected=protected,
            operations=operations,
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
        )
        # Names ids only: what a customer wrote is found to be forgotten, and read nowhere but in the table.
        self._table.add_global_secondary_index(
            index_name="by_customer",
            partition_key=dynamodb.Attribute(name="customer_ref", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="received_at", type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )

    @property
    def stream_arn(self) -> str:
        arn = self._table.table_stream_arn
        if arn is None:
            raise TypeError("the ledger was made with a stream")
        return arn

    def following(self) -> list[Statement]:
        """Read the stream. Lambda checks for ListStreams, which names streams of the table."""
        return [
            Statement(
                actions=["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
                resources=[self.stream_arn],
            ),
            Statement(actions=["dynamodb:ListStreams"], resources=[f"{self._table.table_arn}/stream/*"]),
            self._key.reading(),
        ]
