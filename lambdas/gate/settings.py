"""The environment of the gate."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """Where approved models are, and what every model must reach."""

    model_package_group: str
    minimum_macro_f1: float
    maximum_calibration_error: float
    maximum_accuracy_difference: float
    maximum_recall_difference: float

    def __post_init__(self) -> None:
        for name in self.environment_names()[1:]:
            if not 0.0 <= getattr(self, name.lower()) <= 1.0:
                raise ValueError(f"{name} is not from 0 to 1")
