"""The rules for delivery: silent on good templates, and each notices its fault."""

from typing import Any

import pytest

from tests.unit.policy.faults import GONE, Fault, broken, findings, ids, is_caught, read

GOOD = read("delivery.yaml")
QUEUE_ARN = {"Fn::GetAtt": ["DeadLetters", "Arn"]}

FAULTS = [
    Fault("DELIVERY-01", "Jobs/VisibilityTimeout", 359),
    Fault("DELIVERY-01", "Jobs/VisibilityTimeout"),
    Fault("DELIVERY-01", "Work/Timeout", 61, at="Jobs"),
    Fault("DELIVERY-02", "Jobs/RedrivePolicy/maxReceiveCount", 1),
    Fault("DELIVERY-02", "Jobs/RedrivePolicy/maxReceiveCount"),
    Fault("DELIVERY-02", "Ordered/RedrivePolicy/maxReceiveCount", "1"),
    Fault("DELIVERY-02", "Jobs/RedrivePolicy/maxReceiveCount", 1000),
    Fault("DELIVERY-03", "Jobs/RedrivePolicy"),
    Fault("DELIVERY-03", "Ordered/RedrivePolicy"),
    Fault("DELIVERY-03", "Jobs/RedrivePolicy/deadLetterTargetArn"),
    Fault("DELIVERY-03", "Jobs/RedrivePolicy/deadLetterTargetArn", {"Fn::GetAtt": ["Jobs", "Arn"]}),
    Fault("DELIVERY-04", "DeadLetters/MessageRetentionPeriod", at="DeadLetters"),
    Fault("DELIVERY-04", "DeadLetters/MessageRetentionPeriod", 60),
    Fault("DELIVERY-05", "DeadLetters/KmsMasterKeyId", ""),
    Fault("DELIVERY-06", "Jobs/KmsMasterKeyId"),
    Fault("DELIVERY-06", "Jobs/KmsMasterKeyId", "alias/aws/sqs"),
    Fault("DELIVERY-07", "Ordered/FifoQueue"),
    Fault("DELIVERY-07", "Ordered/RedrivePolicy/deadLetterTargetArn", QUEUE_ARN),
    Fault("DELIVERY-07", "Jobs/ContentBasedDeduplication", True),
    Fault("DELIVERY-08", "QueuePolicy/PolicyDocument/Statement/0/Condition/Bool/aws:SecureTransport", "true"),
    Fault("DELIVERY-09", "QueuePolicy/Queues/0", at="Jobs"),
    Fault("DELIVERY-09", "NewsPolicy", at="News"),
    Fault("DELIVERY-20", "JobsMapping/FunctionResponseTypes"),
    Fault("DELIVERY-20", "ClicksMapping/FunctionResponseTypes", []),
    Fault("DELIVERY-20", "TableMapping/FunctionResponseTypes"),
    Fault("DELIVERY-20", "ImportedMapping/FunctionResponseTypes"),
    Fault("DELIVERY-21", "JobsMapping/ScalingConfig"),
    Fault("DELIVERY-21", "JobsMapping/ScalingConfig/MaximumConcurrency", 1),
    Fault("DELIVERY-21", "ImportedMapping/ScalingConfig"),
    Fault("DELIVERY-22", "ClicksMapping/MaximumRetryAttempts"),
    Fault("DELIVERY-22", "ClicksMapping/MaximumRetryAttempts", -1),
    Fault("DELIVERY-22", "TableMapping/MaximumRecordAgeInSeconds", -1),
    Fault("DELIVERY-23", "ClicksMapping/DestinationConfig"),
    Fault("DELIVERY-23", "TableMapping/DestinationConfig", {"OnFailure": {}}),
    Fault("DELIVERY-24", "ClicksMapping/BisectBatchOnFunctionError", False),
    Fault("DELIVERY-25", "JobsMapping/Enabled", False),
    Fault("DELIVERY-30", "News/KmsMasterKeyId"),
    Fault("DELIVERY-30", "News/KmsMasterKeyId", ""),
    Fault("DELIVERY-32", "NewsForJobs/RedrivePolicy"),
    Fault("DELIVERY-32", "News/Subscription", [{"Protocol": "sqs", "Endpoint": "x"}]),
    Fault("DELIVERY-33", "NewsForJobs/Protocol", "http"),
    Fault("DELIVERY-40", "Nightly/Targets/0/DeadLetterConfig"),
    Fault("DELIVERY-40", "Nightly/Targets/1/DeadLetterConfig", {}),
    Fault("DELIVERY-41", "Weekly/Target/DeadLetterConfig"),
    Fault("DELIVERY-44", "Nightly/Targets", []),
    Fault("DELIVERY-43", "NightlyMayCall", at="Nightly"),
    Fault("DELIVERY-43", "QueuePolicy/PolicyDocument/Statement/1"),
    Fault("DELIVERY-43", "QueuePolicy/PolicyDocument/Statement/1/Principal", {"Service": "events.amazonaws.com"}),
    Fault("DELIVERY-50", "Archive/ExtendedS3DestinationConfiguration/ErrorOutputPrefix"),
    Fault("DELIVERY-50", "Archive/ExtendedS3DestinationConfiguration/ErrorOutputPrefix", "data/"),
    Fault("DELIVERY-51", "Archive/ExtendedS3DestinationConfiguration/CloudWatchLoggingOptions"),
    Fault("DELIVERY-51", "Archive/ExtendedS3DestinationConfiguration/CloudWatchLoggingOptions/Enabled", False),
    Fault("DELIVERY-51", "Archive/ExtendedS3DestinationConfiguration/CloudWatchLoggingOptions/LogGroupName"),
    Fault("DELIVERY-52", "Archive/DeliveryStreamEncryptionConfigurationInput"),
    Fault("DELIVERY-53", "Archive/ExtendedS3DestinationConfiguration/EncryptionConfiguration"),
    Fault("DELIVERY-54", "Clicks/StreamEncryption"),
    Fault("TEMPLATE-02", "DeadLetters"),
]
# Practices: asked for where the caller wants them, or where the template follows them elsewhere.
PRACTICES = [
    Fault("DELIVERY-11", "DeadLetters/MessageRetentionPeriod", 1_000_000),
    Fault("DELIVERY-31", "News/KmsMasterKeyId", "alias/aws/sns"),
    Fault("DELIVERY-42", "WorkFailures"),
    Fault("DELIVERY-55", "Clicks/RetentionPeriodHours", 24),
]


def of_subject(template: dict[str, Any], *, strict: bool = False) -> list[tuple[str, str, str]]:
    return [
        (finding.rule_id, finding.logical_id, finding.detail)
        for finding in findings(template, strict=strict)
        if finding.rule_id.startswith(("DELIVERY", "TEMPLATE"))
    ]


def test_a_good_template_has_no_findings_even_when_practices_are_asked_for() -> None:
    assert of_subject(GOOD, strict=True) == []


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_each_fault_is_found(fault: Fault) -> None:
    assert is_caught(GOOD, fault)


@pytest.mark.parametrize("fault", PRACTICES, ids=str)
def test_a_practice_is_found_only_where_it_is_asked_for(fault: Fault) -> None:
    assert is_caught(GOOD, fault, strict=True)
    assert not is_caught(GOOD, fault)


def test_a_queue_without_encryption_is_found() -> None:
    template = broken(GOOD, Fault("", "Jobs/KmsMasterKeyId"))
    template["Resources"]["Jobs"]["Properties"]["SqsManagedSseEnabled"] = False
    assert ("DELIVERY-05", "Jobs") in ids(template)


def test_a_queue_for_dead_letters_of_another_stack_is_told_by_its_name() -> None:
    template = {"Resources": {"UploadsDLQ": {"Type": "AWS::SQS::Queue"}}}
    assert of_subject(template) == []
    assert ("DELIVERY-03", "Uploads") in ids({"Resources": {"Uploads": {"Type": "AWS::SQS::Queue"}}})


def test_what_is_only_known_at_deployment_is_no_fault() -> None:
    template = broken(GOOD, Fault("", "Jobs/RedrivePolicy", {"Ref": "KeyArn"}))
    for path, value in {
        "Jobs/VisibilityTimeout": {"Fn::ImportValue": "seconds"},
        "JobsMapping/ScalingConfig": {"MaximumConcurrency": {"Ref": "KeyArn"}},
        "JobsMapping/FunctionResponseTypes": {"Fn::If": ["Open", ["ReportBatchItemFailures"], {"Ref": "AWS::NoValue"}]},
        "ClicksMapping/MaximumRetryAttempts": {"Ref": "KeyArn"},
        "News/KmsMasterKeyId": {"Fn::ImportValue": "key"},
    }.items():
        template = broken(template, Fault("", path, value))
    template["Conditions"] = {"Open": {"Fn::Equals": [{"Ref": "KeyArn"}, "x"]}}
    assert of_subject(template) == [("DELIVERY-20", "JobsMapping", "")]


def test_a_function_elsewhere_leaves_the_visibility_open() -> None:
    template = broken(GOOD, Fault("", "Jobs/VisibilityTimeout", 1))
    template = broken(
        template, Fault("", "JobsMapping/FunctionName", "arn:aws:lambda:eu-west-1:000000000000:function:x")
    )
    assert of_subject(template) == []


def test_a_batch_of_one_needs_no_partial_response() -> None:
    template = broken(
        broken(GOOD, Fault("", "JobsMapping/FunctionResponseTypes", GONE)), Fault("", "JobsMapping/BatchSize", 1)
    )
    assert of_subject(template) == []
