"""The rules for access: silent on good templates, and each notices its fault."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from policy.actions import UNSCOPED, takes_resource
from tests.unit.policy.faults import Fault, broken, findings, ids, is_caught, read

GOOD = read("access.yaml")
POLICY = "WorkerPolicy/PolicyDocument/Statement"
INLINE = "Worker/Policies/0/PolicyDocument/Statement/0"
AWS_POLICY = "arn:aws:iam::aws:policy/"

FAULTS = [
    Fault("ACCESS-01", f"{INLINE}/Action", "*"),
    Fault("ACCESS-01", f"{POLICY}/3/Action", ["s3:GetObject", "*"]),
    Fault("ACCESS-02", f"{INLINE}/Action", "dynamodb:*"),
    Fault("ACCESS-02", f"{POLICY}/3/Action", ["s3:Put*"]),
    Fault("ACCESS-03", f"{INLINE}/Resource", "*"),
    Fault("ACCESS-03", f"{INLINE}/Resource", ["*"]),
    Fault("ACCESS-03", f"{INLINE}/Resource", "arn:aws:dynamodb:*:*:table/*"),
    Fault("ACCESS-03", f"{POLICY}/3/Resource", "arn:aws:s3:::*"),
    Fault("ACCESS-03", f"{POLICY}/6/Condition"),
    Fault("ACCESS-03", f"{POLICY}/0/Action", ["ecr:BatchGetImage"]),
    Fault("ACCESS-04", f"{POLICY}/7/Effect", "Allow"),
    Fault("ACCESS-05", f"{POLICY}/5/Resource", "*"),
    Fault("ACCESS-05", f"{POLICY}/5/Condition"),
    Fault("ACCESS-10", "Worker/ManagedPolicyArns", [f"{AWS_POLICY}AmazonSageMakerFullAccess"]),
    Fault(
        "ACCESS-10",
        "Worker/ManagedPolicyArns",
        [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess"}],
    ),
    Fault("ACCESS-11", "Worker/ManagedPolicyArns", [f"{AWS_POLICY}AmazonS3ReadOnlyAccess"]),
    Fault("ACCESS-14", "Somebody", {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "x"}}),
    Fault("ACCESS-15", "Somebody/ManagedPolicyArns", [{"Ref": "PolicyArn"}]),
    Fault("ACCESS-15", "WorkerPolicy/Users", [{"Ref": "Somebody"}]),
    Fault("ACCESS-16", "Worker/MaxSessionDuration", 43200),
    Fault("ACCESS-20", "Function/Environment/Variables/DB_PASSWORD", "hunter2"),
    Fault("ACCESS-20", "Function/Environment/Variables/LIMIT", "AKIA" + "ABCDEFGHIJKLMNOP"),
    Fault("ACCESS-20", "Password/SecretString", "hunter2"),
]
PRACTICES = [
    Fault("ACCESS-06", f"{POLICY}/3/Action", ["s3:GetObject*"]),
    Fault("ACCESS-07", f"{POLICY}/1/Condition"),
    Fault("ACCESS-12", "Basic/ManagedPolicyArns", [f"{AWS_POLICY}service-role/AWSLambdaBasicExecutionRole"]),
    Fault("ACCESS-13", "Worker/AssumeRolePolicyDocument/Statement/Condition"),
]


def of_subject(template: dict[str, Any], *, strict: bool = False) -> list[tuple[str, str, str]]:
    return [
        (finding.rule_id, finding.logical_id, finding.detail)
        for finding in findings(template, strict=strict)
        if finding.rule_id.startswith(("ACCESS", "TEMPLATE"))
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


def test_one_role_without_the_condition_that_another_has_is_found() -> None:
    template = broken(
        GOOD, Fault("", "Basic/AssumeRolePolicyDocument/Statement/0/Principal", {"Service": "states.amazonaws.com"})
    )
    assert ("ACCESS-13", "Basic") in ids(template)


@pytest.mark.parametrize(
    ("action", "takes"),
    [
        ("s3:GetObject", True),
        ("S3:getobject", True),
        ("ecr:GetAuthorizationToken", False),
        ("cloudwatch:PutMetricData", False),
        ("ec2:DescribeSubnets", False),
        ("ec2:CreateNetworkInterface", False),
        ("ec2:Describe*", False),
        ("kms:Decrypt", True),
        ("nobodys-service:Do", False),
    ],
)
def test_which_actions_take_a_resource(action: str, takes: bool) -> None:
    assert takes_resource(action) is takes


def test_the_list_of_actions_is_the_one_that_cfn_lint_carries() -> None:
    cfn_lint = find_spec("cfnlint")
    assert cfn_lint is not None
    assert cfn_lint.origin is not None
    carried = json.loads((Path(cfn_lint.origin).parent / "data/AdditionalSpecs/Policies.json").read_text("utf-8"))
    for service, actions in json.loads(UNSCOPED.read_text("utf-8")).items():
        known = carried[service]["Actions"]
        assert actions == sorted(name for name, about in known.items() if not about.get("Resources")), service
