"""The environment of the gate."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """Where approved models are, and what every model must reach."""

    model_package_group: str
    minimum_macro_f1: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.minimum_macro_f1 <= 1.0:
            raise ValueError("MINIMUM_MACRO_F1 is not from 0 to 1")
