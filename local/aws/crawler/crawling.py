"""A Glue crawler that reads what is there: objects of S3 become tables and partitions of the catalog.

Takes StartCrawler over from ministack and keeps the crawler's state as Glue does. ``layout`` finds the tables,
``schema`` their columns, ``catalog`` writes them.
"""

import contextvars
import fnmatch
import itertools
import json
import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from local.aws import seams
from local.aws.clients import client
from local.aws.crawler import catalog, layout, schema
from local.aws.seams import Answer

log = logging.getLogger("local.crawler")

_MOST_SAMPLES = 12
_METRICS = "_earshotCounts"


class CrawlError(ValueError):
    """The crawl cannot be done; the text becomes its error message."""


def register() -> None:
    """Answer StartCrawler and GetCrawlerMetrics."""
    seams.replace_crawler_operations(start=_start, metrics=_metrics)


def recover() -> None:
    """A crawl that ended with the process is a failed one."""
    for crawler in seams.all_crawlers():
        if crawler["State"] != "READY":
            crawler["State"] = "READY"
            _note_end(crawler, crawler.get("_earshotStarted", time.time()), "The local AWS stopped during the crawl.")


def _start(data: dict[str, Any]) -> Answer:
    name = data.get("Name", "")
    crawler = seams.crawlers().get(name)
    if crawler is None:
        return _refusal("EntityNotFoundException", f"Crawler with name {name} does not exist")
    if crawler["State"] != "READY":
        return _refusal("CrawlerRunningException", f"Crawler with name {name} has already started")
    crawler["State"] = "RUNNING"
    crawler["CrawlElapsedTime"] = 0
    crawler["_earshotStarted"] = time.time()
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_crawl, crawler), name=f"crawler-{name}", daemon=True).start()
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, b"{}"


def _refusal(code: str, message: str) -> Answer:
    body = json.dumps({"__type": code, "Message": message, "message": message}).encode()
    return 400, {"Content-Type": "application/x-amz-json-1.1"}, body


def _crawl(crawler: dict[str, Any]) -> None:
    started = time.time()
    problem, counts = "", catalog.Counts()
    _publish(crawler, "Started", {})
    try:
        counts = _read_targets(crawler)
    except (CrawlError, schema.UnreadableError, catalog.CatalogError) as refusal:
        problem = str(refusal)
    except Exception as failure:
        # Whatever went wrong belongs into the crawler's record: its caller only polls the state.
        log.exception("crawler %s failed", crawler["Name"])
        problem = f"Internal Service Exception: {type(failure).__name__}: {failure}"
    crawler[_METRICS] = {
        "TablesCreated": counts.tables_created,
        "TablesUpdated": counts.tables_updated,
        "TablesDeleted": counts.tables_deleted,
    }
    crawler["CrawlElapsedTime"] = round((time.time() - started) * 1000)
    _note_end(crawler, started, problem)
    crawler["State"] = "READY"
    told = {
        "tablesCreated": str(counts.tables_created),
        "tablesUpdated": str(counts.tables_updated),
        "tablesDeleted": str(counts.tables_deleted),
        "partitionsCreated": str(counts.partitions_created),
        "partitionsUpdated": str(counts.partitions_updated),
        "partitionsDeleted": str(counts.partitions_deleted),
    }
    _publish(crawler, "Failed" if problem else "Succeeded", {"errorMessage": problem} if problem else told)


def _note_end(crawler: dict[str, Any], started: float, problem: str) -> None:
    crawler["LastCrawl"] = {
        "Status": "FAILED" if problem else "SUCCEEDED",
        "LogGroup": "/aws-glue/crawlers",
        "LogStream": crawler["Name"],
        "MessagePrefix": str(uuid4()),
        "StartTime": started,
        **({"ErrorMessage": problem} if problem else {}),
    }


def _publish(crawler: dict[str, Any], state: str, more: dict[str, str]) -> None:
    account, region = seams.current_scope()
    detail = {"crawlerName": crawler["Name"], "state": state, "accountId": account, **more}
    seams.put_aws_event(account, region, "aws.glue", "Glue Crawler State Change", detail)


def _read_targets(crawler: dict[str, Any]) -> catalog.Counts:
    targets = crawler.get("Targets") or {}
    if others := sorted(kind for kind, given in targets.items() if given and kind != "S3Targets"):
        raise CrawlError(f"The local crawler reads S3 targets only, not {', '.join(others)}.")
    level = _table_level(crawler)
    writer = catalog.Writer(crawler)
    for target in targets.get("S3Targets") or ():
        bucket, _, prefix = target["Path"].removeprefix("s3://").partition("/")
        objects = _list(bucket, prefix, target.get("Exclusions") or ())
        found = layout.tables(bucket, prefix, objects, level=level)
        for table in found:
            writer.write(table, _sampled_schema(table, int(target.get("SampleSize") or _MOST_SAMPLES)))
        writer.remove_missing(f"s3://{bucket}/{prefix}", {table.location for table in found})
    return writer.counts


def _table_level(crawler: dict[str, Any]) -> int | None:
    try:
        configuration = json.loads(crawler.get("Configuration") or "{}")
    except ValueError:
        raise CrawlError("The crawler's configuration is not JSON.") from None
    level = configuration.get("Grouping", {}).get("TableLevelConfiguration")
    return int(level) if level else None


def _list(bucket: str, prefix: str, exclusions: Sequence[str]) -> list[layout.StoredObject]:
    s3 = client("s3")
    try:
        pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
    except s3.exceptions.NoSuchBucket:
        raise CrawlError(f"The S3 bucket {bucket} does not exist.") from None
    found = itertools.chain.from_iterable(page.get("Contents", ()) for page in pages)
    return [
        layout.StoredObject(key=each["Key"], size=each["Size"])
        for each in found
        if not any(_excluded(each["Key"].removeprefix(prefix), pattern) for pattern in exclusions)
    ]


def _excluded(key: str, pattern: str) -> bool:
    """Glue's globs: ``**`` crosses folders; ``*`` does not, which matters to nobody who excludes."""
    return fnmatch.fnmatchcase(key.lstrip("/"), pattern.replace("**", "*").lstrip("/"))


def _sampled_schema(table: layout.FoundTable, most: int) -> schema.Schema:
    objects = table.objects
    step = max(1, len(objects) // most)
    chosen = [*objects[::step][: most - 1], objects[-1]] if len(objects) > most else objects
    folder = Path(tempfile.mkdtemp(prefix="crawl-"))
    try:
        samples = []
        for position, each in enumerate(chosen):
            suffix = ".gz" if each.key.endswith(".gz") else ""
            path = folder / f"{position}{suffix}"
            client("s3").download_file(table.bucket, each.key, str(path))
            samples.append(path)
        return schema.infer(samples)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _metrics(data: dict[str, Any]) -> Answer:
    known = seams.crawlers()
    listed = []
    for name in data.get("CrawlerNameList") or list(known):
        if name in known:
            seconds = known[name].get("CrawlElapsedTime", 0) / 1000
            listed.append(
                {
                    "CrawlerName": name,
                    "TimeLeftSeconds": 0.0,
                    "StillEstimating": known[name]["State"] == "RUNNING",
                    "LastRuntimeSeconds": seconds,
                    "MedianRuntimeSeconds": seconds,
                    **known[name].get(_METRICS, {"TablesCreated": 0, "TablesUpdated": 0, "TablesDeleted": 0}),
                }
            )
    body = json.dumps({"CrawlerMetricsList": listed}).encode()
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, body
