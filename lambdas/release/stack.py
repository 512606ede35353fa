"""The Endpoint stack and its SSM parameters: what they say, and how they are changed. It decides nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from botocore.exceptions import ClientError

from lambdas.aws.clients import Client

STARTER: Final = "starter"
NOTHING_BESIDE: Final = "none"
GUARDED: Final = "on"
UNGUARDED: Final = "off"

_WEIGHT_PARAMETER: Final = "BesideWeight"
_CAPABILITIES: Final = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]


class Slot(Enum):
    """The places for a model behind the endpoint."""

    RELEASE = "release"
    BESIDE = "beside"


@dataclass(frozen=True, kw_only=True)
class ParameterNames:
    """The names of the SSM parameters."""

    release: str
    beside: str
    guardrail: str

    def of(self, slot: Slot) -> str:
        """The parameter that names the model in this slot."""
        return self.release if slot is Slot.RELEASE else self.beside


@dataclass(frozen=True, kw_only=True)
class StackState:
    """``served`` is what a slot's parameter resolved to at the last update, as far as that is told."""

    status: str
    reason: str
    served: Mapping[Slot, str]


class EndpointStack:
    """One CloudFormation stack that reads SSM parameters."""

    def __init__(
        self,
        *,
        name: str,
        parameters: ParameterNames,
        alarms: Sequence[str],
        cloudformation: Client,
        cloudwatch: Client,
        ssm: Client,
    ) -> None:
        self._name = name
        self._parameters = parameters
        self._alarms = list(alarms)
        self._cloudformation = cloudformation
        self._cloudwatch = cloudwatch
        self._ssm = ssm

    def read(self, slot: Slot) -> str:
        """What the slot's parameter names."""
        value: str = self._ssm.get_parameter(Name=self._parameters.of(slot))["Parameter"]["Value"]
        return value

    def write(self, slot: Slot, value: str) -> None:
        """Name another model. Nothing is served differently before the stack is updated."""
        self._put(self._parameters.of(slot), value)

    def guard(self, is_guarded: bool) -> None:
        """Whether the endpoint's next update is a canary with alarms, or happens at once."""
        wanted = GUARDED if is_guarded else UNGUARDED
        if self._ssm.get_parameter(Name=self._parameters.guardrail)["Parameter"]["Value"] != wanted:
            self._put(self._parameters.guardrail, wanted)

    def ringing(self) -> list[str]:
        """The metrics of those alarms that would take a new model back at this moment."""
        described = self._cloudwatch.describe_alarms(AlarmNames=self._alarms, StateValue="ALARM")
        return [alarm["MetricName"] for alarm in described["MetricAlarms"]]

    def state(self) -> StackState:
        """How the stack stands."""
        stack = self._describe()
        resolved = {each.get("ParameterValue"): each.get("ResolvedValue") for each in stack.get("Parameters", [])}
        served = {slot: resolved.get(self._parameters.of(slot)) for slot in Slot}
        return StackState(
            status=stack["StackStatus"],
            reason=stack.get("StackStatusReason", ""),
            served={slot: value for slot, value in served.items() if value is not None},
        )

    def update(self, *, share: float | None = None) -> bool:
        """Begin an update in which only what the parameters name is new; False where nothing is.

        A ``share`` below 1 is the beside model's part of the traffic; the released one's weight is always 1.
        """
        parameters: list[dict[str, Any]] = []
        for parameter in self._describe().get("Parameters", []):
            key = parameter["ParameterKey"]
            if key == _WEIGHT_PARAMETER and share is not None:
                parameters.append({"ParameterKey": key, "ParameterValue": f"{share / (1 - share):.6g}"})
            else:
                parameters.append({"ParameterKey": key, "UsePreviousValue": True})
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

    def _put(self, name: str, value: str) -> None:
        self._ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    def _describe(self) -> dict[str, Any]:
        stack: dict[str, Any] = self._cloudformation.describe_stacks(StackName=self._name)["Stacks"][0]
        return stack
