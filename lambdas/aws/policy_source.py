"""The alert policy in force: the stage's parameter, and where that holds nonsense the last one that was good.

It does not know what a policy says.
"""

import time
from collections.abc import Callable
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from feedback.alerting.policy import Policy, default_policy
from feedback.alerting.reading import PolicyError
from lambdas.aws.clients import Client
from lambdas.aws.parameter import ParameterUnavailableError, read_parameter
from lambdas.telemetry import log, log_error

DEFAULT: Final = "default"
"""The parameter's value that stands for the policy in the bundle."""

_FRESH_SECONDS: Final = 60.0
_KEY: Final = {"pk": {"S": "policy"}, "sk": {"S": "last-good"}}


class PolicySource:
    """Reads the parameter at most once a minute."""

    def __init__(
        self,
        *,
        parameter: str,
        ssm: Client,
        desk_table: str,
        dynamodb: Client,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parameter = parameter
        self._ssm = ssm
        self._desk_table = desk_table
        self._dynamodb = dynamodb
        self._clock = clock
        self._policy: Policy | None = None
        self._text: str | None = None
        self._read_at = 0.0

    def load(self) -> Policy:
        """The policy in force; ParameterUnavailableError only where none was ever read and none can be."""
        if self._policy is not None and self._clock() - self._read_at < _FRESH_SECONDS:
            return self._policy
        try:
            text = read_parameter(self._parameter, ssm=self._ssm)
            self._take(default_policy() if text.strip() == DEFAULT else text)
        except ParameterUnavailableError as error:
            log_error("The alert policy cannot be read; the last good one stays.", error)
            if self._policy is None and not self._take_last_good():
                raise
        except PolicyError as error:
            log("ERROR", "The alert policy is nonsense; the last good one stays.", place=error.place)
            if self._policy is None and not self._take_last_good():
                self._take(default_policy())
        self._read_at = self._clock()
        assert self._policy is not None  # one of the ways above has set it or raised
        return self._policy

    def _take(self, text: str) -> None:
        if text == self._text:
            return
        self._policy, self._text = Policy.parse(text), text
        try:
            item = {**_KEY, "text": {"S": text}}
            self._dynamodb.put_item(TableName=self._desk_table, Item=item)
        except (ClientError, BotoCoreError) as error:
            log_error("The good alert policy could not be noted.", error)

    def _take_last_good(self) -> bool:
        try:
            item = self._dynamodb.get_item(TableName=self._desk_table, Key=_KEY).get("Item")
        except (ClientError, BotoCoreError) as error:
            log_error("The last good alert policy cannot be read.", error)
            return False
        if item is None:
            return False
        try:
            self._policy = Policy.parse(item["text"]["S"])
        except PolicyError as error:  # written by a version that knew more
            log("ERROR", "The last good alert policy is of another version.", place=error.place)
            return False
        return True
