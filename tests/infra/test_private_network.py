"""The network without a way out: everything that a function calls is reachable in it, and nothing else is."""

import ast
import ipaddress
from collections.abc import Iterator
from pathlib import Path

from stacks.constructs.private_network import GATEWAYS, INTERFACES, ZONES
from stacks.launch import ROOT
from tests.infra.intrinsics import example
from tests.synthesis import Assembly, function_of

# Where the endpoint is not called as boto3 calls the service.
ENDPOINTS = {"cloudwatch": "monitoring", "sagemaker": "sagemaker.api", "sagemaker-runtime": "sagemaker.runtime"}


def clients() -> Iterator[str]:
    """The services that the functions' code makes clients of."""
    for path in (ROOT / "lambdas").rglob("*.py"):
        for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "client"
                and node.args
            ):
                yield ast.literal_eval(node.args[0])


# Called only where the settings say so: prod has calls transcribed, and nothing translated.
SWITCHED_ON, SWITCHED_OFF = {"transcribe"}, {"translate"}


def test_every_service_that_a_function_calls_has_an_endpoint_and_no_other_has() -> None:
    called = {ENDPOINTS.get(service, service) for service in clients()}
    assert called == {*INTERFACES, *GATEWAYS, *SWITCHED_ON, *SWITCHED_OFF}


def test_every_function_of_prod_is_in_the_subnets_of_its_stack(app: Assembly) -> None:
    for (stage, stack), template in app.templates.items():
        for function in template["Resources"].values():
            if function["Type"] == "AWS::Lambda::Function" and function_of(function):
                inside = function["Properties"].get("VpcConfig")
                assert bool(inside) is (stage == "prod")
                for subnet in inside["SubnetIds"] if inside else []:
                    assert template["Resources"][subnet["Fn::GetAtt"][0]]["Type"] == "AWS::EC2::Subnet", stack


def test_nothing_leads_out(app: Assembly) -> None:
    types = {
        resource["Type"]
        for (stage, _), t in app.templates.items()
        if stage == "prod"
        for resource in t["Resources"].values()
    }
    assert "AWS::EC2::VPC" in types
    assert not types & {
        "AWS::EC2::InternetGateway",
        "AWS::EC2::NatGateway",
        "AWS::EC2::Route",
        "AWS::EC2::TransitGatewayAttachment",
    }
    assert all(
        s["Properties"]["MapPublicIpOnLaunch"] is False for s in app.resources("prod", "AWS::EC2::Subnet").values()
    )


def test_endpoints_serve_principals_of_this_account_only(app: Assembly) -> None:
    endpoints = app.resources("prod", "AWS::EC2::VPCEndpoint").values()
    names = {example(endpoint["Properties"]["ServiceName"]).split(".", 3)[3] for endpoint in endpoints}
    assert names == {*INTERFACES, *GATEWAYS, *SWITCHED_ON}
    for endpoint in endpoints:
        (statement,) = endpoint["Properties"]["PolicyDocument"]["Statement"]
        assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}


def test_segments_lie_in_the_network_and_apart_from_each_other(app: Assembly) -> None:
    vpc = ipaddress.ip_network(app.resource("prod", "AWS::EC2::VPC")["Properties"]["CidrBlock"])
    subnets = [s["Properties"] for s in app.resources("prod", "AWS::EC2::Subnet").values()]
    blocks = [ipaddress.ip_network(subnet["CidrBlock"]) for subnet in subnets]
    assert len(blocks) == 7 * ZONES
    assert all(block.subnet_of(vpc) for block in blocks)  # type: ignore[arg-type]
    assert not any(a.overlaps(b) for number, a in enumerate(blocks) for b in blocks[number + 1 :])
    assert {subnet["AvailabilityZone"]["Fn::Select"][0] for subnet in subnets} == set(range(ZONES))


def test_groups_let_in_nothing_but_calls_to_the_endpoints(app: Assembly) -> None:
    for group in app.resources("prod", "AWS::EC2::SecurityGroup").values():
        for rule in group["Properties"].get("SecurityGroupIngress", []):
            assert (rule["FromPort"], rule["ToPort"]) == (443, 443)
            assert rule["CidrIp"] == app.resource("prod", "AWS::EC2::VPC")["Properties"]["CidrBlock"]
        for rule in group["Properties"]["SecurityGroupEgress"]:
            assert (rule["FromPort"], rule["ToPort"]) == (443, 443)


def test_the_flow_of_all_traffic_is_logged(app: Assembly) -> None:
    flow = app.resource("prod", "AWS::EC2::FlowLog")["Properties"]
    assert flow["TrafficType"] == "ALL"
    assert example(flow["LogGroupName"])
