"""The DataLake stack: key, buckets, catalog, queries, the topic that alarms report to, and the private network.

Composes; the constructs know how. Nothing here knows who trains, serves or writes feedback.
"""

from collections.abc import Sequence

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from constructs import Construct

from stacks.constructs.catalog import Catalog
from stacks.constructs.data_key import DataKey
from stacks.constructs.lake import Lake
from stacks.constructs.operations import Operations
from stacks.constructs.private_network import PrivateNetwork
from stacks.constructs.query_workgroup import QueryWorkgroup
from stacks.settings import DataLakeSettings, PlatformSettings


class DataLake(Stack):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stack_name: str,
        name: str,
        settings: DataLakeSettings,
        platform: PlatformSettings,
        disposable: bool,
        called_by_some: Sequence[str],
    ) -> None:
        super().__init__(scope, id_, stack_name=stack_name, description="Earshot: data lake and catalog")
        delete_with_stack = disposable and settings.delete_data_with_stack
        removal_policy = RemovalPolicy.DESTROY if delete_with_stack else RemovalPolicy.RETAIN
        key = DataKey(self, "DataKey", encrypts="the feedback, reviews and models", removal_policy=removal_policy)
        self.lake = Lake(
            self,
            "Lake",
            key=key,
            delete_with_stack=delete_with_stack,
            access_log_days=settings.access_log_days,
            noncurrent_version_days=settings.noncurrent_version_days,
            query_result_days=settings.query_result_days,
            capture_days=settings.capture_days,
        )
        self.catalog = Catalog(
            self,
            "Catalog",
            lake=self.lake,
            database=name.replace("-", "_"),
            encrypt_account_catalog=settings.encrypt_account_catalog,
            removal_policy=removal_policy,
        )
        workgroup = QueryWorkgroup(
            self,
            "Queries",
            lake=self.lake,
            database=self.catalog.database,
            name=name,
            scan_limit_bytes=settings.scan_limit_bytes,
            delete_history_with_stack=delete_with_stack,
        )
        self.operations = Operations(self, "Operations", key=key, emails=settings.operations_emails)
        self.network = (
            PrivateNetwork(
                self,
                "Network",
                addresses=platform.private_addresses,
                key=key,
                log_days=platform.log_days,
                more_interfaces=called_by_some,
            )
            if platform.private_addresses
            else None
        )

        CfnOutput(self, "LakeBucket", value=self.lake.data.name)
        CfnOutput(self, "ArtifactBucket", value=self.lake.artifacts.name)
        CfnOutput(self, "Database", value=self.catalog.database)
        CfnOutput(self, "Crawler", value=self.catalog.crawler_name)
        CfnOutput(self, "WorkGroup", value=workgroup.name)
