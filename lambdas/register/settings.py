"""The environment of register."""

from dataclasses import dataclass
from typing import Final

from lambdas.environment import Environment

AUTOMATIC: Final = "automatic"
MANUAL: Final = "manual"


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """Where models are registered, which images serve them, and whether a person approves."""

    model_package_group: str
    transform_image: str
    classify_image: str
    label_image: str
    approval: str
    instance_type: str

    def __post_init__(self) -> None:
        if self.approval not in (AUTOMATIC, MANUAL):
            raise ValueError(f"APPROVAL is neither {AUTOMATIC} nor {MANUAL}")
