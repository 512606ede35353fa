"""The buckets: the lake, the artifacts (models and job output) and the access logs of both.

Knows the prefixes and how long what lies under them is kept. Does not know the tables over it.
"""

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.data_key import DataKey
from stacks.constructs.private_bucket import private_bucket
from stacks.constructs.role import Statement

RAW = "raw/"
FEEDBACK = "feedback/"
FEATURES = "curated/features/"
CANDIDATES = "curated/candidates/"
"""Each run's candidates: what they answer to its validation and test rows."""
REPORTS = "reports/"
CAPTURE = "capture/"
QUERY_RESULTS = "athena/"
CORRECTIONS = "raw/corrections/"
CASES = "reports/cases/"
RESCORING = "rescore/"
"""What rescoring asks and gets answered, below a folder for each job."""

TRAINING_OUTPUT = "training/"
CHECKPOINTS = "checkpoints/"
AUTOPILOT = "autopilot/"
"""What Autopilot leaves: candidates, notebooks, and the answers of the best one."""
MODELS = "models/"
DROP_LOGS = "drop/"
"""Where the access logs of the drop bucket go, which a later stack makes."""

BASES = "bases/"
"""Where a team may lay base models of its own; the hyperparameter `base` is then the artifact's address."""

CHECKPOINT_DAYS = 14


class Bucket(Construct):
    """A private, versioned bucket that speaks TLS only and announces its objects to EventBridge."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        key: DataKey,
        access_logs: s3.IBucket,
        delete_with_stack: bool,
        lifecycle_rules: list[s3.LifecycleRule],
    ) -> None:
        super().__init__(scope, id_)
        self._key = key
        self.bucket = private_bucket(
            self,
            key=key,
            lifecycle_rules=lifecycle_rules,
            delete_with_stack=delete_with_stack,
            access_logs=access_logs,
            access_log_prefix=f"{id_.lower()}/",
        )
        self.name = self.bucket.bucket_name
        self._arn = self.bucket.bucket_arn
        _announce_objects(self.bucket)

    def uri(self, prefix: str) -> str:
        """`s3://bucket/prefix`."""
        return f"s3://{self.name}/{prefix}"

    def reading(self, *prefixes: str) -> list[Statement]:
        """Statements that let a role read objects under the prefixes whose keys it knows."""
        return [self._objects(["s3:GetObject"], prefixes), self._key.reading()]

    def finding(self, *prefixes: str) -> Statement:
        """What a role needs to find what lies under the prefixes, and nothing else."""
        return Statement(
            actions=["s3:ListBucket"],
            resources=[self._arn],
            conditions={"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}},
        )

    def listing(self, *prefixes: str) -> list[Statement]:
        """The same for Glue and SageMaker, which ask where the bucket is."""
        return [self.finding(*prefixes), Statement(actions=["s3:GetBucketLocation"], resources=[self._arn])]

    def writing(self, *prefixes: str) -> list[Statement]:
        """Statements that let a role put objects under the prefixes; it can neither read nor delete them."""
        return [self._objects(["s3:PutObject"], prefixes), self._key.writing()]

    def uploading(self, *prefixes: str) -> list[Statement]:
        """The same for objects that come in parts, as SageMaker sends them."""
        return [self._objects(["s3:AbortMultipartUpload", "s3:PutObject"], prefixes), self._key.writing()]

    def _objects(self, actions: list[str], prefixes: tuple[str, ...]) -> Statement:
        return Statement(actions=actions, resources=[f"{self._arn}/{prefix}*" for prefix in prefixes])


class Lake(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        key: DataKey,
        delete_with_stack: bool,
        access_log_days: int,
        noncurrent_version_days: int,
        query_result_days: int,
        capture_days: int,
    ) -> None:
        super().__init__(scope, id_)
        self.key = key
        access_logs = s3.Bucket(
            self,
            "AccessLogs",
            # S3 delivers access logs to buckets with SSE-S3 and without object lock, and to no others.
            encryption=s3.BucketEncryption.S3_MANAGED,
            # Who reads the logs is logged too, in the same bucket: a few records an hour, which expire with the others.
            server_access_logs_prefix="access-logs/",
            versioned=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[_expire("AccessLogs", days=access_log_days), _housekeeping(days=1)],
            removal_policy=RemovalPolicy.DESTROY if delete_with_stack else RemovalPolicy.RETAIN,
            auto_delete_objects=delete_with_stack,
        )
        _announce_objects(access_logs)
        access_logs.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LogsOfTheDropBucket",
                principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[access_logs.arn_for_objects(f"{DROP_LOGS}*")],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        self.access_logs = access_logs.bucket_name
        self.data = Bucket(
            self,
            "Lake",
            key=key,
            access_logs=access_logs,
            delete_with_stack=delete_with_stack,
            lifecycle_rules=[
                _housekeeping(days=noncurrent_version_days),
                _expire("QueryResults", days=query_result_days, prefix=QUERY_RESULTS),
                _expire("Capture", days=capture_days, prefix=CAPTURE),
                # Texts and answers again, kept as long as those that the endpoint captures.
                _expire("Rescoring", days=capture_days, prefix=RESCORING),
            ],
        )
        self.artifacts = Bucket(
            self,
            "Artifacts",
            key=key,
            access_logs=access_logs,
            delete_with_stack=delete_with_stack,
            lifecycle_rules=[
                _housekeeping(days=noncurrent_version_days),
                _expire("Checkpoints", days=CHECKPOINT_DAYS, prefix=CHECKPOINTS),
            ],
        )


def _announce_objects(bucket: s3.Bucket) -> None:
    """`event_bridge_enabled=True` would bring a custom resource with a Lambda function for what is one property."""
    resource = bucket.node.default_child
    if not isinstance(resource, s3.CfnBucket):
        raise TypeError("the default child of a bucket is its CloudFormation resource")
    resource.add_property_override("NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True)


def _housekeeping(*, days: int) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        id="Housekeeping",
        noncurrent_version_expiration=Duration.days(days),
        abort_incomplete_multipart_upload_after=Duration.days(7),
    )


def _expire(rule: str, *, days: int, prefix: str | None = None) -> s3.LifecycleRule:
    return s3.LifecycleRule(id=rule, prefix=prefix, expiration=Duration.days(days))
