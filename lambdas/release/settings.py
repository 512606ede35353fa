"""The environment of release."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """The SSM parameter that names the released artifacts, and the stack that reads it."""

    release_parameter: str
    endpoint_stack: str
