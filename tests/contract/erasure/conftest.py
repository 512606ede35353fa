"""A stage of which moto keeps the stores, with three customers in all of them."""

import base64
import io
import json
from functools import cache

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws
from rich.console import Console

from cli.connection import AwsConnection
from cli.forget import forgetting
from cli.steps import Steps
from lambdas.aws.attributes import to_item
from tests.unit.lambdas.fakes import classified

GONE, OTHER = "C-1", "C-10"
MARK = "violet-ostrich"
"""Stands in whatever the customer said who is to be forgotten."""


class Killed(BaseException):
    """The process ends here."""


made_once = cache(boto3.client)


class Stage:
    """The stage's stores, and a look at every byte in them."""

    def __init__(self):
        self.clients = {name: made_once(name) for name in ("s3", "dynamodb", "sqs")}
        self.s3, self.dynamodb, self.sqs = self.clients.values()
        self.clients["cloudformation"] = self
        self.queues = {name: self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("alerts", "dead")}
        self.writes_left = None
        for client in (self.s3, self.dynamodb, self.sqs):
            client.meta.events.register("before-call", self._count)
        for bucket in ("lake", "drop", "artifacts"):
            self.s3.create_bucket(Bucket=bucket)
            self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        self._make_tables()

    def close(self):
        for client in (self.s3, self.dynamodb, self.sqs):
            client.meta.events.unregister("before-call", self._count)

    def get_paginator(self, _):
        return self

    def paginate(self, **_):
        queues = [{"ResourceType": "AWS::SQS::Queue", "PhysicalResourceId": url} for url in self.queues.values()]
        return [{"StackResourceSummaries": [*queues, {"ResourceType": "AWS::SNS::Topic", "PhysicalResourceId": "t"}]}]

    def forget(self, customer, *, thorough=False, dry_run=False, writes=None):
        """Erase; with `writes` the process is killed before the next write."""
        outputs = {
            "intake": {"Ledger": "ledger", "Originals": "originals", "Desk": "desk", "DropBucket": "drop"},
            "data-lake": {"LakeBucket": "lake", "ArtifactBucket": "artifacts"},
        }
        connection = AwsConnection(stage="dev", endpoint_url=None, _clients=dict(self.clients), _outputs=outputs)
        self.writes_left = writes
        try:
            steps = Steps(Console(file=io.StringIO()))
            return forgetting(connection, steps).forget(customer, thorough=thorough, dry_run=dry_run)
        finally:
            self.writes_left = None

    def put(self, bucket, key, *versions):
        for content in versions:
            self.s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType="application/x-test")

    def contents(self):
        """Everything that lies anywhere: by store and place, every version of it."""
        found = {}
        for bucket in ("lake", "drop", "artifacts"):
            listed = self.s3.list_object_versions(Bucket=bucket)
            for each in listed.get("Versions", []):
                body = self.s3.get_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])["Body"].read()
                found[bucket, each["Key"], each["VersionId"]] = body
        for table in ("ledger", "originals", "desk"):
            for item in self.dynamodb.scan(TableName=table)["Items"]:
                key = item.get("feedback_id") or {"S": item["pk"]["S"] + "|" + item["sk"]["S"]}
                found[table, key["S"], ""] = json.dumps(item, sort_keys=True).encode()
        for name, url in self.queues.items():
            while messages := self.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60, MessageAttributeNames=["All"]
            ).get("Messages"):
                for message in messages:
                    found[name, message["MessageId"], ""] = message["Body"].encode()
                    found.setdefault((name, "handles", ""), []).append(message["ReceiptHandle"])
            for handle in found.pop((name, "handles", ""), []):
                self.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        return found

    def _count(self, model, **_):
        if self.writes_left is None or not model.name.startswith(("Put", "Delete", "Update")):
            return
        if self.writes_left == 0:
            raise Killed
        self.writes_left -= 1

    def _make_tables(self):
        for name, keys in (("ledger", ["feedback_id"]), ("originals", ["feedback_id"]), ("desk", ["pk", "sk"])):
            index = name == "ledger"
            self.dynamodb.create_table(
                TableName=name,
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
                AttributeDefinitions=[
                    {"AttributeName": key, "AttributeType": "S"}
                    for key in [*keys, *(["customer_ref", "received_at"] if index else [])]
                ],
                BillingMode="PAY_PER_REQUEST",
                **(
                    {
                        "GlobalSecondaryIndexes": [
                            {
                                "IndexName": "by_customer",
                                "KeySchema": [
                                    {"AttributeName": "customer_ref", "KeyType": "HASH"},
                                    {"AttributeName": "received_at", "KeyType": "RANGE"},
                                ],
                                "Projection": {"ProjectionType": "KEYS_ONLY"},
                            }
                        ]
                    }
                    if index
                    else {}
                ),
            )


def line(**fields):
    return json.dumps(fields).encode() + b"\n"


def table(*rows):
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), file, compression="zstd")
    return file.getvalue()


def captured(*pairs, encoding="JSON"):
    def side(data):
        text = base64.b64encode(data).decode() if encoding == "BASE64" else data.decode()
        return {"observedContentType": "application/jsonlines", "data": text, "encoding": encoding}

    asked = b"".join(line(id=id_, text=text) for id_, text in pairs)
    answered = b"".join(line(id=id_, sentiment=-1) for id_, _ in pairs)
    sides = {"endpointInput": side(asked), "endpointOutput": side(answered)}
    return line(captureData=sides, eventMetadata={"eventId": "e"}, eventVersion="0")


def text_of(id_):
    customer = GONE if id_ in ("fb-1", "fb-2", "fb-9") else OTHER
    return f"The {MARK} zip of {id_} broke after a day" if customer == GONE else f"A lovely coat, says {id_} of others"


@pytest.fixture
def stage(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        made = Stage()
        fill(made)
        yield made
        made.close()


def fill(stage):
    """fb-1 and fb-2 are the customer's, fb-9 only the lake still knows; fb-10 and fb-20 are another's."""
    owners = {"fb-1": GONE, "fb-2": GONE, "fb-10": OTHER, "fb-20": OTHER}
    for id_, owner in owners.items():
        entry = classified(id_)
        event = {**entry.event.to_document(), "text": text_of(id_), "customer_ref": owner}
        event["metadata"] = {"source": f"files/{id_}.csv", "version": "1"}
        item = {**entry.to_document(), "event": event, "customer_ref": owner}
        stage.dynamodb.put_item(TableName="ledger", Item=to_item(item))
        stage.dynamodb.put_item(TableName="originals", Item=to_item({"feedback_id": id_, "text": text_of(id_)}))
        stage.put("drop", f"files/{id_}.csv", f"{owner},{text_of(id_)}".encode(), b"again " + text_of(id_).encode())
        stage.put("drop", f"results/files/{id_}.csv.json", b'{"rows": 1}')
        alert = {"Message": text_of(id_), "MessageAttributes": {"feedback_id": {"Type": "String", "Value": id_}}}
        for url in stage.queues.values():
            stage.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(alert))
        desk = [("review", f"2026-03-01T10:00:00.000Z#{id_}", {"reason": "unsure"}), ("agenda", f"x#quiet#{id_}", {})]
        for pk, sk, document in [*desk, ("response", id_, {"event": "SupportCaseWanted"})]:
            stage.dynamodb.put_item(TableName="desk", Item=to_item({"pk": pk, "sk": sk, **document}))
        stage.put("lake", f"reports/cases/{id_}.json", json.dumps({"detail": {"feedback_id": id_}}).encode())
    examples = [{"feedback_id": id_, "quote": text_of(id_)} for id_ in owners]
    storm = {"pk": "storm#P-1", "sk": "w1", "count": 7, "examples": examples, "ids": list(owners), "known": {"a": 1}}
    stage.dynamodb.put_item(TableName="desk", Item=to_item(storm))
    stage.dynamodb.put_item(TableName="desk", Item=to_item({"pk": "breaker", "sk": "endpoint", "failures": 2}))

    ids = [*owners, "fb-9"]
    rows = [line(feedback_id=i, text=text_of(i), customer_ref=owners.get(i, GONE)) for i in ids]
    stage.put("lake", "feedback/dt=2026-03-01/a.jsonl", b"".join(rows))
    stage.put("lake", "feedback/dt=2026-03-01/old.jsonl", rows[0], rows[2])  # theirs in an old version only
    stage.put("lake", "feedback/dt=2026-03-01/theirs.jsonl", rows[0] + rows[1])
    stage.put("lake", "feedback/dt=2026-03-01/others.jsonl", rows[2] + rows[3])
    stage.put("lake", "feedback/dt=2026-03-02/deleted.jsonl", rows[1])
    stage.s3.delete_object(Bucket="lake", Key="feedback/dt=2026-03-02/deleted.jsonl")
    stage.put("lake", "raw/corrections/ingest_date=2026-03-02/c.jsonl", line(review_id="fb-1", text=text_of("fb-1")) +
              line(review_id="fb-10", text=text_of("fb-10")))  # fmt: skip
    reviews = [{"review_id": id_, "text": text_of(id_), "rating": 1} for id_ in ids]
    stage.put("lake", "raw/reviews/ingest_date=2026-03-02/r.parquet", table(*reviews))
    features = [{"text_id": str(n), "text": text_of(id_).upper(), "stars": 1} for n, id_ in enumerate(ids)]
    stage.put("lake", "curated/features/run/train/part-0.parquet", table(*features), table(*features[:3]))
    stage.put("lake", "curated/features/run/features.json", b'{\n  "rows": 5\n}\n')
    pairs = [(id_, text_of(id_)) for id_ in ids]
    stage.put("lake", "capture/e/AllTraffic/2026/03/01/10/x.jsonl", captured(*pairs) + captured(pairs[2]))
    stage.put(
        "lake", "capture/e/AllTraffic/2026/03/01/10/y.jsonl", captured(pairs[0]), captured(*pairs, encoding="BASE64")
    )
    probes = [line(text=text_of(id_), sentiment=-1, expected=-1) for id_ in ids]
    stage.put("artifacts", "models/run/probes.jsonl", b"".join(probes))
    stage.put("artifacts", "models/run/model.tar.gz", b"\x1f\x8b violet")
    stage.put("lake", "rescore/j/input/part-0.jsonl", b"".join(line(id=id_, text=text) for id_, text in pairs))
    stage.put("lake", "athena/q1.csv", f'"text"\n"{text_of("fb-2")}"\n'.encode())
    stage.put("lake", "athena/q2.csv", f'"customer_ref"\n"{GONE}"\n'.encode())
    stage.put("lake", "athena/q3.csv", f'"feedback_id","customer_ref"\n"fb-10","{OTHER}"\n'.encode())
    stage.put("lake", "athena/q3.csv.metadata", b"\x08\x01")
