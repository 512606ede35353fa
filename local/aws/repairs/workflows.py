"""State machines: their log settings, which ministack stores under CloudFormation's names for them."""

from typing import Any

from local.aws import shapes
from local.aws.clients import client
from local.aws.repairs import repair
from local.aws.seams import Properties


def register() -> frozenset[str]:
    """The types that are repaired here."""
    return frozenset({repair("AWS::StepFunctions::StateMachine", _state_machine)})


def _state_machine(arn: str, old: Properties, new: Properties) -> None:
    if "LoggingConfiguration" not in new:
        return
    wanted = _api_names(new["LoggingConfiguration"])
    shape = shapes.input_shape("stepfunctions", "UpdateStateMachine").members["loggingConfiguration"]
    client("stepfunctions").update_state_machine(stateMachineArn=arn, loggingConfiguration=shapes.fit(wanted, shape))


def _api_names(value: Any) -> Any:
    """The template capitalises what the API begins small."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _api_names(each) for name, each in value.items()}
    return [_api_names(each) for each in value] if isinstance(value, list) else value
