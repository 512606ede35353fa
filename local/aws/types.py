"""Resource types that ministack's CloudFormation refuses though its services know them, and placeholders.

Each is a few calls of the service's own interface. Types with more behind them have files of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local.aws import resources, seams, shapes
from local.aws.clients import client
from local.aws.seams import Created, Properties
from local.environment import ACCOUNT

_LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True)
class Simple:
    """A type that is made anew by every change; making it twice under one identity is an update."""

    make: Callable[[str, Properties], Created]
    remove: Callable[[str, Properties], Any]

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Make it under the name that CloudFormation would generate."""
        return self.make(seams.physical_name(stack, logical_id, longest=_LONGEST_NAME), properties)

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        """Make it again; another identity is a replacement."""
        return self.create(logical_id, new, stack)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Remove it; fine where it is gone."""
        try:
            self.remove(physical_id, properties)
        except ClientError as problem:
            if "NotFound" not in problem.response["Error"]["Code"] and "Nonexistent" not in str(problem):
                raise


def register() -> frozenset[str]:
    """Provision them; returns those that call back over HTTP."""
    simple = {
        "AWS::Athena::NamedQuery": Simple(make=_make_named_query, remove=_remove_named_query),
        "AWS::Glue::SecurityConfiguration": Simple(
            make=_make_security_configuration, remove=_remove_security_configuration
        ),
        "AWS::WAFv2::WebACLAssociation": Simple(make=_associate, remove=_disassociate),
    }
    placeholders = {
        "AWS::ApiGateway::ClientCertificate": "ClientCertificateId",
        "AWS::CloudWatch::AnomalyDetector": "Id",
        "AWS::SES::ReceiptRuleSet": "RuleSetName",
        "AWS::SES::ReceiptRule": "RuleName",
        "AWS::WAFv2::LoggingConfiguration": "ResourceArn",
    }
    for name, resource in simple.items():
        seams.register_resource(name, resource)
    for name, identity in placeholders.items():
        seams.register_resource(name, Simple(make=_placeholder(identity), remove=lambda *_: None))
    seams.register_resource("AWS::Budgets::Budget", BudgetType())
    return frozenset({*simple, "AWS::Budgets::Budget"})


def _placeholder(identity: str) -> Callable[[str, Properties], Created]:
    def make(name: str, properties: Properties) -> Created:
        given = str(properties.get(identity, name))
        return given, {identity: given}

    return make


def _make_named_query(name: str, properties: Properties) -> Created:
    request = {"Name": name, "WorkGroup": "primary", **properties}
    shape = shapes.input_shape("athena", "CreateNamedQuery")
    identity = client("athena").create_named_query(**shapes.fit(request, shape))["NamedQueryId"]
    return identity, {"NamedQueryId": identity}


def _remove_named_query(physical_id: str, _: Properties) -> None:
    client("athena").delete_named_query(NamedQueryId=physical_id)


def _make_security_configuration(_: str, properties: Properties) -> Created:
    """Made anew by every change; CloudFormation's list of S3 encryptions is called by its singular in the service."""
    name = properties["Name"]
    encryption = dict(properties["EncryptionConfiguration"])
    if "S3Encryptions" in encryption:
        encryption["S3Encryption"] = encryption.pop("S3Encryptions")
    _remove_security_configuration(name, properties)
    client("glue").create_security_configuration(Name=name, EncryptionConfiguration=encryption)
    return name, {}


def _remove_security_configuration(physical_id: str, _: Properties) -> None:
    try:
        client("glue").delete_security_configuration(Name=physical_id)
    except client("glue").exceptions.EntityNotFoundException:
        return


def _associate(_: str, properties: Properties) -> Created:
    client("wafv2").associate_web_acl(WebACLArn=properties["WebACLArn"], ResourceArn=properties["ResourceArn"])
    return f"{properties['ResourceArn']}|{properties['WebACLArn']}", {}


def _disassociate(_: str, properties: Properties) -> None:
    client("wafv2").disassociate_web_acl(ResourceArn=properties["ResourceArn"])


class BudgetType:
    """``AWS::Budgets::Budget``: the budget changes in place, its notifications replace it."""

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Make it with its notifications; tags are left out as nothing reads them."""
        given = {key: value for key, value in properties.items() if key != "ResourceTags"}
        name = given["Budget"].get("BudgetName") or seams.physical_name(stack, logical_id, longest=_LONGEST_NAME)
        request = {**given, "AccountId": ACCOUNT, "Budget": {**given["Budget"], "BudgetName": name}}
        client("budgets").create_budget(**shapes.fit(request, shapes.input_shape("budgets", "CreateBudget")))
        return name, {}

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        """CloudFormation replaces a budget for its notifications; a fixed name makes that a delete and a create."""
        if "NotificationsWithSubscribers" in resources.changed(old, new):
            self.delete(physical_id, old)
            return self.create(logical_id, new, stack)
        request = {"AccountId": ACCOUNT, "NewBudget": {**new["Budget"], "BudgetName": physical_id}}
        client("budgets").update_budget(**shapes.fit(request, shapes.input_shape("budgets", "UpdateBudget")))
        return physical_id, {}

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Fine where it is gone."""
        try:
            client("budgets").delete_budget(AccountId=ACCOUNT, BudgetName=physical_id)
        except client("budgets").exceptions.NotFoundException:
            return
