"""The proxy before a small target, asked by real boto3 clients: what they read is what AWS would have them read."""

import hashlib
import json
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from faults.plan import Plan, PlanError, parse
from faults.proxy import Proxy
from faults.server import Handler, Server
from faults.wire import call_of

JSON = {"Content-Type": "application/x-amz-json-1.0"}


class Target(Server):
    """Remembers what reaches it, and does batches."""

    def __init__(self):
        super().__init__(TargetHandler)
        self.seen = []


class TargetHandler(Handler):
    def answer(self, body):
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        self.server.seen.append((operation or f"{self.command} {self.path}", body))
        answers = {
            "SendMessageBatch": lambda asked: {"Successful": [sent(entry) for entry in asked["Entries"]]},
            "PutRecordBatch": lambda asked: {
                "FailedPutCount": 0,
                "RequestResponses": [{"RecordId": entry["Data"]} for entry in asked["Records"]],
            },
            "BatchWriteItem": lambda asked: {"UnprocessedItems": {}},
            "BatchGetItem": lambda asked: {
                "Responses": {table: wanted["Keys"] for table, wanted in asked["RequestItems"].items()},
                "UnprocessedKeys": {},
            },
        }
        if operation in answers:
            self.send(200, json.dumps(answers[operation](json.loads(body))).encode(), JSON)
        elif operation:
            self.send(200, b"{}", JSON)
        else:
            self.send(200, b"" if self.command == "PUT" else b"0123456789", {"ETag": '"e"'})


def sent(entry):
    digest = hashlib.md5(entry["MessageBody"].encode(), usedforsecurity=False).hexdigest()
    return {"Id": entry["Id"], "MessageId": f"m-{entry['Id']}", "MD5OfMessageBody": digest}


@pytest.fixture(scope="module")
def target():
    with Target() as served:
        yield served


@pytest.fixture
def start(target):
    target.seen.clear()
    started = []

    def start(*words, seed=0):
        reports = []
        proxy = Proxy(
            target=target.url, plan=Plan([parse(each) for each in words], seed=seed), report=reports.append
        ).__enter__()
        proxy.reports = reports
        started.append(proxy)
        return proxy

    yield start
    for proxy in started:
        proxy.__exit__()


def client(service, proxy, *, attempts=1):
    return boto3.client(
        service,
        endpoint_url=proxy.url,
        region_name="eu-west-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"mode": "standard", "total_max_attempts": attempts}, s3={"addressing_style": "path"}),
    )


PUT = {"TableName": "t", "Item": {"id": {"S": "secret text"}}}
CALLS = {
    "dynamodb": ("PutItem", lambda aws: aws.put_item(**PUT)),
    "dynamodbstreams": ("ListStreams", lambda aws: aws.list_streams()),
    "sqs": ("GetQueueUrl", lambda aws: aws.get_queue_url(QueueName="q")),
    "sns": ("Publish", lambda aws: aws.publish(TopicArn="arn:aws:sns:eu-west-1:000000000000:t", Message="hello")),
    "s3": ("PutObject", lambda aws: aws.put_object(Bucket="b", Key="deep/key", Body=b"content")),
    "lambda": ("Invoke", lambda aws: aws.invoke(FunctionName="f")),
    "cloudwatch": ("PutMetricData", lambda aws: aws.put_metric_data(Namespace="N", MetricData=[])),
    "sagemaker": ("ListEndpoints", lambda aws: aws.list_endpoints()),
    "sagemaker-runtime": ("InvokeEndpoint", lambda aws: aws.invoke_endpoint(EndpointName="e", Body=b"{}")),
    "stepfunctions": ("ListStateMachines", lambda aws: aws.list_state_machines()),
    "route53": ("ListHostedZones", lambda aws: aws.list_hosted_zones()),
}


@pytest.mark.parametrize("service", CALLS)
def test_an_error_arrives_in_the_words_of_its_service(start, target, service):
    operation, ask = CALLS[service]
    proxy = start(f"service={service},operation={operation},error=ThrottlingException,status=429")
    with pytest.raises(ClientError) as refused:
        ask(client(service, proxy))
    assert refused.value.response["Error"]["Code"] == "ThrottlingException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert target.seen == []
    (report,) = proxy.reports
    assert (report["service"], report["operation"], report["fault"]) == (service, operation, "error")


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        ("dynamodb", "ProvisionedThroughputExceededException", 400),
        ("dynamodb", "InternalServerError", 500),
        ("s3", "SlowDown", 503),
        ("sagemaker-runtime", "ModelError", 424),
        ("lambda", "TooManyRequestsException", 429),
    ],
)
def test_an_error_has_the_status_that_its_service_gives_it(start, service, code, status):
    with pytest.raises(ClientError, match=code) as refused:
        CALLS[service][1](client(service, start(f"error={code}")))
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_no_report_holds_what_was_sent(start):
    proxy = start("operation=PutItem,reset=after", "operation=PutObject,latency=1ms")
    with pytest.raises(BotoCoreError):
        client("dynamodb", proxy).put_item(**PUT)
    client("s3", proxy).put_object(Bucket="b", Key="secret-name", Body=b"secret text")
    assert len(proxy.reports) == 2
    assert "secret" not in json.dumps(proxy.reports)


def test_a_call_that_no_fault_concerns_passes_as_it_is(start, target):
    proxy = start("service=sqs,error=A")
    client("dynamodb", proxy).put_item(**PUT)
    assert client("s3", proxy).get_object(Bucket="b", Key="k")["Body"].read() == b"0123456789"
    assert [seen[0] for seen in target.seen] == ["PutItem", "GET /b/k"]
    assert json.loads(target.seen[0][1]) == PUT
    assert proxy.reports == []


def test_boto_tries_again_and_succeeds_when_the_count_runs_out(start, target):
    client("dynamodb", start("error=ThrottlingException,count=1"), attempts=2).put_item(**PUT)
    assert len(target.seen) == 1


@pytest.mark.parametrize(("reset", "reached"), [("before", 0), ("after", 1)])
def test_a_reset_loses_the_call_or_its_answer(start, target, reset, reached):
    with pytest.raises(BotoCoreError):
        client("dynamodb", start(f"reset={reset}")).put_item(**PUT)
    assert len(target.seen) == reached


def test_an_answer_is_cut(start):
    body = client("s3", start("keep=0.3")).get_object(Bucket="b", Key="k")["Body"]
    with pytest.raises(BotoCoreError):
        body.read()


def test_latency_comes_before_the_answer(start):
    began = time.monotonic()
    client("dynamodb", start("latency=150ms")).put_item(**PUT)
    assert time.monotonic() - began >= 0.15


def test_a_status_without_a_code_is_a_page_that_is_not_amazons(start):
    with pytest.raises(ClientError) as refused:
        client("sagemaker-runtime", start("status=502")).invoke_endpoint(EndpointName="e", Body=b"")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_some_messages_of_a_batch_fail_inside_a_200_and_are_not_sent(start, target, share):
    entries = [{"Id": str(index), "MessageBody": f"text {index}"} for index in range(10)]
    proxy = start(f"operation=SendMessageBatch,partial={share}")
    answer = client("sqs", proxy).send_message_batch(QueueUrl=f"{proxy.url}/000000000000/q", Entries=entries)
    failed = {each["Id"] for each in answer["Failed"]}
    assert failed
    assert {each["Id"] for each in answer.get("Successful", [])} == {str(index) for index in range(10)} - failed
    passed_on = [entry["Id"] for _, body in target.seen for entry in json.loads(body)["Entries"]]
    assert set(passed_on).isdisjoint(failed)
    assert proxy.reports[0]["failed"] == len(failed)


def test_some_records_of_a_delivery_stream_fail_in_their_places(start):
    records = [{"Data": bytes([65 + index])} for index in range(8)]
    answer = client("firehose", start("partial=0.5")).put_record_batch(DeliveryStreamName="d", Records=records)
    failed = [index for index, each in enumerate(answer["RequestResponses"]) if "ErrorCode" in each]
    assert len(answer["RequestResponses"]) == 8
    assert answer["FailedPutCount"] == len(failed) > 0


def test_items_of_a_table_stay_unprocessed(start):
    keys = [{"id": {"S": str(index)}} for index in range(6)]
    proxy = start("partial=0.5")
    aws = client("dynamodb", proxy)
    answer = aws.batch_get_item(RequestItems={"t": {"Keys": keys, "ConsistentRead": True}})
    undone = answer["UnprocessedKeys"]["t"]
    assert undone["ConsistentRead"] is True
    assert sorted(map(str, undone["Keys"] + answer["Responses"]["t"])) == sorted(map(str, keys))
    puts = [{"PutRequest": {"Item": key}} for key in keys]
    assert aws.batch_write_item(RequestItems={"t": puts})["UnprocessedItems"]["t"]


def test_a_partial_fault_leaves_other_calls_whole_and_says_so(start, target):
    proxy = start("partial=1")
    client("dynamodb", proxy).put_item(**PUT)
    assert proxy.reports[0]["why"] == "not a batch"
    assert len(target.seen) == 1


def test_a_target_that_is_away_is_a_502(target):
    reports = []
    with Proxy(target="http://127.0.0.1:9", plan=Plan([]), report=reports.append) as proxy:
        with pytest.raises(ClientError) as refused:
            client("dynamodb", proxy).put_item(**PUT)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502
    assert reports[0]["why"] == "the target does not answer"


@pytest.mark.parametrize("target", ["", "127.0.0.1:4566", "ftp://here"])
def test_a_target_that_is_no_address_is_refused(target):
    with pytest.raises(PlanError):
        Proxy(target=target, plan=Plan([]))


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("GET", "/b/k", "GetObject"),
        ("GET", "/b/k?tagging", "GetObjectTagging"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"),
        ("POST", "/b/k?uploads", "CreateMultipartUpload"),
        ("GET", "/b?list-type=2&prefix=p", "ListObjectsV2"),
        ("DELETE", "/b/deep/key", "DeleteObject"),
    ],
)
def test_operations_of_s3_are_told_from_path_and_query(method, target, operation):
    scope = {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260301/eu-west-1/s3/aws4_request, SignedHeaders=host"}
    assert call_of(method, target, scope, b"").operation == operation


def test_what_is_no_call_of_aws_still_has_a_name():
    assert call_of("GET", "/page", {}, b"").operation == "GET /"
    odd = {"authorization": "AWS4-HMAC-SHA256 Credential=A/20260301/eu-west-1/../aws4_request"}
    assert call_of("GET", "/page", odd, b"").operation == "GET /"
