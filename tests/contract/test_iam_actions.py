"""Every AWS call that a function's code can make is allowed by its role, and the role allows no call that none makes.

The calls are read from the code: starting at a package's handler, every function of `lambdas/` whose name is used is
followed. The roles are read from the synthesised template.
"""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("alerts", "archive", "gate", "intake", "register", "release", "router")
CLIENTS = {  # how the code names a client: boto3's service
    "cloudformation": "cloudformation",
    "dynamodb": "dynamodb",
    "runtime": "sagemaker-runtime",
    "s3": "s3",
    "sagemaker": "sagemaker",
    "sns": "sns",
    "sqs": "sqs",
    "ssm": "ssm",
}
# Where the action is not named after the operation: the service authorization reference.
ACTIONS = {
    "s3:HeadObject": {"s3:GetObject"},
    "s3:ListObjectsV2": {"s3:ListBucket"},
    "sqs:SendMessageBatch": {"sqs:SendMessage"},
    # An update resolves the template's SSM parameters with the caller's rights.
    "cloudformation:UpdateStack": {"cloudformation:UpdateStack", "ssm:GetParameters"},
}
# What a role needs for what AWS does in the function's name: logs, encryption, its trigger and its failure destination.
ON_BEHALF = {
    "intake": set(),
    "router": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"},
    "alerts": {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams", "sqs:SendMessage"},
    "archive": {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams", "sqs:SendMessage"},
    "gate": set(),
    "register": set(),
    "release": set(),
}
ALWAYS_ON_BEHALF = {"logs:CreateLogStream", "logs:PutLogEvents"}


@pytest.fixture(scope="module")
def granted(assembly: Path) -> dict[str, set[str]]:
    """Actions of each package's role, over all stacks of the local stage."""
    found: dict[str, set[str]] = {}
    for path in assembly.rglob("*.template.json"):
        resources: dict[str, Any] = json.loads(path.read_text())["Resources"]
        for resource in resources.values():
            handler = resource["Properties"].get("Handler", "") if resource["Type"] == "AWS::Lambda::Function" else ""
            if handler.startswith("lambdas."):
                role = resource["Properties"]["Role"]["Fn::GetAtt"][0]
                found.setdefault(handler.split(".")[1], set()).update(actions_of(role, resources))
    return found


def actions_of(role: str, resources: dict[str, Any]) -> Iterator[str]:
    """Every action that the policies attached to a role allow."""
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::Policy" and {"Ref": role} in resource["Properties"].get("Roles", []):
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                action = statement["Action"]
                yield from [action] if isinstance(action, str) else action


class _Uses(ast.NodeVisitor):
    """The AWS operations that one function calls, and every other name that it uses."""

    def __init__(self) -> None:
        self.operations: set[tuple[str, str]] = set()
        self.names: set[str] = set()

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        receiver = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        service = CLIENTS.get(receiver.lstrip("_"))
        if service and node.attr in operations_of(service):
            self.operations.add((service, node.attr))
        else:
            self.names.add(node.attr)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get_paginator":
            receiver = node.func.value.attr if isinstance(node.func.value, ast.Attribute) else node.func.value.id  # type: ignore[attr-defined]
            (operation,) = node.args
            self.operations.add((CLIENTS[receiver.lstrip("_")], ast.literal_eval(operation)))

    def visit_Name(self, node: ast.Name) -> None:
        self.names.add(node.id)


def operations_of(service: str) -> dict[str, str]:
    """boto3's method names of a service, each with the operation's name."""
    model = get_session().get_service_model(service)
    return {xform_name(operation): operation for operation in model.operation_names}


def uses_of(path: Path) -> dict[str, _Uses]:
    """What each function of a module uses, by the function's name; what a class body does counts for its methods."""
    found: dict[str, _Uses] = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            found.setdefault(node.name, _Uses()).visit(node)
    return found


def actions_needed(package: str) -> set[str]:
    """The IAM actions of every AWS call that can be reached from a package's handler."""
    functions: dict[str, _Uses] = {}
    for path in [*(ROOT / "lambdas" / package).glob("*.py"), *(ROOT / "lambdas/aws").glob("*.py"), *(ROOT / "lambdas").glob("*.py")]:
        for name, uses in uses_of(path).items():
            merged = functions.setdefault(name, _Uses())
            merged.operations |= uses.operations
            merged.names |= uses.names
    wanted, reached = ["handle"], set()
    needed: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in reached or name not in functions:
            continue
        reached.add(name)
        wanted.extend(functions[name].names)
        for service, method in functions[name].operations:
            operation = f"{service.removesuffix('-runtime')}:{operations_of(service)[method]}"
            needed |= ACTIONS.get(operation, {operation})
    return needed


@pytest.mark.parametrize("package", PACKAGES)
def test_every_call_of_a_function_is_allowed_by_its_role(package: str, granted: dict[str, set[str]]) -> None:
    assert actions_needed(package) <= granted[package]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_role_allows_nothing_that_its_function_does_not_do(package: str, granted: dict[str, set[str]]) -> None:
    encryption = {action for action in granted[package] if action.startswith("kms:")}
    assert granted[package] <= actions_needed(package) | ON_BEHALF[package] | ALWAYS_ON_BEHALF | encryption


def test_all_functions_of_the_templates_are_looked_at(granted: dict[str, set[str]]) -> None:
    assert set(granted) == set(PACKAGES)
