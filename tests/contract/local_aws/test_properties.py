"""Each property that the templates rely on and ministack drops: read back through the service's own interface."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import LocalAws, Stack
from .templates import attribute, key, ref, resource, role


def test_bucket_properties(aws: LocalAws, stack: Stack) -> None:
    lifecycle = [
        {
            "Id": "old",
            "Status": "Enabled",
            "Prefix": "athena/",
            "ExpirationInDays": "7",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 5}],
        }
    ]
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": attribute("Key", "Arn")}
    rule = {"ServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    resources: dict[str, Any] = {
        "Key": key(),
        "Logs": resource("AWS::S3::Bucket"),
        "Bucket": resource(
            "AWS::S3::Bucket",
            BucketEncryption={"ServerSideEncryptionConfiguration": [rule]},
            LifecycleConfiguration={"Rules": lifecycle},
            OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            LoggingConfiguration={"DestinationBucketName": ref("Logs"), "LogFilePrefix": "lake/"},
            ObjectLockEnabled=True,
            VersioningConfiguration={"Status": "Enabled"},
            PublicAccessBlockConfiguration={"BlockPublicAcls": True, "RestrictPublicBuckets": True},
            NotificationConfiguration={"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
            Tags=[{"Key": "stage", "Value": "local"}],
        ),
    }
    assert stack.put(resources) == "CREATE_COMPLETE", stack.reasons()
    s3, name = aws.client("s3"), stack.physical("Bucket")
    encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert encryption["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"].endswith(stack.physical("Key"))
    assert encryption["BucketKeyEnabled"] is True
    (kept,) = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert kept["ID"] == "old"
    assert kept["Filter"] == {"Prefix": "athena/"}
    assert kept["Expiration"] == {"Days": 7}
    assert kept["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert kept["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert kept["Transitions"] == [{"Days": 5, "StorageClass": "GLACIER"}]
    ownership = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]
    assert ownership == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    logging = s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]
    assert (logging["TargetBucket"], logging["TargetPrefix"]) == (stack.physical("Logs"), "lake/")
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    lock = s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
    assert lock == {"ObjectLockEnabled": "Enabled"}
    blocked = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert blocked["RestrictPublicBuckets"] is True
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=name)
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "stage", "Value": "local"}]
    s3.put_object(Bucket=name, Key="a", Body=b"with the bucket's own encryption")

    properties = {k: v for k, v in resources["Bucket"]["Properties"].items() if k != "LifecycleConfiguration"}
    resources["Bucket"] = resource("AWS::S3::Bucket", **{**properties, "Tags": [{"Key": "stage", "Value": "dev"}]})
    assert stack.put(resources) == "UPDATE_COMPLETE", stack.reasons()
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "stage", "Value": "dev"}]
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=name)
    _empty(aws, name)


def _empty(aws: LocalAws, name: str) -> None:
    s3 = aws.client("s3")
    for version in s3.list_object_versions(Bucket=name).get("Versions", []):
        s3.delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])


def test_a_bucket_with_objects_is_not_deleted(aws: LocalAws, stack: Stack) -> None:
    assert stack.put({"Bucket": resource("AWS::S3::Bucket")}) == "CREATE_COMPLETE", stack.reasons()
    name = stack.physical("Bucket")
    aws.client("s3").put_object(Bucket=name, Key="a", Body=b"kept")
    stack.delete()
    assert any("not empty" in reason for reason in stack.reasons())
    assert aws.client("s3").get_object(Bucket=name, Key="a")["Body"].read() == b"kept"
    aws.client("s3").delete_object(Bucket=name, Key="a")


def test_table_properties(aws: LocalAws, stack: Stack) -> None:
    def table(**more: Any) -> dict[str, Any]:
        return resource(
            "AWS::DynamoDB::Table",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            StreamSpecification={"StreamViewType": "NEW_AND_OLD_IMAGES"},
            **more,
        )

    full = table(
        TimeToLiveSpecification={"AttributeName": "expires_at", "Enabled": True},
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        SSESpecification={"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": attribute("Key", "Arn")},
        DeletionProtectionEnabled=True,
    )
    assert stack.put({"Key": key(), "Table": full}) == "CREATE_COMPLETE", stack.reasons()
    dynamodb, name = aws.client("dynamodb"), stack.physical("Table")
    expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert (expiry["TimeToLiveStatus"], expiry["AttributeName"]) == ("ENABLED", "expires_at")
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    described = dynamodb.describe_table(TableName=name)["Table"]
    assert described["SSEDescription"]["Status"] == "ENABLED"
    assert described["SSEDescription"]["KMSMasterKeyArn"].endswith(stack.physical("Key"))
    assert described["DeletionProtectionEnabled"] is True
    assert described["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"

    assert stack.put({"Key": key(), "Table": table(DeletionProtectionEnabled=True)}) == "UPDATE_COMPLETE"
    expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert expiry["TimeToLiveStatus"] == "DISABLED"
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"

    stack.delete()
    assert any("protected against deletion" in reason for reason in stack.reasons())
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    stack.delete()
    assert not stack.exists()


def test_topic_queue_and_log_group_properties(aws: LocalAws, stack: Stack) -> None:
    resources = {
        "Key": key(),
        "Topic": resource("AWS::SNS::Topic", DisplayName="Alerts", KmsMasterKeyId=attribute("Key", "Arn")),
        "Dead": resource(
            "AWS::SQS::Queue", MessageRetentionPeriod=1209600, RedriveAllowPolicy={"redrivePermission": "allowAll"}
        ),
        "Subscription": resource(
            "AWS::SNS::Subscription",
            TopicArn=ref("Topic"),
            Protocol="sqs",
            Endpoint=attribute("Queue", "Arn"),
            RedrivePolicy={"deadLetterTargetArn": attribute("Dead", "Arn")},
        ),
        "Queue": resource(
            "AWS::SQS::Queue",
            VisibilityTimeout="360",
            KmsMasterKeyId=attribute("Key", "Arn"),
            RedrivePolicy={"deadLetterTargetArn": attribute("Dead", "Arn"), "maxReceiveCount": 5},
        ),
        "Log": resource("AWS::Logs::LogGroup", RetentionInDays=7, KmsKeyId=attribute("Key", "Arn")),
    }
    assert stack.put(resources) == "CREATE_COMPLETE", stack.reasons()
    key_id = stack.physical("Key")
    topic = aws.client("sns").get_topic_attributes(TopicArn=stack.physical("Topic"))["Attributes"]
    assert topic["KmsMasterKeyId"].endswith(key_id)
    assert topic["DisplayName"] == "Alerts"
    queue = aws.client("sqs").get_queue_attributes(QueueUrl=stack.physical("Queue"), AttributeNames=["All"])[
        "Attributes"
    ]
    assert queue["VisibilityTimeout"] == "360"
    assert queue["KmsMasterKeyId"].endswith(key_id)
    assert json.loads(queue["RedrivePolicy"])["maxReceiveCount"] == 5
    dead = aws.client("sqs").get_queue_attributes(QueueUrl=stack.physical("Dead"), AttributeNames=["All"])["Attributes"]
    assert json.loads(dead["RedriveAllowPolicy"]) == {"redrivePermission": "allowAll"}
    subscription = aws.client("sns").get_subscription_attributes(SubscriptionArn=stack.physical("Subscription"))
    assert json.loads(subscription["Attributes"]["RedrivePolicy"])["deadLetterTargetArn"] == dead["QueueArn"]
    (group,) = aws.client("logs").describe_log_groups(logGroupNamePrefix=stack.physical("Log"))["logGroups"]
    assert group["retentionInDays"] == 7
    assert group["kmsKeyId"].endswith(key_id)
    assert aws.client("kms").get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"] is True


def test_function_and_state_machine_properties(aws: LocalAws, stack: Stack) -> None:
    resources = {
        "Key": key(),
        "Role": role("lambda.amazonaws.com"),
        "Log": resource("AWS::Logs::LogGroup"),
        "Function": resource(
            "AWS::Lambda::Function",
            Runtime="python3.13",
            Handler="index.handle",
            Role=attribute("Role", "Arn"),
            Code={"ZipFile": "def handle(event, context):\n    return 1\n"},
            KmsKeyArn=attribute("Key", "Arn"),
            LoggingConfig={"LogGroup": ref("Log")},
            DeadLetterConfig={"TargetArn": attribute("Dead", "Arn")},
            TracingConfig={"Mode": "Active"},
            Timeout="12",
        ),
        "Dead": resource("AWS::SQS::Queue"),
        "Machine": resource(
            "AWS::StepFunctions::StateMachine",
            DefinitionString=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}),
            RoleArn=attribute("Role", "Arn"),
            LoggingConfiguration={
                "Level": "ERROR",
                "IncludeExecutionData": False,
                "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": attribute("Log", "Arn")}}],
            },
        ),
    }
    assert stack.put(resources) == "CREATE_COMPLETE", stack.reasons()
    function = aws.client("lambda").get_function_configuration(FunctionName=stack.physical("Function"))
    assert function["KMSKeyArn"].endswith(stack.physical("Key"))
    assert function["LoggingConfig"]["LogGroup"] == stack.physical("Log")
    assert function["Timeout"] == 12
    assert function["DeadLetterConfig"]["TargetArn"].endswith(stack.physical("Dead").rsplit("/", 1)[1])
    assert function["TracingConfig"]["Mode"] == "Active"
    machine = aws.client("stepfunctions").describe_state_machine(stateMachineArn=stack.physical("Machine"))
    assert machine["loggingConfiguration"]["level"] == "ERROR"
    destination = machine["loggingConfiguration"]["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"]
    assert stack.physical("Log") in destination


def test_a_deleted_function_leaves_no_process(aws: LocalAws, stack: Stack) -> None:
    function = resource(
        "AWS::Lambda::Function",
        Runtime="python3.13",
        Handler="index.handle",
        Role=attribute("Role", "Arn"),
        Code={"ZipFile": "def handle(event, context):\n    return 1\n"},
    )
    assert stack.put({"Role": role("lambda.amazonaws.com"), "Function": function}) == "CREATE_COMPLETE"
    name = stack.physical("Function")
    aws.client("lambda").invoke(FunctionName=name, Payload="{}")
    assert any(name in each["what"] for each in aws.status()["processes"])
    stack.delete()
    assert not any(name in each["what"] for each in aws.status()["processes"])


def test_alarms_on_metric_math_and_composite_alarms(aws: LocalAws, stack: Stack) -> None:
    errors = {"Namespace": "Earshot", "MetricName": "Failed"}
    all_of_them = {"Namespace": "Earshot", "MetricName": "Accepted"}
    metrics = [
        {"Id": "failed", "MetricStat": {"Metric": errors, "Period": "60", "Stat": "Sum"}, "ReturnData": "false"},
        {"Id": "all", "MetricStat": {"Metric": all_of_them, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "share", "Expression": "failed / all", "Label": "Share of failures"},
    ]
    resources = {
        "Share": resource(
            "AWS::CloudWatch::Alarm",
            Metrics=metrics,
            EvaluationPeriods="3",
            DatapointsToAlarm=2,
            Threshold="0.1",
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
        ),
        "Any": resource(
            "AWS::CloudWatch::CompositeAlarm",
            AlarmName="any-of-them",
            AlarmRule={"Fn::Join": ["", ["ALARM(", ref("Share"), ")"]]},
        ),
    }
    assert stack.put(resources, {"Arn": attribute("Share", "Arn")}) == "CREATE_COMPLETE", stack.reasons()
    cloudwatch = aws.client("cloudwatch")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[stack.physical("Share")])["MetricAlarms"]
    assert [each["Id"] for each in alarm["Metrics"]] == ["failed", "all", "share"]
    assert alarm["Metrics"][0]["ReturnData"] is False
    assert (alarm["EvaluationPeriods"], alarm["Threshold"]) == (3, 0.1)
    assert alarm["AlarmArn"] == stack.outputs()["Arn"]
    (composite,) = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert composite["AlarmRule"] == f"ALARM({stack.physical('Share')})"
    stack.delete()
    assert not stack.exists()


def test_saved_queries_budgets_and_the_firewall_s_association(aws: LocalAws, stack: Stack) -> None:
    limit = {"Amount": 20, "Unit": "USD"}
    subscribers = [{"SubscriptionType": "EMAIL", "Address": "care@example.com"}]
    notification = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80}
    resources = {
        "Query": resource(
            "AWS::Athena::NamedQuery", Name="by label", Database="db", QueryString="SELECT 1", WorkGroup="primary"
        ),
        "Budget": resource(
            "AWS::Budgets::Budget",
            Budget={"BudgetName": "monthly", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit},
            NotificationsWithSubscribers=[{"Notification": notification, "Subscribers": subscribers}],
        ),
        "Api": resource("AWS::ApiGateway::RestApi", Name="walled"),
        "Wall": resource(
            "AWS::WAFv2::WebACL",
            Scope="REGIONAL",
            DefaultAction={"Allow": {}},
            VisibilityConfig={"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": True, "MetricName": "m"},
        ),
        "Association": resource(
            "AWS::WAFv2::WebACLAssociation",
            WebACLArn=attribute("Wall", "Arn"),
            ResourceArn={"Fn::Sub": "arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/live"},
        ),
        "Detector": resource(
            "AWS::CloudWatch::AnomalyDetector", MetricName="Negative", Namespace="Earshot", Stat="Sum"
        ),
    }
    assert stack.put(resources) == "CREATE_COMPLETE", stack.reasons()
    query = aws.client("athena").get_named_query(NamedQueryId=stack.physical("Query"))["NamedQuery"]
    assert (query["Name"], query["QueryString"]) == ("by label", "SELECT 1")
    budget = aws.client("budgets").describe_budget(AccountId="000000000000", BudgetName="monthly")["Budget"]
    assert float(budget["BudgetLimit"]["Amount"]) == 20
    stage = f"arn:aws:apigateway:us-east-1::/restapis/{stack.physical('Api')}/stages/live"
    assert aws.client("wafv2").get_web_acl_for_resource(ResourceArn=stage)["WebACL"]["ARN"]
    log = aws.log.read_text()
    assert "Association (AWS::WAFv2::WebACLAssociation)" in log
    assert "Detector (AWS::CloudWatch::AnomalyDetector)" in log


def test_the_crawlers_security_configuration(aws: LocalAws, stack: Stack) -> None:
    def security(mode: str) -> dict[str, Any]:
        encryption: dict[str, Any] = {
            "CloudWatchEncryption": {"CloudWatchEncryptionMode": "SSE-KMS", "KmsKeyArn": attribute("Key", "Arn")},
            "S3Encryptions": [{"S3EncryptionMode": mode}],
        }
        return resource("AWS::Glue::SecurityConfiguration", Name="crawling", EncryptionConfiguration=encryption)

    for mode in ("SSE-KMS", "SSE-S3"):  # made, and made anew by a change
        assert stack.put({"Key": key(), "Security": security(mode)}).endswith("_COMPLETE"), stack.reasons()
        kept = aws.client("glue").get_security_configuration(Name="crawling")["SecurityConfiguration"]
        encryption = kept["EncryptionConfiguration"]
        assert encryption["CloudWatchEncryption"]["KmsKeyArn"].endswith(stack.physical("Key"))
        assert encryption["S3Encryption"] == [{"S3EncryptionMode": mode}]
    stack.delete()
    with pytest.raises(ClientError, match="EntityNotFound"):
        aws.client("glue").get_security_configuration(Name="crawling")
