"""What channels and alerts rely on: drops that queues hear of, transactions, an index, a bus, schedules and gates."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.local_aws.conftest import LocalAws, Stack, eventually
from tests.contract.local_aws.templates import attribute, key, ref, resource, role

Json = dict[str, Any]

_GATE = """
def handle(event, context):
    if "webhook-id" not in {name.lower() for name in event["headers"]}:
        raise RuntimeError("Unauthorized")
    allowed = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
    return {"principalId": "sender", "policyDocument": {"Version": "2012-10-17", "Statement": [allowed]}}
"""
_HANDLER = """
import json
def handle(event, context):
    return {"statusCode": 202, "body": json.dumps(event["pathParameters"])}
"""


def messages(aws: LocalAws, queue: str) -> list[Json]:
    """What is received now, as documents."""
    received = aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in received.get("Messages", [])]


def table(*keys: str, **more: Any) -> Json:
    kinds = ("HASH", "RANGE")
    return resource(
        "AWS::DynamoDB::Table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, kinds, strict=False)],
        **more,
    )


def function(code: str, **more: Any) -> Json:
    return resource(
        "AWS::Lambda::Function",
        Role=attribute("Role", "Arn"),
        Runtime="python3.14",
        Handler="index.handle",
        Code={"ZipFile": code},
        **more,
    )


def invocation(name: str) -> Json:
    of_lambda = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
    return {"Fn::Join": ["", [of_lambda, attribute(name, "Arn"), "/invocations"]]}


def test_a_queue_hears_of_objects_below_its_prefix_and_of_no_others(aws: LocalAws, stack: Stack) -> None:
    heard = {
        "Event": "s3:ObjectCreated:*",
        "Queue": attribute("Queue", "Arn"),
        "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "email/"}]}},
    }
    notification = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}, "QueueConfigurations": [heard]}
    versioned = {"Status": "Enabled"}
    bucket = resource("AWS::S3::Bucket", VersioningConfiguration=versioned, NotificationConfiguration=notification)
    assert stack.put({"Queue": resource("AWS::SQS::Queue"), "Bucket": bucket}) == "CREATE_COMPLETE"
    name = stack.physical("Bucket")
    for dropped in ("files/ignored.csv", "email/first mail+1"):
        aws.client("s3").put_object(Bucket=name, Key=dropped, Body=b"text")
    seen: list[Json] = []

    def told() -> list[Json]:
        seen.extend(
            record for message in messages(aws, stack.physical("Queue")) for record in message.get("Records", [])
        )
        return seen

    (record,) = eventually(told)
    assert record["s3"]["object"]["key"] == "email/first+mail%2B1", "S3 encodes keys in its events"
    assert record["s3"]["object"]["versionId"]


def test_two_tables_are_written_together_or_not_at_all(aws: LocalAws, stack: Stack) -> None:
    assert stack.put({"Ledger": table("id"), "Desk": table("pk", "sk")}) == "CREATE_COMPLETE"
    dynamodb, ledger, desk = aws.client("dynamodb"), stack.physical("Ledger"), stack.physical("Desk")

    def write(counter: str) -> None:
        entry = {"id": {"S": "one"}, "text": {"S": "Broken."}}
        first = {"TableName": ledger, "Item": entry, "ConditionExpression": "attribute_not_exists(id)"}
        second = {"TableName": desk, "Item": {"pk": {"S": counter}, "sk": {"S": "1"}}}
        returning = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        dynamodb.transact_write_items(TransactItems=[{"Put": {**first, **returning}}, {"Put": second}])

    write("first")
    with pytest.raises(ClientError) as refused:
        write("second")
    assert refused.value.response["Error"]["Code"] == "TransactionCanceledException"
    reason, *_ = refused.value.response["CancellationReasons"]
    assert (reason["Code"], reason["Item"]["text"]) == ("ConditionalCheckFailed", {"S": "Broken."})
    written = dynamodb.scan(TableName=desk)["Items"]
    assert [item["pk"]["S"] for item in written] == ["first"]


def test_what_a_transaction_writes_is_in_the_stream_and_the_index(aws: LocalAws, stack: Stack) -> None:
    index = {
        "IndexName": "by_customer",
        "KeySchema": [{"AttributeName": "customer_ref", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    made = table("id", StreamSpecification={"StreamViewType": "NEW_AND_OLD_IMAGES"}, GlobalSecondaryIndexes=[index])
    made["Properties"]["AttributeDefinitions"].append({"AttributeName": "customer_ref", "AttributeType": "S"})
    assert stack.put({"Ledger": made}) == "CREATE_COMPLETE"
    dynamodb, ledger = aws.client("dynamodb"), stack.physical("Ledger")
    item = {"id": {"S": "one"}, "customer_ref": {"S": "c-1"}, "text": {"S": "Broken."}}
    dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": ledger, "Item": item}}])

    found = dynamodb.query(
        TableName=ledger,
        IndexName="by_customer",
        KeyConditionExpression="customer_ref = :customer",
        ExpressionAttributeValues={":customer": {"S": "c-1"}},
    )
    assert found["Items"] == [{"id": {"S": "one"}, "customer_ref": {"S": "c-1"}}]
    streams = aws.client("dynamodbstreams")
    arn = dynamodb.describe_table(TableName=ledger)["Table"]["LatestStreamArn"]
    (shard, *_) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    place = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    records = streams.get_records(ShardIterator=streams.get_shard_iterator(**place)["ShardIterator"])["Records"]
    assert [(record["eventName"], record["dynamodb"]["NewImage"]["text"]["S"]) for record in records] == [
        ("INSERT", "Broken.")
    ]


def test_a_rule_of_a_bus_of_ones_own_takes_only_what_it_asks_for(aws: LocalAws, stack: Stack) -> None:
    bus = resource("AWS::Events::EventBus", Name="test-responses", KmsKeyIdentifier=attribute("Key", "Arn"))
    rule = resource(
        "AWS::Events::Rule",
        EventBusName=ref("Bus"),
        EventPattern={"source": ["earshot"]},
        State="ENABLED",
        Targets=[{"Id": "queue", "Arn": attribute("Queue", "Arn")}],
    )
    resources = {"Key": key(), "Queue": resource("AWS::SQS::Queue"), "Bus": bus, "Rule": rule}
    assert stack.put(resources) == "CREATE_COMPLETE"
    entries = [
        {"Source": source, "DetailType": "SupportCaseWanted", "Detail": "{}", "EventBusName": stack.physical("Bus")}
        for source in ("another", "earshot")
    ]
    assert aws.client("events").put_events(Entries=entries)["FailedEntryCount"] == 0
    (event,) = eventually(lambda: messages(aws, stack.physical("Queue")))
    assert (event["source"], event["detail-type"]) == ("earshot", "SupportCaseWanted")


def test_a_schedule_is_kept_with_its_target(aws: LocalAws, stack: Stack) -> None:
    target = {
        "Id": "queue",
        "Arn": attribute("Queue", "Arn"),
        "RetryPolicy": {"MaximumEventAgeInSeconds": 60},
        "DeadLetterConfig": {"Arn": attribute("Queue", "Arn")},
    }
    rule = resource("AWS::Events::Rule", ScheduleExpression="rate(1 minute)", State="ENABLED", Targets=[target])
    assert stack.put({"Queue": resource("AWS::SQS::Queue"), "Rule": rule}) == "CREATE_COMPLETE"
    events, name = aws.client("events"), stack.physical("Rule").rsplit("|", 1)[-1]
    assert events.describe_rule(Name=name)["ScheduleExpression"] == "rate(1 minute)"
    (kept,) = events.list_targets_by_rule(Rule=name)["Targets"]
    assert kept["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60}
    assert kept["DeadLetterConfig"]["Arn"] == kept["Arn"]


def test_a_function_that_calls_itself_keeps_its_leave_to(aws: LocalAws, stack: Stack) -> None:
    parts = {"Role": role("lambda.amazonaws.com")}
    assert stack.put({**parts, "Function": function(_HANDLER, RecursiveLoop="Allow")}) == "CREATE_COMPLETE"

    def setting() -> str:
        name = stack.physical("Function")
        return str(aws.client("lambda").get_function_recursion_config(FunctionName=name)["RecursiveLoop"])

    assert setting() == "Allow"
    assert stack.put({**parts, "Function": function(_HANDLER)}) == "UPDATE_COMPLETE"
    assert setting() == "Terminate"


def test_an_authorizer_that_raises_is_a_401_with_our_problem(aws: LocalAws, stack: Stack) -> None:
    permission = {"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}
    api = {"RestApiId": ref("Api")}
    resources = {
        "Role": role("lambda.amazonaws.com"),
        "Gate": function(_GATE),
        "Handler": function(_HANDLER),
        "GatePermission": resource("AWS::Lambda::Permission", FunctionName=attribute("Gate", "Arn"), **permission),
        "Permission": resource("AWS::Lambda::Permission", FunctionName=attribute("Handler", "Arn"), **permission),
        "Api": resource("AWS::ApiGateway::RestApi", Name="webhooks"),
        "Source": resource(
            "AWS::ApiGateway::Resource", **api, ParentId=attribute("Api", "RootResourceId"), PathPart="{source}"
        ),
        "Authorizer": resource(
            "AWS::ApiGateway::Authorizer",
            **api,
            Name="gate",
            Type="REQUEST",
            AuthorizerResultTtlInSeconds=0,
            AuthorizerUri=invocation("Gate"),
        ),
        "Post": resource(
            "AWS::ApiGateway::Method",
            **api,
            ResourceId=ref("Source"),
            HttpMethod="POST",
            AuthorizationType="CUSTOM",
            AuthorizerId=ref("Authorizer"),
            Integration={"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": invocation("Handler")},
        ),
        "Unauthorized": resource(
            "AWS::ApiGateway::GatewayResponse",
            **api,
            ResponseType="UNAUTHORIZED",
            StatusCode="401",
            ResponseParameters={"gatewayresponse.header.Content-Type": "'application/problem+json'"},
            ResponseTemplates={"application/json": '{"title": "No signature", "detail": $context.error.messageString}'},
        ),
        "Deployment": {
            **resource("AWS::ApiGateway::Deployment", **api),
            "DependsOn": ["Post", "Unauthorized"],
        },
        "Stage": resource("AWS::ApiGateway::Stage", **api, DeploymentId=ref("Deployment"), StageName="live"),
    }
    assert stack.put(resources) == "CREATE_COMPLETE"

    def post(headers: dict[str, str]) -> tuple[int, str, Json]:
        url = f"{aws.url}/_aws/execute-api/{stack.physical('Api')}/live/shop"
        request = urllib.request.Request(url, data=b"{}", headers={"Content-Type": "application/json", **headers})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers["Content-Type"], json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, refused.headers["Content-Type"], json.load(refused)

    assert post({}) == (401, "application/problem+json", {"title": "No signature", "detail": "Unauthorized"})
    status, _, body = post({"webhook-id": "1"})
    assert (status, body) == (202, {"source": "shop"})


def test_a_secret_that_is_missing_says_so(aws: LocalAws) -> None:
    secrets = aws.client("secretsmanager")
    secrets.create_secret(Name="earshot/test/webhooks/shop", SecretString="whsec_test")
    assert secrets.get_secret_value(SecretId="earshot/test/webhooks/shop")["SecretString"] == "whsec_test"
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId="earshot/test/webhooks/other")
