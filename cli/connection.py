"""The way to one stage: boto3 clients and the outputs of its stacks.

Responsible for where a stage lives (the local AWS or the account of the ordinary credential chain) and for turning
AWS's errors into sentences. It does not know what the commands do. boto3 is imported on first use, so that the command
line starts quickly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from cli.errors import BadInput, NotReady, Problem
from cli.project import LOCAL, LOCAL_REGION, STAGES, Project, stack_name

if TYPE_CHECKING:
    import boto3

# The local AWS takes any key.
ANY_KEY = "test"

# boto3's clients are made at run time and carry no types.
Client = Any


class Connection(Protocol):
    """What the commands ask of a stage; tests put a fake in its place."""

    @property
    def stage(self) -> str: ...

    def client(self, service: str) -> Client: ...

    def output(self, stack: str, key: str) -> str: ...


@dataclass(kw_only=True)
class AwsConnection:
    """One stage on AWS, or on the local AWS when `endpoint_url` is given."""

    stage: str
    endpoint_url: str | None
    _clients: dict[str, Client] = field(default_factory=dict)
    _outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    @cached_property
    def session(self) -> boto3.Session:
        import boto3

        if self.endpoint_url is None:
            return boto3.Session()
        return boto3.Session(aws_access_key_id=ANY_KEY, aws_secret_access_key=ANY_KEY, region_name=LOCAL_REGION)

    @property
    def region(self) -> str:
        region = self.session.region_name
        if not region:
            raise NotReady("No AWS region is set: export AWS_REGION or set it in your profile.")
        return str(region)

    def client(self, service: str) -> Client:
        """A client, made once per service."""
        if service not in self._clients:
            from botocore.config import Config

            local = self.endpoint_url is not None
            config = Config(
                retries={"mode": "standard", "total_max_attempts": 2 if local else 5},
                connect_timeout=3 if local else 10,
                read_timeout=70,
                proxies={} if local else None,
                s3={"addressing_style": "path"} if local else None,
            )
            self._clients[service] = self.session.client(
                service, endpoint_url=self.endpoint_url, region_name=self.region, config=config
            )
        return self._clients[service]

    def output(self, stack: str, key: str) -> str:
        """One output of a stack; NotReady when the stack or the output is not there."""
        outputs = self.outputs(stack)
        if key not in outputs:
            raise NotReady(
                f"Stack {stack_name(self.stage, stack)} has no output {key}: bring it up to date with "
                f"`{deploy_command(self.stage)}`."
            )
        return outputs[key]

    def outputs(self, stack: str) -> dict[str, str]:
        """All outputs of a stack, by key."""
        if stack not in self._outputs:
            described = self.describe_stack(stack)
            if described is None:
                raise NotReady(
                    f"Stack {stack_name(self.stage, stack)} is not deployed: run `{deploy_command(self.stage)}`."
                )
            self._outputs[stack] = {entry["OutputKey"]: entry["OutputValue"] for entry in described.get("Outputs", [])}
        return self._outputs[stack]

    def describe_stack(self, stack: str) -> dict[str, Any] | None:
        """CloudFormation's description, or None when there is no such stack."""
        from botocore.exceptions import ClientError

        name = stack_name(self.stage, stack)
        try:
            answer = self.client("cloudformation").describe_stacks(StackName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
                return None
            raise
        stacks: list[dict[str, Any]] = answer["Stacks"]
        return next((found for found in stacks if found["StackStatus"] != "DELETE_COMPLETE"), None)

    def forget_outputs(self) -> None:
        """To be called after a deploy."""
        self._outputs.clear()


def connect(stage: str) -> AwsConnection:
    """The connection of a stage; nothing is called yet."""
    if stage not in STAGES:
        raise BadInput(f"There is no stage '{stage}': choose one of {', '.join(STAGES)}.")
    return AwsConnection(stage=stage, endpoint_url=Project.from_env().endpoint_url if stage == LOCAL else None)


def deploy_command(stage: str) -> str:
    """What a user types to deploy the stage."""
    return "earshot up" if stage == LOCAL else f"make deploy STAGE={stage}"


def explained(error: Exception) -> Problem | None:
    """AWS's and the network's errors as a sentence that says what to do; None for anything else."""
    if not type(error).__module__.startswith(("botocore", "boto3")):
        return None
    from botocore import exceptions

    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return NotReady("No AWS credentials were found: sign in (for instance `aws sso login`) or set AWS_PROFILE.")
    if isinstance(error, exceptions.ProfileNotFound):
        return NotReady(f"{error}: check AWS_PROFILE.")
    if isinstance(error, exceptions.SSOError | exceptions.UnauthorizedSSOTokenError | exceptions.TokenRetrievalError):
        return NotReady("The AWS sign-in has run out: run `aws sso login` again.")
    if isinstance(error, exceptions.NoRegionError):
        return NotReady("No AWS region is set: export AWS_REGION or set it in your profile.")
    if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
        address = str(getattr(error, "kwargs", {}).get("endpoint_url", ""))
        if "127.0.0.1" in address or "127.0.0.1" in str(error):
            return NotReady("The local AWS does not answer: start it with `earshot up`.")
        return NotReady(f"AWS cannot be reached ({error}): check the network and the region.")
    if isinstance(error, exceptions.ClientError):
        details = error.response.get("Error", {})
        code, message = details.get("Code", "Unknown"), details.get("Message", str(error))
        if code in {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}:
            return NotReady(f"AWS does not accept the credentials ({code}): sign in again.")
        return Problem(f"{error.operation_name} was refused: {code}: {message}")
    if isinstance(error, exceptions.WaiterError):
        return Problem(str(error))
    return Problem(f"{type(error).__name__}: {error}")
