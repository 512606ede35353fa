"""Where the team asks questions of the lake: an enforced Athena workgroup and the queries to start from.

Knows the limits that a query runs under. The queries themselves are files in `stacks/queries/`; it does not know the
tables they name.
"""

from pathlib import Path

from aws_cdk import aws_athena as athena
from constructs import Construct

from stacks.constructs.lake import QUERY_RESULTS, Lake

QUERIES = Path(__file__).resolve().parent.parent / "queries"


class QueryWorkgroup(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        lake: Lake,
        database: str,
        name: str,
        scan_limit_bytes: int,
        delete_history_with_stack: bool,
    ) -> None:
        super().__init__(scope, id_)
        workgroup = athena.CfnWorkGroup
        self.name = name
        self._workgroup = athena.CfnWorkGroup(
            self,
            "WorkGroup",
            name=name,
            description="Queries over reviews and feedback, with a scan limit",
            state="ENABLED",
            recursive_delete_option=delete_history_with_stack,
            work_group_configuration=workgroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                requester_pays_enabled=False,
                bytes_scanned_cutoff_per_query=scan_limit_bytes,
                engine_version=workgroup.EngineVersionProperty(selected_engine_version="Athena engine version 3"),
                result_configuration=workgroup.ResultConfigurationProperty(
                    output_location=lake.data.uri(QUERY_RESULTS),
                    encryption_configuration=workgroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=lake.key.arn
                    ),
                ),
            ),
        )
        for path in sorted(QUERIES.glob("*.sql")):
            self._add_query(path, database)

    def _add_query(self, path: Path, database: str) -> None:
        """The first line of the file, a comment, is the description; the file's name is the query's."""
        first_line, _, _ = path.read_text(encoding="utf-8").partition("\n")
        words = path.stem.split("_")
        query = athena.CfnNamedQuery(
            self,
            "".join(word.capitalize() for word in words),
            name=" ".join(words),
            description=first_line.removeprefix("--").strip(),
            database=database,
            work_group=self.name,
            query_string=path.read_text(encoding="utf-8"),
        )
        query.add_resource_dependency(self._workgroup)
