"""CDK's custom resources: those replaced in the process, and a provider of one's own."""

import io
import zipfile
from typing import Any

from .conftest import LocalAws, Stack
from .templates import attribute, ref, resource, role

PROVIDER = """
import json, urllib.request
def handle(event, context):
    answer = {
        "Status": "FAILED" if event["ResourceProperties"].get("Word") == "no" else "SUCCESS",
        "Reason": "the word is no",
        "PhysicalResourceId": "made-" + event["LogicalResourceId"],
        "StackId": event["StackId"], "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Answer": event["RequestType"] + " " + event["ResourceProperties"].get("Word", "")},
    }
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""})
    urllib.request.urlopen(request)
"""


def provider(word: str) -> dict[str, Any]:
    return {
        "Role": role("lambda.amazonaws.com"),
        "Function": resource(
            "AWS::Lambda::Function",
            Runtime="python3.13",
            Handler="index.handle",
            Role=attribute("Role", "Arn"),
            Code={"ZipFile": PROVIDER},
            Timeout=20,
        ),
        "Thing": resource("Custom::Thing", ServiceToken=attribute("Function", "Arn"), Word=word),
    }


def test_a_provider_of_one_s_own_answers_create_and_update(stack: Stack) -> None:
    outputs = {"Answer": attribute("Thing", "Answer"), "Id": ref("Thing")}
    assert stack.put(provider("hello"), outputs) == "CREATE_COMPLETE", stack.reasons()
    assert stack.outputs() == {"Answer": "Create hello", "Id": "made-Thing"}
    assert stack.put(provider("goodbye"), outputs) == "UPDATE_COMPLETE", stack.reasons()
    assert stack.outputs()["Answer"] == "Update goodbye"


def test_a_provider_that_fails_fails_the_stack_with_its_reason(stack: Stack) -> None:
    assert stack.put(provider("no")) == "ROLLBACK_COMPLETE"
    assert any("the word is no" in reason for reason in stack.reasons())


def test_a_bucket_that_asks_for_it_is_emptied_and_deleted(aws: LocalAws, stack: Stack) -> None:
    resources = {
        "Bucket": resource(
            "AWS::S3::Bucket",
            VersioningConfiguration={"Status": "Enabled"},
            Tags=[{"Key": "aws-cdk:auto-delete-objects", "Value": "true"}],
        ),
        "Emptying": resource("Custom::S3AutoDeleteObjects", ServiceToken="unused", BucketName=ref("Bucket")),
    }
    assert stack.put(resources) == "CREATE_COMPLETE", stack.reasons()
    s3, name = aws.client("s3"), stack.physical("Bucket")
    for number in range(3):
        s3.put_object(Bucket=name, Key="a", Body=str(number).encode())
    s3.delete_object(Bucket=name, Key="a")
    stack.delete()
    assert not stack.exists()
    assert name not in [each["Name"] for each in s3.list_buckets()["Buckets"]]


def test_assets_are_put_into_a_bucket_with_their_markers_replaced(aws: LocalAws, stack: Stack) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.html", "<a>MARK</a>")
        archive.writestr("data/x.json", "{}")
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="assets")
    s3.put_object(Bucket="assets", Key="site.zip", Body=packed.getvalue())
    resources = {
        "Bucket": resource("AWS::S3::Bucket"),
        "Deployment": resource(
            "Custom::CDKBucketDeployment",
            ServiceToken="unused",
            SourceBucketNames=["assets"],
            SourceObjectKeys=["site.zip"],
            SourceMarkers=[{"MARK": "marked"}],
            DestinationBucketName=ref("Bucket"),
            DestinationBucketKeyPrefix="site",
            RetainOnDelete="false",
        ),
    }
    assert stack.put(resources) == "CREATE_COMPLETE", stack.reasons()
    name = stack.physical("Bucket")
    page = s3.get_object(Bucket=name, Key="site/index.html")
    assert page["Body"].read() == b"<a>marked</a>"
    assert page["ContentType"] == "text/html"
    assert s3.get_object(Bucket=name, Key="site/data/x.json")["ContentType"] == "application/json"
    stack.delete()
    assert not stack.exists()
