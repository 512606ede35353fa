"""Roles as they are used: all that the run did was allowed, all that is allowed was done, the rest is denied.

Runs after the tests that use the product and before the one that destroys it. It looks at what the local AWS recorded.
"""

import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from local.aws.iam import RECORD
from local.aws.iam_record import Decision, read
from tests.e2e.product import ROLES_ARE_JUDGED, Product

pytestmark = [
    pytest.mark.usefixtures("told"),
    pytest.mark.skipif(not ROLES_ARE_JUDGED, reason="roles are judged where EARSHOT_IAM=on"),
]

# Work that AWS does with a role and the local AWS does not: by the service that the role trusts, all that it allows.
NOT_ASKED_HERE = {
    "apigateway": "access logs are not written",
    "backup": "nothing is backed up",
    "glue": "the crawler reads the lake as the local AWS itself",
    "vpc-flow-logs": "there is no network",
}
# Granted, and never asked for in the end-to-end run: the action (or a pattern), and why it is granted.
NEVER_ASKED = {
    "kms:*": "data at rest is not encrypted here",
    "xray:*": "no traces are kept here",
    "ec2:*": "functions are not in a network here",
    "ecr:*": "containers are processes here",
    "cloudwatch:PutMetricData": "SageMaker puts a job's metrics there, which have no request here",
    "sqs:SendMessage": "dead letters are delivered by the local AWS itself",
    "sqs:ChangeMessageVisibility": "Lambda changes it when a batch fails",
    "dynamodb:GetItem": "an item is read again only where an id comes twice or a client asks for its answer later",
    "dynamodb:ListStreams": "Lambda finds the stream before it reads",
    "ssm:GetParameters": "CloudFormation resolves a template's parameters with the caller's rights",
    "cloudformation:DescribeStackEvents": "only a release that failed is asked for its reason",
    "sagemaker:DescribeModelPackage": "the gate reads the current model only where one is approved already",
    **dict.fromkeys(
        [f"sagemaker:Stop{job}Job" for job in ("HyperParameterTuning", "Processing", "Training", "Transform")],
        "only an execution that is stopped stops its job",
    ),
    "s3:AbortMultipartUpload": "only an upload that fails is given up",
    "s3:GetBucketLocation": "SageMaker looks for the bucket's region",
    "logs:DescribeLogStreams": "SageMaker looks for a job's log stream before it makes one",
}
# The same for single functions, by a part of their role's name.
NEVER_ASKED_OF = {
    "-CallsAccess": {
        "s3:GetObject": "what was dropped is read in the version that was told of",
        "s3:ListBucket": "with it, what is gone reads as missing",
        "s3:PutObject": "Transcribe writes with the rights of who starts a job",
    },
    "-EmailAccess": {
        "s3:GetObject": "what was dropped is read in the version that was told of",
        "s3:ListBucket": "with it, what is gone reads as missing",
    },
    "-FilesAccess": {
        "s3:GetObject": "what was dropped is read in the version that was told of",
        "s3:ListBucket": "with it, what is gone reads as missing",
    },
    "-DutyAccess": {"dynamodb:UpdateItem": "nothing is held back or left unanswered within minutes"},
    # AWS's Autopilot starts jobs and makes models of its own; here its search is one program.
    "-ModelPipelineAutopilotAccess": dict.fromkeys(
        (
            *("iam:PassRole", "sagemaker:AddTags", "sagemaker:CreateModel", "sagemaker:DescribeModel"),
            *(
                f"sagemaker:{verb}{job}Job"
                for verb in ("Create", "Describe")
                for job in ("HyperParameterTuning", "Processing", "Training", "Transform")
            ),
        ),
        "the search starts nothing by itself",
    ),
    "-NotifyAccess": {"secretsmanager:GetSecretValue": "no destination of the local policy is a webhook"},
    "-PullerAccess": {"dynamodb:PutItem": "a cursor moves where a feed was read"},
    "-SpikesAccess": {
        "dynamodb:BatchGetItem": "no product goes wrong within minutes",
        "dynamodb:PutItem": "no product goes wrong within minutes",
    },
}
# The CDK's own function, which a bucket's policy lets delete objects; only stages whose data goes with them have it.
EMPTIES_BUCKETS = "CustomS3AutoDeleteObjects"
# Written by Lambda and Step Functions: log delivery is the service's own work.
LOGS_BY_THE_SERVICE = ("lambda", "states")

PROBE = """
import boto3
from botocore.exceptions import ClientError

def handle(event, context):
    refused = {}
    for service, call, arguments in event:
        try:
            getattr(boto3.client(service), call)(**arguments)
            refused[call] = ""
        except ClientError as problem:
            refused[call] = problem.response["Error"]["Code"]
    return refused
"""


@dataclass(frozen=True, kw_only=True)
class Granted:
    """One role of the product: the service that it trusts, and its actions."""

    service: str
    arn: str
    actions: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def roles(product: Product) -> dict[str, Granted]:
    """Every role of the product's stacks by its name."""
    iam = product.client("iam")
    found: dict[str, Granted] = {}
    for page in iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            name = role["RoleName"]
            if name.startswith("earshot-local-"):
                (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
                service = trust["Principal"]["Service"].removesuffix(".amazonaws.com")
                found[name] = Granted(service=service, arn=role["Arn"], actions=set(_actions(iam, name)))
    assert found
    return found


def _actions(iam: Any, role: str) -> Iterator[str]:
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        policy = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]
        version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
        document = version["PolicyVersion"]["Document"]
        for statement in document["Statement"] if isinstance(document, dict) else json.loads(document)["Statement"]:
            actions = statement["Action"]
            yield from [actions] if isinstance(actions, str) else actions


@pytest.fixture(scope="module")
def decisions(product: Product) -> list[Decision]:
    """What was decided until now, so without the probes of this file."""
    return read(Path(product.home) / "local" / RECORD)


def test_nothing_that_the_product_does_is_missing_from_a_policy(
    roles: dict[str, Granted], decisions: list[Decision]
) -> None:
    refused = {(each.role, each.action, each.resource) for each in decisions if not each.allowed}
    assert {found for found in refused if found[0] in roles} == set()


def test_nothing_that_a_policy_allows_is_never_done(roles: dict[str, Granted], decisions: list[Decision]) -> None:
    used: dict[str, set[str]] = defaultdict(set)
    for decision in decisions:
        if decision.allowed:
            used[decision.role].add(decision.action)
    unused = {
        name: sorted(action for action in role.actions - used[name] if not is_explained(name, role, action))
        for name, role in roles.items()
        if role.service not in NOT_ASKED_HERE and not is_of_hosted_models(name)
    }
    assert {name: actions for name, actions in unused.items() if actions} == {}


def is_explained(name: str, role: Granted, action: str) -> bool:
    by_the_service = role.service in LOGS_BY_THE_SERVICE and action.startswith("logs:")
    if any(part in name and action in actions for part, actions in NEVER_ASKED_OF.items()):
        return True
    return by_the_service or any(fnmatchcase(action, pattern) for pattern in NEVER_ASKED)


def is_of_hosted_models(role: str) -> bool:
    """Containers are hosted by the local AWS itself, and it fetches their models with its own key."""
    if "ModelPipelineAutopilotModel" in role:
        return True
    return role.startswith("earshot-local-endpoint-") and "Release" not in role and "Canary" not in role


def test_every_function_is_denied_what_its_policy_does_not_allow(product: Product, roles: dict[str, Granted]) -> None:
    lake, table = product.output("data-lake", "LakeBucket"), product.output("intake", "Ledger")
    (endpoint,) = product.client("sagemaker").list_endpoints()["Endpoints"]
    calls: list[tuple[str, str, dict[str, str]]] = [
        ("s3", "delete_object", {"Bucket": lake, "Key": "raw/none"}),
        ("dynamodb", "delete_table", {"TableName": table}),
        ("sagemaker", "delete_endpoint", {"EndpointName": endpoint["EndpointName"]}),
        ("iam", "list_roles", {}),
    ]
    functions = {name: role for name, role in roles.items() if role.service == "lambda" and EMPTIES_BUCKETS not in name}
    assert functions
    answers = {name: probed(product, role.arn, calls) for name, role in functions.items()}
    allowed = {
        (name, call)
        for name, answer in answers.items()
        for call, code in answer.items()
        if code not in ("AccessDenied", "AccessDeniedException")
    }
    assert allowed == set()


def probed(product: Product, role_arn: str, calls: list[tuple[str, str, dict[str, str]]]) -> dict[str, str]:
    """The error code of each call, made by a function with this role that is gone afterwards."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("probe.py", PROBE)
    functions = product.client("lambda")
    functions.create_function(
        FunctionName="earshot-probe",
        Runtime="python3.12",
        Handler="probe.handle",
        Role=role_arn,
        Code={"ZipFile": archive.getvalue()},
        Timeout=30,
    )
    try:
        answer = functions.invoke(FunctionName="earshot-probe", Payload=json.dumps(calls))
        found: dict[str, str] = json.load(answer["Payload"])
    finally:
        functions.delete_function(FunctionName="earshot-probe")
    assert set(found) == {call for _, call, _ in calls}, found
    return found
