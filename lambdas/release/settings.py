"""The environment of release."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """The SSM parameters that name what is served and how it changes, the stack that reads them, and its alarms.

    ``rollback_alarms`` are names with commas between them.
    """

    release_parameter: str
    beside_parameter: str
    guardrail_parameter: str
    endpoint_stack: str
    rollback_alarms: str
