"""Writes crawled tables and partitions into the Glue catalog, as the crawler's change policy allows.

Knows the catalog's records; not how tables were found.
"""

import hashlib
import time
from dataclasses import dataclass
from typing import Any

from local.aws.clients import client
from local.aws.crawler.layout import FoundTable, StoredObject
from local.aws.crawler.schema import Schema

_MOST_PARTITIONS_PER_CALL = 100


class CatalogError(ValueError):
    """The catalog has no place for the tables."""


@dataclass
class Counts:
    """What one crawl changed."""

    tables_created: int = 0
    tables_updated: int = 0
    tables_deleted: int = 0
    partitions_created: int = 0
    partitions_updated: int = 0
    partitions_deleted: int = 0


class Writer:
    """The catalog side of one crawl."""

    def __init__(self, crawler: dict[str, Any]) -> None:
        policy = crawler.get("SchemaChangePolicy") or {}
        self._crawler: str = crawler["Name"]
        self._database: str = crawler["DatabaseName"]
        self._prefix: str = crawler.get("TablePrefix") or ""
        self._updates = policy.get("UpdateBehavior", "UPDATE_IN_DATABASE") == "UPDATE_IN_DATABASE"
        self._deletes: str = policy.get("DeleteBehavior", "DEPRECATE_IN_DATABASE")
        self.counts = Counts()
        glue = client("glue")
        try:
            glue.get_database(Name=self._database)
        except glue.exceptions.EntityNotFoundException:
            raise CatalogError(f"The database {self._database} does not exist.") from None

    def write(self, table: FoundTable, schema: Schema) -> None:
        """Make or update the table and its partitions."""
        wanted = self._table_input(table, schema)
        existing, wanted["Name"] = self._existing(table, wanted["Name"])
        if existing is None:
            client("glue").create_table(DatabaseName=self._database, TableInput=wanted)
            self.counts.tables_created += 1
        else:
            if self._updates and _differs(existing, wanted):
                client("glue").update_table(DatabaseName=self._database, TableInput=wanted)
                self.counts.tables_updated += 1
        if table.partition_keys:
            self._write_partitions(wanted, table)

    def remove_missing(self, target: str, present: set[str]) -> None:
        """Tables of this crawler below a target whose objects are gone."""
        if self._deletes == "LOG":
            return
        for known in self._tables():
            parameters = known.get("Parameters", {})
            location = known.get("StorageDescriptor", {}).get("Location", "")
            if parameters.get("UPDATED_BY_CRAWLER") != self._crawler or not location.startswith(target):
                continue
            if location in present:
                continue
            if self._deletes == "DELETE_FROM_DATABASE":
                client("glue").delete_table(DatabaseName=self._database, Name=known["Name"])
                self.counts.tables_deleted += 1
            elif "DEPRECATED_BY_CRAWLER" not in parameters:
                deprecated = {**parameters, "DEPRECATED_BY_CRAWLER": str(round(time.time() * 1000))}
                client("glue").update_table(
                    DatabaseName=self._database, TableInput={**_as_input(known), "Parameters": deprecated}
                )
                self.counts.tables_updated += 1

    def _existing(self, table: FoundTable, name: str) -> tuple[dict[str, Any] | None, str]:
        """The table that this folder has already, and the name to use: one taken by another place gets a suffix."""
        known = {each["Name"]: each for each in self._tables()}
        for each in known.values():
            if each.get("StorageDescriptor", {}).get("Location", "").rstrip("/") == table.location.rstrip("/"):
                return each, each["Name"]
        if name in known:
            return None, f"{name}_{hashlib.sha256(table.location.encode()).hexdigest()[:32]}"
        return None, name

    def _tables(self) -> list[dict[str, Any]]:
        pages = client("glue").get_paginator("get_tables").paginate(DatabaseName=self._database)
        return [each for page in pages for each in page["TableList"]]

    def _table_input(self, table: FoundTable, schema: Schema) -> dict[str, Any]:
        parameters = self._parameters(table.objects, schema) | {"UPDATED_BY_CRAWLER": self._crawler}
        if table.partition_keys:
            parameters["partition_filtering.enabled"] = "true"
        partition_keys = set(table.partition_keys)
        return {
            "Name": f"{self._prefix}{table.name}",
            "Owner": "owner",
            "Retention": 0,
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": key, "Type": "string"} for key in table.partition_keys],
            "Parameters": parameters,
            "StorageDescriptor": {
                "Columns": [
                    {"Name": name, "Type": kind} for name, kind in schema.columns if name not in partition_keys
                ],
                "Location": table.location,
                "InputFormat": schema.input_format,
                "OutputFormat": schema.output_format,
                "Compressed": schema.compression != "none",
                "NumberOfBuckets": -1,
                "SerdeInfo": {"SerializationLibrary": schema.serde, "Parameters": schema.serde_parameters},
                "BucketColumns": [],
                "SortColumns": [],
                "Parameters": parameters,
                "StoredAsSubDirectories": False,
            },
        }

    @staticmethod
    def _parameters(objects: list[StoredObject], schema: Schema) -> dict[str, str]:
        return {
            "CrawlerSchemaDeserializerVersion": "1.0",
            "CrawlerSchemaSerializerVersion": "1.0",
            "classification": schema.classification,
            "compressionType": schema.compression,
            "objectCount": str(len(objects)),
            "sizeKey": str(sum(each.size for each in objects)),
            "typeOfData": "file",
            **schema.parameters,
        }

    def _write_partitions(self, table_input: dict[str, Any], table: FoundTable) -> None:
        glue = client("glue")
        key = {"DatabaseName": self._database, "TableName": table_input["Name"]}
        pages = glue.get_paginator("get_partitions").paginate(**key)
        known = {tuple(each["Values"]) for page in pages for each in page["Partitions"]}
        new = [values for values in table.partitions if values not in known]
        for start in range(0, len(new), _MOST_PARTITIONS_PER_CALL):
            batch = new[start : start + _MOST_PARTITIONS_PER_CALL]
            glue.batch_create_partition(
                **key, PartitionInputList=[_partition_input(table_input, table, values) for values in batch]
            )
        self.counts.partitions_created += len(new)
        if self._deletes == "DELETE_FROM_DATABASE":
            for values in known - set(table.partitions):
                glue.delete_partition(**key, PartitionValues=list(values))
                self.counts.partitions_deleted += 1


def _partition_input(table_input: dict[str, Any], table: FoundTable, values: tuple[str, ...]) -> dict[str, Any]:
    objects = table.partitions[values]
    own = {"objectCount": str(len(objects)), "sizeKey": str(sum(each.size for each in objects))}
    return {
        "Values": list(values),
        "StorageDescriptor": {**table_input["StorageDescriptor"], "Location": table.partition_location(values)},
        "Parameters": {**table_input["Parameters"], **own},
    }


def _differs(existing: dict[str, Any], wanted: dict[str, Any]) -> bool:
    def essence(table: dict[str, Any]) -> Any:
        storage = table["StorageDescriptor"]
        return (
            [(each["Name"], each["Type"]) for each in storage.get("Columns", [])],
            [each["Name"] for each in table.get("PartitionKeys", [])],
            storage.get("SerdeInfo", {}).get("SerializationLibrary"),
            {name: value for name, value in table.get("Parameters", {}).items() if name in _TOLD},
        )

    return bool(essence(existing) != essence(wanted))


_TOLD = frozenset({"classification", "objectCount", "sizeKey", "compressionType", "UPDATED_BY_CRAWLER"})
_INPUT_MEMBERS = ("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType",
                  "Parameters")  # fmt: skip


def _as_input(table: dict[str, Any]) -> dict[str, Any]:
    return {member: table[member] for member in _INPUT_MEMBERS if member in table}
