"""Parameters of Systems Manager: settings that people change without a deployment. It does not know what they mean."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.aws.clients import Client


class ParameterUnavailableError(RuntimeError):
    """The parameter cannot be read: it is not there, or Systems Manager does not answer."""


def read_parameter(name: str, *, ssm: Client) -> str:
    """The value of a plain parameter; ParameterUnavailableError otherwise."""
    try:
        answer: dict[str, Any] = ssm.get_parameter(Name=name)
    except (ClientError, BotoCoreError) as error:
        raise ParameterUnavailableError("A parameter cannot be read.") from error
    return str(answer["Parameter"]["Value"])
