"""The Glue catalog over the lake: the database, the crawler that finds the reviews, the declared table of feedback.

Knows the columns of what the product itself writes. Does not know the columns of the reviews: the crawler reads them.
"""

import json
from collections.abc import Sequence

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_glue as glue
from constructs import Construct

from feedback.sentiment import LABELS
from stacks.constructs.arns import arn
from stacks.constructs.lake import FEEDBACK, RAW, Lake
from stacks.constructs.role import Role, Statement

# What lambdas/archive writes, one JSON object a line (the order is the order in a `SELECT *`).
FEEDBACK_COLUMNS: tuple[tuple[str, str], ...] = (
    ("feedback_id", "string"),
    ("channel", "string"),
    ("text", "string"),
    ("product_id", "string"),
    ("category", "string"),
    ("language", "string"),
    ("rating", "int"),
    ("received_at", "string"),
    ("decided_at", "string"),
    ("state", "string"),
    ("sentiment", "int"),
    ("label", "string"),
    ("confidence", "double"),
    *((label, "double") for label in LABELS),
    ("model_version", "string"),
    ("customer_ref", "string"),
)
FIRST_FEEDBACK_DAY = "2024-01-01"


class Catalog(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        lake: Lake,
        database: str,
        encrypt_account_catalog: bool,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, id_)
        self.database = database
        catalog = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=database, description="Reviews and classified feedback of Earshot"
            ),
        )
        catalog.apply_removal_policy(removal_policy)
        if encrypt_account_catalog:
            catalog.add_resource_dependency(self._encryption(lake))
        feedback = self._feedback_table(lake)
        feedback.add_resource_dependency(catalog)
        self.crawler = self._crawler(lake)
        self.crawler.add_resource_dependency(catalog)

    @property
    def crawler_name(self) -> str:
        return self.crawler.ref

    def _encryption(self, lake: Lake) -> glue.CfnDataCatalogEncryptionSettings:
        """The account and region have one catalog, and this is a setting of all of it."""
        settings = glue.CfnDataCatalogEncryptionSettings
        return glue.CfnDataCatalogEncryptionSettings(
            self,
            "Encryption",
            catalog_id=Aws.ACCOUNT_ID,
            data_catalog_encryption_settings=settings.DataCatalogEncryptionSettingsProperty(
                encryption_at_rest=settings.EncryptionAtRestProperty(
                    catalog_encryption_mode="SSE-KMS", sse_aws_kms_key_id=lake.key.arn
                ),
                connection_password_encryption=settings.ConnectionPasswordEncryptionProperty(
                    return_connection_password_encrypted=True, kms_key_id=lake.key.arn
                ),
            ),
        )

    def _feedback_table(self, lake: Lake) -> glue.CfnTable:
        """Declared, so that it is queryable before its first row; partition projection needs no crawler."""
        table = glue.CfnTable
        location = lake.data.uri(FEEDBACK)
        return glue.CfnTable(
            self,
            "FeedbackTable",
            catalog_id=Aws.ACCOUNT_ID,
            database_name=self.database,
            table_input=table.TableInputProperty(
                name="feedback",
                description="Feedback with the decision of the model, one row per decision",
                table_type="EXTERNAL_TABLE",
                partition_keys=[table.ColumnProperty(name="dt", type="string", comment="day of receipt, UTC")],
                parameters={
                    "classification": "json",
                    "projection.enabled": "true",
                    "projection.dt.type": "date",
                    "projection.dt.format": "yyyy-MM-dd",
                    "projection.dt.range": f"{FIRST_FEEDBACK_DAY},NOW",
                    "projection.dt.interval": "1",
                    "projection.dt.interval.unit": "DAYS",
                    "storage.location.template": f"{location}dt=${{dt}}/",
                },
                storage_descriptor=table.StorageDescriptorProperty(
                    columns=[table.ColumnProperty(name=name, type=type_) for name, type_ in FEEDBACK_COLUMNS],
                    location=location,
                    input_format="org.apache.hadoop.mapred.TextInputFormat",
                    output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    serde_info=table.SerdeInfoProperty(serialization_library="org.openx.data.jsonserde.JsonSerDe"),
                ),
            ),
        )

    def _crawler(self, lake: Lake) -> glue.CfnCrawler:
        role = Role(
            self,
            "CrawlerAccess",
            service="glue",
            description="Reads raw/ of the lake and writes its tables into the catalog",
            statements=[
                *lake.data.reading(RAW),
                *lake.data.listing(RAW),
                lake.key.writing(),  # the catalog itself may be encrypted
                *self._crawler_statements(),
            ],
        )
        security = glue.CfnSecurityConfiguration(
            self,
            "Security",
            name=f"{self.database}-crawler",
            encryption_configuration=glue.CfnSecurityConfiguration.EncryptionConfigurationProperty(
                cloud_watch_encryption=glue.CfnSecurityConfiguration.CloudWatchEncryptionProperty(
                    cloud_watch_encryption_mode="SSE-KMS", kms_key_arn=lake.key.arn
                ),
                job_bookmarks_encryption=glue.CfnSecurityConfiguration.JobBookmarksEncryptionProperty(
                    job_bookmarks_encryption_mode="CSE-KMS", kms_key_arn=lake.key.arn
                ),
                s3_encryptions=[
                    glue.CfnSecurityConfiguration.S3EncryptionProperty(
                        s3_encryption_mode="SSE-KMS", kms_key_arn=lake.key.arn
                    )
                ],
            ),
        )
        crawler = glue.CfnCrawler(
            self,
            "Crawler",
            role=role.arn,
            database_name=self.database,
            crawler_security_configuration=security.name,
            description="Makes a table of every folder under raw/",
            targets=glue.CfnCrawler.TargetsProperty(
                s3_targets=[glue.CfnCrawler.S3TargetProperty(path=lake.data.uri(RAW))]
            ),
            schema_change_policy=glue.CfnCrawler.SchemaChangePolicyProperty(
                update_behavior="UPDATE_IN_DATABASE", delete_behavior="LOG"
            ),
            configuration=json.dumps(
                {
                    "Version": 1.0,
                    "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}},
                    # bucket = level 1, raw = level 2, reviews = level 3: one table for each folder under raw/.
                    "Grouping": {
                        "TableGroupingPolicy": "CombineCompatibleSchemas",
                        "TableLevelConfiguration": 3,
                    },
                },
                sort_keys=True,
            ),
        )
        # The crawler checks its role when it is created.
        crawler.node.add_dependency(role.policy)
        crawler.add_resource_dependency(security)
        return crawler

    def _crawler_statements(self) -> Sequence[Statement]:
        return (
            Statement(
                actions=[
                    "glue:BatchCreatePartition",
                    "glue:BatchGetPartition",
                    "glue:BatchUpdatePartition",
                    "glue:CreatePartition",
                    "glue:CreateTable",
                    "glue:GetDatabase",
                    "glue:GetPartition",
                    "glue:GetPartitions",
                    "glue:GetTable",
                    "glue:GetTables",
                    "glue:UpdatePartition",
                    "glue:UpdateTable",
                ],
                resources=[
                    arn("glue", "catalog"),
                    arn("glue", f"database/{self.database}"),
                    arn("glue", f"table/{self.database}/*"),
                ],
            ),
            Statement(
                actions=[
                    "logs:AssociateKmsKey",
                    "logs:CreateLogGroup",
                    "logs:CreateLogStream",
                    "logs:PutLogEvents",
                ],
                resources=[arn("logs", "log-group:/aws-glue/crawlers*")],
            ),
        )
