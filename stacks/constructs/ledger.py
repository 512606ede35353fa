"""The ledger: one item per feedback, and the stream that everything after a decision follows from.

Knows the table and exact statements for its readers and writers. Does not know the items' attributes beyond the key and
the expiry.
"""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from stacks.constructs.data_key import DataKey
from stacks.constructs.operations import Operations
from stacks.constructs.role import Statement


class Ledger(Construct):
    def __init__(
        self, scope: Construct, id_: str, *, key: DataKey, keep: bool, protected: bool, operations: Operations
    ) -> None:
        super().__init__(scope, id_)
        self._key = key
        self._table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="feedback_id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key.key,
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expires_at",
            deletion_protection=protected,
            removal_policy=RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY,
        )
        # A table on demand throttles a few calls when it grows, and clients try those again: not worth a word.
        for direction in ("Read", "Write"):
            operations.alarm(
                self,
                f"{direction}Throttles",
                description=f"The ledger turned {direction.lower()}s away",
                namespace="AWS/DynamoDB",
                metric_name=f"{direction}ThrottleEvents",
                dimensions={"TableName": self._table.table_name},
                statistic="Sum",
                threshold=10,
                period=Duration.minutes(1),
            )

    @property
    def table_name(self) -> str:
        return self._table.table_name

    @property
    def table_arn(self) -> str:
        return self._table.table_arn

    @property
    def stream_arn(self) -> str:
        arn = self._table.table_stream_arn
        if arn is None:
            raise TypeError("the ledger was made with a stream")
        return arn

    def allowing(self, *actions: str) -> list[Statement]:
        """Exactly these actions, for instance `dynamodb:PutItem`, on the table, and its key."""
        return [
            Statement(actions=list(actions), resources=[self._table.table_arn]),
            self._key.writing() if _writes(actions) else self._key.reading(),
        ]

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


def _writes(actions: tuple[str, ...]) -> bool:
    return any(action in {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"} for action in actions)
