"""Rules for functions as they run: a runtime that is patched, traced, and in more than one zone of a network."""

from __future__ import annotations

from collections.abc import Iterator

from policy.rule import Fault, Kept, as_siblings_do, rule
from policy.template import Template
from policy.values import UNKNOWN, is_known, is_true, number, text

FUNCTION = "AWS::Lambda::Function"
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtimes-deprecated
DEPRECATED_RUNTIMES = frozenset(
    (
        "dotnet5.0", "dotnet6", "dotnet7", "dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1", "go1.x",
        "java8", "nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x",
        "nodejs14.x", "nodejs16.x", "nodejs18.x", "provided", "python2.7", "python3.6", "python3.7", "python3.8",
        "python3.9", "ruby2.5", "ruby2.7", "ruby3.2",
    )
)  # fmt: skip
LONGEST_TIMEOUT_SECONDS = 900
FEWEST_SUBNETS = 2


@rule(
    id="OPS-40",
    title="Functions run on a runtime that is patched",
    why="A deprecated runtime gets no security fixes, and one day the function cannot be updated any more",
    mend="Set Runtime to one that Lambda supports",
    controls=("Lambda.2",),
)
def runtimes_are_patched(template: Template) -> Iterator[Fault]:
    for resource in template.of_type(FUNCTION, "AWS::Serverless::Function"):
        for runtime in resource.values("Runtime"):
            if text(runtime) in DEPRECATED_RUNTIMES:
                yield Fault(resource, text(runtime) or "")


@rule(
    id="OPS-41",
    title="Functions in a network are in more than one zone",
    why="With one subnet the function stops with its zone",
    mend="Name subnets of two or more zones in VpcConfig.SubnetIds",
    controls=("Lambda.5",),
)
def functions_have_several_zones(template: Template) -> Iterator[Fault]:
    for function in template.of_type(FUNCTION):
        for subnets in function.values("VpcConfig", "SubnetIds"):
            if isinstance(subnets, list) and len(subnets) < FEWEST_SUBNETS and UNKNOWN not in subnets:
                yield Fault(function)


@rule(
    id="OPS-42",
    title="Functions are traced",
    why="Where the time of a slow call went stands in its trace",
    mend="Set TracingConfig.Mode to Active",
    controls=("Lambda.7",),
    practice=True,
)
def functions_are_traced(template: Template) -> Iterator[Fault | Kept]:
    for function in template.of_type(FUNCTION):
        mode = function.value("TracingConfig", "Mode")
        yield Kept(function) if mode == "Active" or not is_known(mode) else Fault(function)


@rule(
    id="OPS-43",
    title="Environments are encrypted with a key of yours",
    why="With the service's own key everybody who may describe the function reads its environment",
    mend="Set KmsKeyArn of the function",
    practice=True,
)
def environments_are_encrypted(template: Template) -> Iterator[Fault | Kept]:
    for function in template.of_type(FUNCTION):
        if function.has("Environment", "Variables"):
            yield Kept(function) if function.has("KmsKeyArn") else Fault(function)


@rule(
    id="OPS-44",
    title="Functions can run, and end",
    why="With no concurrency a function answers nobody; past 15 minutes Lambda refuses it",
    mend="Set ReservedConcurrentExecutions above 0 (or leave it out) and Timeout to 1 to 900",
)
def functions_can_run(template: Template) -> Iterator[Fault]:
    for function in template.of_type(FUNCTION):
        if any(number(value) == 0 for value in function.values("ReservedConcurrentExecutions")):
            yield Fault(function, "ReservedConcurrentExecutions is 0")
        for value in function.values("Timeout"):
            seconds = number(value)
            if seconds is not None and not 1 <= seconds <= LONGEST_TIMEOUT_SECONDS:
                yield Fault(function, f"Timeout is {text(value)}")


@rule(
    id="OPS-45",
    title="Functions run in a network of yours",
    why="A function outside of a network may talk to the whole internet",
    mend="Set VpcConfig with SubnetIds and SecurityGroupIds",
    controls=("Lambda.3",),
    practice=True,
)
def functions_run_in_a_network(template: Template) -> Iterator[Fault | Kept]:
    yield from as_siblings_do(
        Kept(function)
        if all(function.has("VpcConfig", name) for name in ("SubnetIds", "SecurityGroupIds"))
        else Fault(function)
        for function in template.of_type(FUNCTION)
    )


@rule(
    id="OPS-46",
    title="Functions leave concurrency to the others",
    why="A function without a limit of its own takes the whole account's when it is called too often",
    mend="Set ReservedConcurrentExecutions",
    practice=True,
)
def functions_leave_concurrency(template: Template) -> Iterator[Fault | Kept]:
    yield from as_siblings_do(
        Kept(function) if function.has("ReservedConcurrentExecutions") else Fault(function)
        for function in template.of_type(FUNCTION)
    )


@rule(
    id="OPS-47",
    title="Functions have a place for what fails",
    why="An event that a function fails on three times is dropped without a trace",
    mend="Set DeadLetterConfig.TargetArn, or OnFailure in an AWS::Lambda::EventInvokeConfig",
    practice=True,
)
def functions_keep_what_fails(template: Template) -> Iterator[Fault | Kept]:
    configured = {
        found.logical_id
        for config in template.of_type("AWS::Lambda::EventInvokeConfig")
        if config.has("DestinationConfig", "OnFailure", "Destination")
        for found in [template.target(config.value("FunctionName"), FUNCTION)]
        if found is not None
    }
    yield from as_siblings_do(
        Kept(function)
        if function.has("DeadLetterConfig", "TargetArn") or function.logical_id in configured
        else Fault(function)
        for function in template.of_type(FUNCTION)
    )


@rule(
    id="OPS-48",
    title="Networks are logged, and give out no public addresses",
    why="Without a flow log nobody can say who talked to whom; an address that was not asked for is a door",
    mend="Add an AWS::EC2::FlowLog of the network; set MapPublicIpOnLaunch of its subnets to false",
    controls=("EC2.6", "EC2.15"),
    practice=True,
)
def networks_are_logged_and_private(template: Template) -> Iterator[Fault | Kept]:
    for network in template.of_type("AWS::EC2::VPC"):
        logged = any(
            network in template.targets(log.value("ResourceId")) for log in template.of_type("AWS::EC2::FlowLog")
        )
        yield Kept(network) if logged else Fault(network, "no flow log")
    for subnet in template.of_type("AWS::EC2::Subnet"):
        if any(is_true(value) for value in subnet.values("MapPublicIpOnLaunch")):
            yield Fault(subnet, "MapPublicIpOnLaunch")
        elif subnet.has("MapPublicIpOnLaunch"):
            yield Kept(subnet)
