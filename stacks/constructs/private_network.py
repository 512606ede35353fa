"""A network without a way out: isolated subnets, endpoints for the AWS services that the functions call, flow logs.

What runs in it reaches those services, for principals of this account only, and nothing else: there is no internet
gateway and no NAT, so feedback cannot leave. Each stack has a segment of its own, so that the flow log tells whose
traffic it shows. Knows networking. Does not know what runs in it.
"""

import ipaddress
from collections.abc import Sequence

from aws_cdk import Aws, Fn
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from stacks.constructs.arns import arn
from stacks.constructs.data_key import DataKey
from stacks.constructs.log_group import log_group
from stacks.constructs.role import Role, Statement

ZONES = 2
_SUBNET_PREFIX = 20
# What the functions call: https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
INTERFACES = (
    "cloudformation",
    "events",
    "monitoring",
    "sagemaker.api",
    "sagemaker.runtime",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
)
GATEWAYS = ("dynamodb", "s3")
_HTTPS = 443


class PrivateNetwork(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        addresses: str,
        key: DataKey,
        log_days: int,
        more_interfaces: Sequence[str] = (),
    ) -> None:
        """`more_interfaces` are services that only some stages call: each endpoint costs by the hour in each zone."""
        super().__init__(scope, id_)
        self.addresses = addresses
        vpc = ec2.CfnVPC(self, "Vpc", cidr_block=addresses, enable_dns_hostnames=True, enable_dns_support=True)
        self.vpc_id = vpc.attr_vpc_id
        self.routes = ec2.CfnRouteTable(self, "Routes", vpc_id=self.vpc_id).attr_route_table_id
        self._add_gateways()
        segment = NetworkSegment(self, "Endpoints", network=self, position=0)
        self._add_interfaces((*INTERFACES, *more_interfaces), segment.subnet_ids)
        self._log_flows(key, log_days)

    def _add_gateways(self) -> None:
        for service in GATEWAYS:
            ec2.CfnVPCEndpoint(
                self,
                service.capitalize(),
                vpc_id=self.vpc_id,
                vpc_endpoint_type="Gateway",
                service_name=_service(service),
                route_table_ids=[self.routes],
                policy_document=_THIS_ACCOUNT_ONLY,
            )

    def _add_interfaces(self, services: Sequence[str], subnet_ids: Sequence[str]) -> None:
        group = ec2.CfnSecurityGroup(
            self,
            "InterfaceAccess",
            group_description="Endpoints of AWS services",
            vpc_id=self.vpc_id,
            security_group_egress=[_egress("Answers within the network", self.addresses)],
            security_group_ingress=[
                ec2.CfnSecurityGroup.IngressProperty(
                    ip_protocol="tcp",
                    from_port=_HTTPS,
                    to_port=_HTTPS,
                    cidr_ip=self.addresses,
                    description="HTTPS from within the network",
                )
            ],
        )
        for service in services:
            ec2.CfnVPCEndpoint(
                self,
                "".join(word.capitalize() for word in service.split(".")),
                vpc_id=self.vpc_id,
                vpc_endpoint_type="Interface",
                service_name=_service(service),
                private_dns_enabled=True,
                subnet_ids=subnet_ids,
                security_group_ids=[group.attr_group_id],
                policy_document=_THIS_ACCOUNT_ONLY,
            )

    def _log_flows(self, key: DataKey, days: int) -> None:
        logs = log_group(self, "FlowLog", key=key, days=days)
        role = Role(
            self,
            "FlowLogAccess",
            service="vpc-flow-logs",
            description="Writes the network's flow log",
            statements=[
                Statement(
                    actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                    resources=[logs.log_group_arn],
                )
            ],
        )
        ec2.CfnFlowLog(
            self,
            "Flows",
            resource_id=self.vpc_id,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=logs.log_group_name,
            deliver_logs_permission_arn=role.arn,
        )


class NetworkSegment(Construct):
    """The subnets of one stack, one in each zone, and the security group of what runs there."""

    def __init__(self, scope: Construct, id_: str, *, network: PrivateNetwork, position: int) -> None:
        super().__init__(scope, id_)
        blocks = list(ipaddress.ip_network(network.addresses).subnets(new_prefix=_SUBNET_PREFIX))
        self.subnet_ids = [self._subnet(network, zone, str(blocks[position * ZONES + zone])) for zone in range(ZONES)]
        self.group_id = ec2.CfnSecurityGroup(
            self,
            "Workloads",
            group_description="What runs in the network calls AWS services and is called by nobody",
            vpc_id=network.vpc_id,
            security_group_egress=[_egress("To the endpoints; there is no route further", "0.0.0.0/0")],
        ).attr_group_id

    def joining(self) -> list[Statement]:
        """What a function's role needs to have its interfaces here.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
        """
        return [
            Statement(actions=["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"], resources=["*"]),
            # Lambda checks the right to delete against every id.
            Statement(
                actions=[
                    "ec2:AssignPrivateIpAddresses",
                    "ec2:CreateNetworkInterface",
                    "ec2:DeleteNetworkInterface",
                    "ec2:UnassignPrivateIpAddresses",
                ],
                resources=[arn("ec2", "*/*")],
            ),
        ]

    def _subnet(self, network: PrivateNetwork, zone: int, addresses: str) -> str:
        subnet = ec2.CfnSubnet(
            self,
            f"Subnet{zone}",
            vpc_id=network.vpc_id,
            availability_zone=Fn.select(zone, Fn.get_azs()),
            cidr_block=addresses,
            map_public_ip_on_launch=False,
        )
        ec2.CfnSubnetRouteTableAssociation(
            self, f"Routing{zone}", subnet_id=subnet.attr_subnet_id, route_table_id=network.routes
        )
        return subnet.attr_subnet_id


def _service(name: str) -> str:
    return f"com.amazonaws.{Aws.REGION}.{name}"


def _egress(description: str, addresses: str) -> ec2.CfnSecurityGroup.EgressProperty:
    return ec2.CfnSecurityGroup.EgressProperty(
        ip_protocol="tcp", from_port=_HTTPS, to_port=_HTTPS, cidr_ip=addresses, description=description
    )


_THIS_ACCOUNT_ONLY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalAccount": Aws.ACCOUNT_ID}},
        }
    ],
}
