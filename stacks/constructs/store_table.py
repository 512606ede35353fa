"""A DynamoDB table of the product: on demand, encrypted with our key, restorable, with items that expire.

Knows the properties that every table here has, the alarms on one that turns calls away, and exact statements for its
readers and writers. Does not know the items' attributes beyond the key and the expiry.
"""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from stacks.constructs.data_key import DataKey
from stacks.constructs.operations import Operations
from stacks.constructs.role import Statement

_WRITING = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}


class StoreTable(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        what: str,
        partition_key: str,
        key: DataKey,
        keep: bool,
        protected: bool,
        operations: Operations,
        sort_key: str | None = None,
        stream: dynamodb.StreamViewType | None = None,
        recovery_days: int | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self._key = key
        self._table = dynamodb.Table(
            self,
            "Table",
            partition_key=_text(partition_key),
            sort_key=_text(sort_key) if sort_key else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key.key,
            stream=stream,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True, recovery_period_in_days=recovery_days
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
                description=f"{what} turned {direction.lower()}s away",
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

    def allowing(self, *actions: str) -> list[Statement]:
        """Exactly these actions, for instance `dynamodb:PutItem`, on the table, and its key."""
        return [
            Statement(actions=list(actions), resources=[self._table.table_arn]),
            self._key.writing() if _WRITING.intersection(actions) else self._key.reading(),
        ]


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
