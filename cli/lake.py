"""Reviews in the lake: their place, their file, and whether they are there already.

Responsible for the key and the parquet schema of `raw/reviews/`. It does not know CSV.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from cli.connection import Connection
from cli.reviews import Review, Reviews

REVIEWS_PREFIX = "raw/reviews/"
TRAINING_PREFIX = "raw/"  # reviews, and the corrections of feedback


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """One file of reviews in the lake."""

    bucket: str
    key: str
    rows: int
    new: bool


def ingest(connection: Connection, reviews: Reviews) -> Ingested:
    """Stores the reviews as one object, once: the same content is found again by its hash, whenever it came."""
    bucket = connection.output("data-lake", "LakeBucket")
    client = connection.client("s3")
    name = f"{reviews.digest}.parquet"
    for key in review_keys(connection):
        if key.endswith(f"/{name}"):
            return Ingested(bucket=bucket, key=key, rows=len(reviews.reviews), new=False)
    key = f"{REVIEWS_PREFIX}ingest_date={datetime.now(UTC).date().isoformat()}/{name}"
    client.put_object(Bucket=bucket, Key=key, Body=parquet(reviews.reviews))
    return Ingested(bucket=bucket, key=key, rows=len(reviews.reviews), new=True)


def review_keys(connection: Connection, prefix: str = REVIEWS_PREFIX) -> list[str]:
    """Keys of all ingested files under the prefix, sorted."""
    bucket = connection.output("data-lake", "LakeBucket")
    pages = connection.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return sorted(entry["Key"] for page in pages for entry in page.get("Contents", []))


def parquet(reviews: Sequence[Review]) -> bytes:
    """The canonical file: every column but the first three may be null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            pa.field("review_id", pa.string(), nullable=False),
            pa.field("text", pa.string(), nullable=False),
            pa.field("rating", pa.int64(), nullable=False),
            pa.field("title", pa.string()),
            pa.field("product_id", pa.string()),
            pa.field("category", pa.string()),
            pa.field("channel", pa.string()),
            pa.field("created_at", pa.string()),
            pa.field("customer_age", pa.int64()),
        ]
    )
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([asdict(review) for review in reviews], schema=schema), file)
    return file.getvalue()
