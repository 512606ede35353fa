"""The Endpoint stack and its release parameter: what they say, and how they are changed. It decides nothing."""

from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from lambdas.aws.clients import Client

_CAPABILITIES: Final = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]


@dataclass(frozen=True, kw_only=True)
class StackState:
    """``served`` is what the release parameter resolved to at the last update, None where that is not told."""

    status: str
    reason: str
    served: str | None


class EndpointStack:
    """One CloudFormation stack that reads one SSM parameter."""

    def __init__(self, *, name: str, parameter: str, cloudformation: Client, ssm: Client) -> None:
        self._name = name
        self._parameter = parameter
        self._cloudformation = cloudformation
        self._ssm = ssm

    def read_parameter(self) -> str:
        """The release that the parameter names."""
        value: str = self._ssm.get_parameter(Name=self._parameter)["Parameter"]["Value"]
        return value

    def write_parameter(self, value: str) -> None:
        """Name another release. Nothing is served differently before the stack is updated."""
        self._ssm.put_parameter(Name=self._parameter, Value=value, Type="String", Overwrite=True)

    def state(self) -> StackState:
        """How the stack stands."""
        stack = self._describe()
        served = [
            parameter.get("ResolvedValue")
            for parameter in stack.get("Parameters", [])
            if parameter.get("ParameterValue") == self._parameter
        ]
        return StackState(
            status=stack["StackStatus"],
            reason=stack.get("StackStatusReason", ""),
            served=served[0] if served else None,
        )

    def update(self) -> bool:
        """Begin an update in which only what the parameter names is new; False where nothing is."""
        parameters = [
            {"ParameterKey": parameter["ParameterKey"], "UsePreviousValue": True}
            for parameter in self._describe().get("Parameters", [])
        ]
        try:
            self._cloudformation.update_stack(
                StackName=self._name, UsePreviousTemplate=True, Parameters=parameters, Capabilities=_CAPABILITIES
            )
        except ClientError as error:
            if "No updates are to be performed" in error.response["Error"].get("Message", ""):
                return False
            raise
        return True

    def first_failure(self) -> str | None:
        """Why the last update failed: the reason of the resource that failed first, or None."""
        events = self._cloudformation.describe_stack_events(StackName=self._name)["StackEvents"]
        first = None
        for event in events:  # newest first
            status, is_stack = event["ResourceStatus"], event.get("PhysicalResourceId") == event["StackId"]
            if is_stack and status == "UPDATE_IN_PROGRESS":
                break
            reason = event.get("ResourceStatusReason", "")
            if status.endswith("_FAILED") and not is_stack and "cancelled" not in reason.lower():
                first = f"{event['LogicalResourceId']}: {reason}"
        return first

    def _describe(self) -> dict[str, Any]:
        stack: dict[str, Any] = self._cloudformation.describe_stacks(StackName=self._name)["Stacks"][0]
        return stack
