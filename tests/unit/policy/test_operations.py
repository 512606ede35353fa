"""The rules for operations: silent on good templates, and each notices its fault."""

from typing import Any

import pytest

from tests.unit.policy.faults import Fault, broken, findings, ids, is_caught, read

GOOD = read("operations.yaml")

FAULTS = [
    Fault("OPS-01", "Log/RetentionInDays"),
    Fault("OPS-02", "Log/KmsKeyId"),
    Fault("OPS-02", "Log2/KmsKeyId", ""),
    Fault("OPS-03", "Log/RetentionInDays", 7),
    Fault("OPS-04", "Worker/LoggingConfig"),
    Fault("OPS-04", "Log2/LogGroupName", "/aws/lambda/other"),
    Fault("OPS-10", "WorkerErrors/AlarmActions"),
    Fault("OPS-10", "WorkerErrors/AlarmActions", []),
    Fault("OPS-10", "Either/AlarmActions"),
    Fault("OPS-10", "Either", at="SecondErrors"),
    Fault("OPS-11", "WorkerErrors/ActionsEnabled", False),
    Fault("OPS-11", "Either/ActionsEnabled", "false"),
    Fault("OPS-12", "JobsDepth/ComparisonOperator", "LessThanThreshold"),
    Fault("OPS-12", "JobsDepth/Threshold", 1_000_000_000),
    Fault("OPS-12", "JobsDepth/Dimensions", []),
    Fault("OPS-12", "JobsDepth/EvaluationPeriods", 2000),
    Fault("OPS-13", "WorkerErrors/TreatMissingData", "breaching"),
    Fault("OPS-13", "JobsDepth/TreatMissingData", "ignore"),
    Fault("OPS-12", "JobsDepth/Threshold"),
    Fault("OPS-12", "JobsDepth/Namespace"),
    Fault("OPS-12", "JobsDepth/Dimensions/0/Value"),
    Fault("OPS-14", "WorkerErrors/TreatMissingData"),
    Fault("OPS-20", "JobsDepth", at="JobsDead"),
    Fault("OPS-20", "JobsDepth/Dimensions/0/Value", "jobs-other"),
    Fault("OPS-20", "JobsDepth/MetricName", "SentMessageSize"),
    Fault("OPS-21", "JobsAge", at="Jobs"),
    Fault("OPS-21", "JobsAge/Dimensions/0/Value", {"Fn::GetAtt": ["JobsDead", "QueueName"]}),
    Fault("OPS-22", "EndpointErrors", at="Endpoint"),
    Fault("OPS-23", "WorkerErrors", at="Worker"),
    Fault("OPS-55", "WorkerThrottles", at="Worker"),
    Fault("OPS-55", "SecondThrottles/MetricName", "Invocations", at="Second"),
    Fault("OPS-30", "Workflow/LoggingConfiguration"),
    Fault("OPS-30", "Workflow/LoggingConfiguration/Level", "OFF"),
    Fault("OPS-30", "Workflow/LoggingConfiguration/Destinations", []),
    Fault("OPS-33", "Workflow/TracingConfiguration/Enabled", False),
    Fault("OPS-40", "Worker/Runtime", "python3.7"),
    Fault("OPS-41", "Worker/VpcConfig/SubnetIds", ["subnet-1"]),
    Fault("OPS-42", "Worker/TracingConfig"),
    Fault("OPS-44", "Worker/ReservedConcurrentExecutions", 0),
    Fault("OPS-44", "Worker/Timeout", 1000),
    Fault("OPS-45", "Worker/VpcConfig"),
    Fault("OPS-46", "Worker/ReservedConcurrentExecutions"),
    Fault("OPS-47", "Worker/DeadLetterConfig"),
    Fault("OPS-48", "NetworkLog", at="Network"),
    Fault("OPS-48", "Subnet/MapPublicIpOnLaunch", True),
    Fault("OPS-50", "Images/ImageScanningConfiguration"),
    Fault("OPS-50", "Images/ImageScanningConfiguration/ScanOnPush", False),
    Fault("OPS-51", "Images/ImageTagMutability"),
    Fault("OPS-51", "Images/ImageTagMutability", "MUTABLE"),
]
PRACTICES = [
    Fault("OPS-24", "WorkflowFailures"),
    Fault("OPS-24", "WorkflowFailures/MetricName", "ExecutionsTimedOut"),
    Fault("OPS-56", "WorkflowTimeouts", at="Workflow"),
    Fault("OPS-57", "OrdersReads", at="Orders"),
    Fault("OPS-57", "OrdersWrites/MetricName", "ConsumedWriteCapacityUnits", at="Orders"),
    Fault("OPS-58", "HandedAge", at="Handed"),
    Fault("OPS-25", "ClicksLate"),
    Fault("OPS-26", "Shop", {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "shop"}}),
    Fault("OPS-31", "Workflow/LoggingConfiguration/IncludeExecutionData", True),
    Fault("OPS-32", "Workflow/TracingConfiguration"),
    Fault("OPS-43", "Worker/KmsKeyArn"),
    Fault("OPS-52", "Images/LifecyclePolicy"),
    Fault("OPS-53", "Rotation"),
    Fault("OPS-54", "Bus/Policy"),
]


def of_subject(template: dict[str, Any], *, strict: bool = False) -> list[tuple[str, str, str]]:
    return [
        (finding.rule_id, finding.logical_id, finding.detail)
        for finding in findings(template, strict=strict)
        if finding.rule_id.startswith(("OPS", "TEMPLATE"))
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


def test_alarms_may_all_be_in_another_stack() -> None:
    template = GOOD
    for name in [name for name, resource in GOOD["Resources"].items() if "CloudWatch" in resource["Type"]]:
        template = broken(template, Fault("", name))
    assert of_subject(template) == []


def test_calls_that_are_turned_away_tell_nothing_of_errors() -> None:
    assert is_caught(GOOD, Fault("OPS-23", "WorkerErrors/MetricName", "Throttles", at="Worker"), strict=True)


def test_an_authorizer_refuses_by_raising_and_needs_no_alarm_on_that() -> None:
    uri = {"Fn::Join": ["", ["arn:aws:apigateway:", {"Fn::GetAtt": ["Worker", "Arn"]}, "/invocations"]]}
    asking = {"Type": "AWS::ApiGateway::Authorizer", "Properties": {"Type": "REQUEST", "AuthorizerUri": uri}}
    template = {**GOOD, "Resources": {**GOOD["Resources"], "Asking": asking}}
    assert ("OPS-23", "Worker") not in ids(broken(template, Fault("", "WorkerErrors")), strict=True)


def test_an_alarm_that_turns_an_update_back_needs_no_action_of_its_own() -> None:
    template = broken(GOOD, Fault("", "EndpointErrors/AlarmActions"))
    assert ("OPS-10", "EndpointErrors") in ids(template)
    rollback = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": {"Ref": "EndpointErrors"}}]}}
    assert ("OPS-10", "EndpointErrors") not in ids(broken(template, Fault("", "Endpoint/DeploymentConfig", rollback)))


def test_an_alarm_that_lets_capacity_go_compares_the_other_way() -> None:
    template = broken(GOOD, Fault("", "JobsAge/ComparisonOperator", "LessThanThreshold"))
    template["Resources"]["Fewer"] = {"Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": {}}
    assert ("OPS-12", "JobsAge") in ids(template)
    assert ("OPS-12", "JobsAge") not in ids(broken(template, Fault("", "JobsAge/AlarmActions", [{"Ref": "Fewer"}])))
