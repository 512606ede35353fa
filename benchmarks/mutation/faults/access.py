"""Mutations of access: policies that are widened, roles that trust too many."""

# ruff: noqa: E501 - a table, one mutation to a line

from benchmarks.mutation.mutation import change
from benchmarks.mutation.operators import put, remove

POLICY = "AWS::IAM::Policy"
ROLE = "AWS::IAM::Role"
STATEMENT = "Properties.PolicyDocument.Statement.0"
TRUST = "Properties.AssumeRolePolicyDocument.Statement.*"
INLINE = "Properties.Policies.*.PolicyDocument.Statement.*"
FULL = ["arn:aws:iam::aws:policy/AdministratorAccess"]

MANAGED = "AWS::IAM::ManagedPolicy"
WIDENED = (
    ("any-action", f"{STATEMENT}.Action", "*", "everything"),
    ("service-action", f"{STATEMENT}.Action", "s3:*", "every action of a service"),
    ("prefix-action", f"{STATEMENT}.Action", ["dynamodb:Put*", "iam:*"], "whatever comes to be called so"),
    ("any-resource", f"{STATEMENT}.Resource", "*", "on everything"),
    ("not-action", STATEMENT, {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "everything but"),
    (
        "pass-any-role",
        STATEMENT,
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"},
        "any role is passed on",
    ),
)

ACCESS = (
    *(change(f"{kind}-{name}", type_, path, put(value), why)
      for kind, type_ in (("policy", POLICY), ("managed-policy", MANAGED)) for name, path, value, why in WIDENED),
    change("role-trusts-everyone", ROLE, TRUST, put({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}), "everyone takes the role"),
    change("role-trusts-star", ROLE, TRUST, put({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}), "everyone takes the role"),
    change("role-condition-removed", ROLE, f"{TRUST}.Condition", remove, "the service takes the role for anyone"),
    change("role-administrator", ROLE, "Properties", put({"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}, "ManagedPolicyArns": FULL}), "everything"),
    change("inline-any-action", ROLE, f"{INLINE}.Action", put("*"), "everything"),
    change("inline-any-resource", ROLE, f"{INLINE}.Resource", put("*"), "on everything"),
    change("inline-condition-removed", ROLE, f"{INLINE}.Condition", remove, "for everyone who is passed the role"),
)  # fmt: skip
