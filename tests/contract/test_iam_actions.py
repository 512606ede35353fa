"""Every AWS call that a function's code can make is allowed by its role, and the role allows no call that none makes.

The calls are read from the code: starting at a package's handler, every function whose name is used is followed through
the modules of `lambdas/` that the handler imports. The roles are read from the synthesised template.
"""

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session

from bundles.sources import imported_files

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    *("alerts", "archive", "canary", "duty", "gate", "intake", "notify", "register", "release", "respond"),
    *("response_example", "router", "spikes", "trends"),
    *("channels.calls", "channels.email", "channels.files", "channels.puller"),
    *("channels.webhook_gate", "channels.webhooks"),
)
CLIENTS = {  # how the code names a client: boto3's service
    "cloudformation": "cloudformation",
    "cloudwatch": "cloudwatch",
    "dynamodb": "dynamodb",
    "events": "events",
    "runtime": "sagemaker-runtime",
    "s3": "s3",
    "sagemaker": "sagemaker",
    "secretsmanager": "secretsmanager",
    "sns": "sns",
    "sqs": "sqs",
    "ssm": "ssm",
    "transcribe": "transcribe",
    "translate": "translate",
}
# Classes that a name does not tell: what takes part is called after its part.
MEANT = {
    "accepting": "Intake",
    "book": "Sources",
    "model": "GuardedEndpoint",
    "policy": "PolicySource",
    "store": "Secrets",
}
# Where the action is not named after the operation: the service authorization reference.
ACTIONS = {
    "s3:HeadObject": {"s3:GetObject"},
    "s3:ListObjectsV2": {"s3:ListBucket"},
    "s3:HeadBucket": {"s3:ListBucket"},
    "sqs:ChangeMessageVisibilityBatch": {"sqs:ChangeMessageVisibility"},
    "sqs:SendMessageBatch": {"sqs:SendMessage"},
    # An update resolves the template's SSM parameters with the caller's rights.
    "cloudformation:UpdateStack": {"cloudformation:UpdateStack", "ssm:GetParameters"},
}
# What a part of a transaction is allowed as.
PARTS = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}
_READ_STREAM = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "sqs:SendMessage",
}
# What a role needs for what AWS does in the function's name: logs, encryption, its trigger and its failure destination.
_READ_QUEUE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"}
# With the right to list, what is gone reads as missing; what was dropped is read in the version that was told of.
_READ_DROPPED = _READ_QUEUE | {"s3:GetObjectVersion", "s3:ListBucket"}
ON_BEHALF: dict[str, set[str]] = {
    "alerts": _READ_STREAM,
    "archive": _READ_STREAM,
    "channels.calls": _READ_DROPPED | {"s3:PutObject"},  # Transcribe writes with the rights of who starts a job
    "channels.email": _READ_DROPPED,
    "channels.files": _READ_DROPPED,
    "notify": _READ_QUEUE,
    "respond": _READ_STREAM,
    "router": _READ_QUEUE,
    "trends": _READ_STREAM,
}
# Not in this stage: the call is only made where the settings say so.
SWITCHED_OFF = {"translate:TranslateText"}
# Channels accept without a model, so that nothing is asked and nothing decided.
WITHOUT_MODEL = {"dynamodb:UpdateItem", "sagemaker:InvokeEndpoint"}
ALWAYS_ON_BEHALF = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:SendMessage",  # calls that failed for good
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
    # The interfaces of a function in the private network.
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}


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
                found.setdefault(handler.removeprefix("lambdas.").removesuffix(".handler.handle"), set()).update(
                    actions_of(role, resources)
                )
    return found


def actions_of(role: str, resources: dict[str, Any]) -> Iterator[str]:
    """Every action that the policies attached to a role allow."""
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::ManagedPolicy" and {"Ref": role} in resource["Properties"].get("Roles", []):
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                action = statement["Action"]
                yield from [action] if isinstance(action, str) else action


class _Uses(ast.NodeVisitor):
    """The AWS operations that a function calls, and what of our own it may call, each with its receiver's name."""

    def __init__(self) -> None:
        self.operations: set[tuple[str, str]] = set()
        self.calls: set[tuple[str, str]] = set()
        self.parts: set[Any] = set()

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        receiver = name_of(node.value)
        if CLIENTS.get(receiver) and node.attr in operations_of(CLIENTS[receiver]):
            self.operations.add((CLIENTS[receiver], node.attr))
        else:
            self.calls.add((receiver, node.attr))

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get_paginator":
            self.operations.add((CLIENTS[name_of(node.func.value)], ast.literal_eval(node.args[0])))

    def visit_Constant(self, node: ast.Constant) -> None:
        """An operation's name as text is called with `getattr`; only DynamoDB's are."""
        if isinstance(node.value, str) and node.value in operations_of("dynamodb"):
            self.operations.add(("dynamodb", node.value))

    def visit_Dict(self, node: ast.Dict) -> None:
        self.generic_visit(node)
        self.parts |= {key.value for key in node.keys if isinstance(key, ast.Constant) and key.value in PARTS}

    def visit_Name(self, node: ast.Name) -> None:
        self.calls.add(("", node.id))


def name_of(node: ast.expr) -> str:
    """`self._ledger`, `_ledger()` and `ledger` are all called ledger."""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return str(name).lstrip("_")


@cache
def operations_of(service: str) -> dict[str, str]:
    """boto3's method names of a service, each with the operation's name."""
    model = get_session().get_service_model(service)
    return {xform_name(operation): operation for operation in model.operation_names}


@cache
def functions_of(path: Path) -> tuple[tuple[str, str, _Uses], ...]:
    """Class (or nothing), name and uses of every function of a module."""
    return tuple(_functions_of(path))


def _functions_of(path: Path) -> Iterator[tuple[str, str, _Uses]]:
    for node in ast.parse(path.read_text()).body:
        owner = node.name if isinstance(node, ast.ClassDef) else ""
        if isinstance(node, ast.ClassDef) and any(name_of(base) == "Protocol" for base in node.bases):
            continue
        for function in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(function, ast.FunctionDef):
                uses = _Uses()
                uses.visit(function)
                yield owner, function.name, uses


def actions_needed(package: str) -> set[str]:
    """The IAM actions of every AWS call that can be reached from a package's handler."""
    handler = ROOT / "lambdas" / Path(*package.split(".")) / "handler.py"
    paths = [handler, *imported_files(handler, packages=("lambdas",)).values()]
    functions = [found for path in paths for found in functions_of(path)]

    def called(owner: str, receiver: str, name: str) -> Iterator[tuple[str, str, _Uses]]:
        for candidate in functions:
            its_class, its_name, _ = candidate
            same_class = receiver == "self" and its_class == owner
            meant = MEANT.get(receiver, receiver).lower()
            by_name = receiver not in ("", "self") and its_class and its_class.lower().endswith(meant)
            if its_name == name and (same_class or by_name or not its_class):
                yield candidate

    wanted = [found for found in functions if found[1] == "handle"]
    needed: set[str] = set()
    parts: set[str] = set()
    reached: set[int] = set()
    while wanted:
        owner, _, uses = wanted.pop()
        if id(uses) in reached:
            continue
        reached.add(id(uses))
        for service, method in uses.operations:
            operation = f"{service.removesuffix('-runtime')}:{operations_of(service)[method]}"
            needed |= ACTIONS.get(operation, {operation})
        parts |= {PARTS[part] for part in uses.parts}
        for receiver, name in uses.calls:
            wanted.extend(called(owner, receiver, name))
    if "dynamodb:TransactWriteItems" in needed:
        needed = (needed - {"dynamodb:TransactWriteItems"}) | parts
    return needed - SWITCHED_OFF - (WITHOUT_MODEL if package.startswith("channels.") else set())


@pytest.mark.parametrize("package", PACKAGES)
def test_every_call_of_a_function_is_allowed_by_its_role(package: str, granted: dict[str, set[str]]) -> None:
    assert actions_needed(package) <= granted[package]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_role_allows_nothing_that_its_function_does_not_do(package: str, granted: dict[str, set[str]]) -> None:
    encryption = {action for action in granted[package] if action.startswith("kms:")}
    assert granted[package] <= actions_needed(package) | ON_BEHALF.get(package, set()) | ALWAYS_ON_BEHALF | encryption


def test_all_functions_of_the_templates_are_looked_at(granted: dict[str, set[str]]) -> None:
    assert set(granted) == set(PACKAGES)
