"""Least privilege, read from the templates: exact actions, named resources, no policies that AWS manages."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.synthesis import STACKS, STAGES, Assembly, function_of

# Actions for which AWS offers no resource to name; each is narrowed by a condition or is harmless without one.
WITHOUT_RESOURCE = {
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    # Traces, and which executions Step Functions traces.
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
    # What Lambda looks at before it makes a function's interfaces in the private network.
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    # The log delivery of Step Functions.
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
}
CDK_PROVIDER = "CustomS3AutoDeleteObjects"


def statements(app: Assembly, stage: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of an identity policy, with the logical id of where it stands."""
    for logical_id, resource in app.resources(stage, "AWS::IAM::ManagedPolicy").items():
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
            yield logical_id, statement
    for logical_id, resource in app.resources(stage, "AWS::IAM::Role").items():
        for policy in resource["Properties"].get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield logical_id, statement


def actions_of(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else action


@pytest.mark.parametrize("stage", STAGES)
def test_no_statement_allows_a_pattern_of_actions(app: Assembly, stage: str) -> None:
    patterns = [(where, action) for where, s in statements(app, stage) for action in actions_of(s) if "*" in action]
    assert patterns == []


@pytest.mark.parametrize("stage", STAGES)
def test_every_resource_that_can_be_named_is_named(app: Assembly, stage: str) -> None:
    found = [
        (where, action)
        for where, statement in statements(app, stage)
        if statement["Resource"] == "*"
        for action in actions_of(statement)
        if action not in WITHOUT_RESOURCE
    ]
    assert found == []


@pytest.mark.parametrize("stage", STAGES)
def test_no_role_of_ours_has_a_policy_that_aws_manages(app: Assembly, stage: str) -> None:
    managed = {
        logical_id
        for logical_id, role in app.resources(stage, "AWS::IAM::Role").items()
        if role["Properties"].get("ManagedPolicyArns")
    }
    assert {logical_id for logical_id in managed if CDK_PROVIDER not in logical_id} == set()
    assert stage != "prod" or managed == set()


@pytest.mark.parametrize("stage", STAGES)
def test_every_function_has_a_role_of_its_own(app: Assembly, stage: str) -> None:
    functions = app.resources(stage, "AWS::Lambda::Function").values()
    roles = [str(function["Properties"]["Role"]) for function in functions if function_of(function)]
    assert len(roles) == len(set(roles)) >= 19


@pytest.mark.parametrize("stage", STAGES)
def test_only_sagemaker_may_be_handed_a_role(app: Assembly, stage: str) -> None:
    passing = [statement for _, statement in statements(app, stage) if "iam:PassRole" in actions_of(statement)]
    assert passing
    for statement in passing:
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        assert "*" not in str(statement["Resource"])


@pytest.mark.parametrize("stage", STAGES)
def test_services_use_the_key_for_this_account_only(app: Assembly, stage: str) -> None:
    keys = [key["Properties"] for key in app.resources(stage, "AWS::KMS::Key").values()]
    assert len(keys) == len(STACKS) + 1  # that of the originals
    for key in keys:
        assert key["EnableKeyRotation"] is True
        assert key["PendingWindowInDays"] == 30
        for statement in key["KeyPolicy"]["Statement"]:
            principal = statement["Principal"]
            if statement["Effect"] == "Deny":
                assert statement["Action"] == "kms:CreateGrant"
            elif "Service" in principal:
                assert statement["Condition"], f"{principal} may use the key without a condition"
            else:
                assert "root" in str(principal["AWS"])


@pytest.mark.parametrize("stage", STAGES)
def test_services_that_assume_roles_do_so_for_this_account(app: Assembly, stage: str) -> None:
    """Against the confused deputy, wherever the service tells whose resource it acts for."""
    for logical_id, role in app.resources(stage, "AWS::IAM::Role").items():
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
            service = statement["Principal"]["Service"]
            if service in ("sagemaker.amazonaws.com", "states.amazonaws.com", "glue.amazonaws.com"):
                assert "aws:SourceAccount" in statement["Condition"]["StringEquals"], logical_id
