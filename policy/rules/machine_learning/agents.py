"""Rules for Bedrock: knowledge bases, and agents with their gateways, memories, browsers and interpreters."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import broken, on, one_of, own_key
from policy.rule import Fault, rule
from policy.template import Template
from policy.values import is_known, text

CORE = "AWS::BedrockAgentCore::"


@rule(
    id="ML-80",
    title="Data sources of knowledge bases are encrypted with a key of yours",
    why="While it is read in, a copy of the documents lies with the service",
    mend="Set ServerSideEncryptionConfiguration.KmsKeyArn",
    controls=("Bedrock.1",),
)
def data_sources_are_encrypted(template: Template) -> Iterator[Fault]:
    return broken(template, "AWS::Bedrock::DataSource", "ServerSideEncryptionConfiguration.KmsKeyArn", own_key)


@rule(
    id="ML-81",
    title="Agent runtimes and browsers stand in a VPC",
    why="What an agent is talked into doing, it does over the network: the public one has no border",
    mend="Set NetworkConfiguration.NetworkMode to VPC",
    controls=("BedrockAgentCore.1", "BedrockAgentCore.5"),
)
def agents_stand_in_a_vpc(template: Template) -> Iterator[Fault]:
    return broken(
        template, (f"{CORE}Runtime", f"{CORE}BrowserCustom"), "NetworkConfiguration.NetworkMode", one_of("VPC")
    )


@rule(
    id="ML-82",
    title="Agent gateways ask who is calling",
    why="A gateway without authorization lets everyone use the tools behind it",
    mend="Set AuthorizerType to CUSTOM_JWT or AWS_IAM",
    controls=("BedrockAgentCore.2",),
)
def gateways_authorise(template: Template) -> Iterator[Fault]:
    def authorised(value: object) -> bool:
        return not is_known(value) or text(value) not in (None, "NONE")

    return broken(template, f"{CORE}Gateway", "AuthorizerType", authorised)


@rule(
    id="ML-83",
    title="Agent memories and gateways are encrypted with a key of yours",
    why="A memory keeps what customers told the agent",
    mend="Set EncryptionKeyArn of the memory, KmsKeyArn of the gateway",
    controls=("BedrockAgentCore.3", "BedrockAgentCore.4"),
)
def agents_are_encrypted(template: Template) -> Iterator[Fault]:
    yield from broken(template, f"{CORE}Memory", "EncryptionKeyArn", own_key)
    yield from broken(template, f"{CORE}Gateway", "KmsKeyArn", own_key)


@rule(
    id="ML-84",
    title="Sessions of agents' browsers are recorded",
    why="What an agent did in a browser cannot be told afterwards without a recording",
    mend="Set RecordingConfig.Enabled to true and an S3Location",
    controls=("BedrockAgentCore.6",),
)
def browsers_are_recorded(template: Template) -> Iterator[Fault]:
    return broken(template, f"{CORE}BrowserCustom", "RecordingConfig.Enabled", on)


@rule(
    id="ML-85",
    title="Agents' code interpreters have no public network",
    why="Code that a model wrote runs there: with a public network it can send out what it reads",
    mend="Set NetworkConfiguration.NetworkMode to SANDBOX or VPC",
    controls=("BedrockAgentCore.7",),
)
def interpreters_are_private(template: Template) -> Iterator[Fault]:
    path = "NetworkConfiguration.NetworkMode"
    return broken(template, f"{CORE}CodeInterpreterCustom", path, one_of("SANDBOX", "VPC"))
