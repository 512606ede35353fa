"""Pushed events from the API's address to the ledger, and pulled feeds from their site: with the functions as they are
bundled, and their services on the local AWS."""

import base64
import hashlib
import hmac
import io
import json
import threading
import time
import urllib.error
import urllib.request
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from bundles.functions import sources

from .conftest import LocalAws, Stack
from .templates import attribute, ref, resource

KEY_KINDS = ("HASH", "RANGE")
KEY = b"k" * 24
PREFIX = "earshot/local/webhooks/"
BODY = json.dumps({"data": {"sku": "P-1", "text": "The zip broke on day two.", "rating": 2}}).encode()


def bundle(index: str | None) -> bytes:
    library = Path(fastjsonschema.__file__).parent
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sources().items():
            archive.write(path, name)
        for path in library.glob("*.py"):
            archive.write(path, f"fastjsonschema/{path.name}")
        if index:
            archive.writestr("index.py", index)
    return content.getvalue()


def make_function(aws: LocalAws, package: str, *, index: str | None = None, **environment: str) -> str:
    """The function of a package; ``index`` is a program that stands before its handler."""
    answer = aws.client("lambda").create_function(
        FunctionName=package.replace(".", "-"),
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/function",
        Handler="index.handle" if index else f"lambdas.{package}.handler.handle",
        Code={"ZipFile": bundle(index)},
        Timeout=120,
        Environment={"Variables": environment},
    )
    return str(answer["FunctionArn"])


def api(gate_arn: str, function_arn: str) -> dict[str, Any]:
    """The route as the Intake stack has it."""

    def invocation(arn: str) -> str:
        return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"

    def part(parent: Any, path: str) -> dict[str, Any]:
        return resource("AWS::ApiGateway::Resource", RestApiId=ref("Api"), ParentId=parent, PathPart=path)

    return {
        "Api": resource("AWS::ApiGateway::RestApi", Name="pushed", EndpointConfiguration={"Types": ["REGIONAL"]}),
        "V1": part(attribute("Api", "RootResourceId"), "v1"),
        "Webhooks": part(ref("V1"), "webhooks"),
        "Source": part(ref("Webhooks"), "{source}"),
        "Gate": resource(
            "AWS::ApiGateway::Authorizer",
            RestApiId=ref("Api"),
            Name="Gate",
            Type="REQUEST",
            AuthorizerUri=invocation(gate_arn),
            AuthorizerResultTtlInSeconds=0,
        ),
        "Method": resource(
            "AWS::ApiGateway::Method",
            RestApiId=ref("Api"),
            ResourceId=ref("Source"),
            HttpMethod="POST",
            AuthorizationType="CUSTOM",
            AuthorizerId=ref("Gate"),
            Integration={"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": invocation(function_arn)},
        ),
        "Deployment": {**resource("AWS::ApiGateway::Deployment", RestApiId=ref("Api")), "DependsOn": ["Method"]},
        "Stage": resource(
            "AWS::ApiGateway::Stage", RestApiId=ref("Api"), DeploymentId=ref("Deployment"), StageName="live"
        ),
    }


@pytest.fixture(scope="module")
def acceptance(aws: LocalAws) -> dict[str, str]:
    """Where accepted feedback goes, as a channel's function is told of it."""
    tables = {"channel-ledger": ["feedback_id"], "channel-originals": ["feedback_id"], "channel-desk": ["pk", "sk"]}
    for table, keys in tables.items():
        aws.client("dynamodb").create_table(
            TableName=table,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, KEY_KINDS, strict=False)],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
        )
    return {
        "LEDGER_TABLE": "channel-ledger",
        "ORIGINALS_TABLE": "channel-originals",
        "ORIGINAL_DAYS": "30",
        "QUEUE_URL": aws.client("sqs").create_queue(QueueName="channel-queue")["QueueUrl"],
    }


def accepted(aws: LocalAws, channel: str) -> list[str]:
    events = [item["event"]["M"] for item in aws.client("dynamodb").scan(TableName="channel-ledger")["Items"]]
    return sorted(event["text"]["S"] for event in events if event["channel"]["S"] == channel)


@pytest.fixture(scope="module")
def address(aws: LocalAws, acceptance: dict[str, str]) -> str:
    """Where sources push to; ``acme`` is one."""
    text = json.dumps({"kind": "review", "secrets": ["whsec_" + base64.b64encode(KEY).decode()]})
    aws.client("secretsmanager").create_secret(Name=f"{PREFIX}acme", SecretString=text)
    function = make_function(aws, "channels.webhooks", WEBHOOK_SECRET_PREFIX=PREFIX, **acceptance)
    stack = Stack(aws, "pushed-events")
    assert stack.put(api(make_function(aws, "channels.webhook_gate"), function)) == "CREATE_COMPLETE", stack.reasons()
    return f"{aws.url}/_aws/execute-api/{stack.physical('Api')}/live/v1/webhooks/"


def push(address: str, *, source: str = "acme", headers: dict[str, str] | None = None, body: bytes = BODY) -> int:
    request = urllib.request.Request(address + source, body, {"Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def signed(*, key: bytes = KEY, at: float | None = None, body: bytes = BODY) -> dict[str, str]:
    moment = str(int(time.time() if at is None else at))
    digest = hmac.new(key, f"msg_1.{moment}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": moment, "webhook-signature": signature}


def test_a_signed_event_is_in_the_ledger_and_the_queue_once(aws: LocalAws, address: str) -> None:
    assert [push(address, headers=signed()) for _ in range(2)] == [202, 202]
    assert accepted(aws, "partner") == ["The zip broke on day two."]


def test_whoever_has_not_signed_is_answered_401_by_gate_and_function_alike(address: str) -> None:
    garbled = {**signed(), "webhook-signature": "v1,garbled"}
    late = signed(at=time.time() - 400)
    for headers in ({}, garbled, late, signed(key=b"x" * 24), signed(body=b"{}")):
        assert push(address, headers=headers) == 401
    assert push(address, source="nobody", headers=signed()) == 401


class Site(BaseHTTPRequestHandler):
    """A site with a feed of two reviews; it knows when nothing has changed."""

    def do_GET(self) -> None:
        if self.headers.get("If-None-Match") == '"1"':
            self.send_response(304)
            self.end_headers()
            return
        items = "".join(f"<item><guid>{text}</guid><title>{text}</title></item>" for text in ("Lovely", "Too tight"))
        self.send_response(200)
        self.send_header("ETag", '"1"')
        self.end_headers()
        self.wfile.write(f"<rss><channel>{items}</channel></rss>".encode())

    def log_message(self, *_: object) -> None:
        """Silence."""


# The guard lets nobody fetch from the loopback, so this one connection is made otherwise.
ON_THE_LOOPBACK = """
import http.client
from functools import partial
from lambdas.channels.puller import handler
connect = lambda target, seconds: http.client.HTTPConnection("127.0.0.1", {port}, timeout=seconds)
handler.Fetcher = partial(handler.Fetcher, connect=connect)
handle = handler.handle
"""


def test_a_feed_is_pulled_once_however_often_the_schedule_calls(aws: LocalAws, acceptance: dict[str, str]) -> None:
    site = HTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        sources = [{"name": "site", "kind": "feed", "url": "https://site.example/feed"}]
        value = json.dumps({"version": 1, "sources": sources})
        aws.client("ssm").put_parameter(Name="/earshot/local/test-sources", Value=value, Type="String")
        make_function(
            aws,
            "channels.puller",
            index=ON_THE_LOOPBACK.format(port=site.server_port),
            DESK_TABLE="channel-desk",
            SOURCES_PARAMETER="/earshot/local/test-sources",
            **acceptance,
        )
        for _ in range(2):
            answer = aws.client("lambda").invoke(FunctionName="channels-puller", Payload="{}")
            assert "FunctionError" not in answer, answer["Payload"].read()
    finally:
        site.shutdown()
        site.server_close()
        thread.join()
    assert accepted(aws, "social") == ["Lovely", "Too tight"]
    key = {"pk": {"S": "cursor"}, "sk": {"S": "site"}}
    item = aws.client("dynamodb").get_item(TableName="channel-desk", Key=key)["Item"]
    assert item["cursor"]["M"]["etag"]["S"] == '"1"'
