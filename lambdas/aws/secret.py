"""Secrets that operators keep in Secrets Manager below one prefix. It does not know what is in them."""

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.aws.clients import Client
from lambdas.telemetry import aws_code

_NOT_THERE = ("ResourceNotFoundException", "InvalidRequestException")  # the latter: scheduled for deletion


class SecretUnavailableError(RuntimeError):
    """Secrets Manager does not answer, or not to us."""


class Secrets:
    """The secrets below a prefix."""

    def __init__(self, *, prefix: str, secretsmanager: Client) -> None:
        self._prefix = prefix
        self._secretsmanager = secretsmanager

    def find(self, name: str) -> str | None:
        """The current text of a secret, None where there is none; SecretUnavailableError otherwise."""
        try:
            answer = self._secretsmanager.get_secret_value(SecretId=self._prefix + name)
        except ClientError as error:
            if aws_code(error) in _NOT_THERE:
                return None
            raise SecretUnavailableError("A secret cannot be read.") from error
        except BotoCoreError as error:
            raise SecretUnavailableError("A secret cannot be read.") from error
        text: str | None = answer.get("SecretString")
        return text
