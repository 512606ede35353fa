"""The environment of canary."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """Which endpoint is asked, where recent feedback lies, and from where on a difference is too much.

    The limits are those of the alarms on the same metrics.
    """

    endpoint_name: str
    variant_name: str
    lake_bucket: str
    feedback_texts: float
    maximum_disagreement: float
    maximum_negative_shift: float
    maximum_unsure_shift: float
    maximum_accuracy_drop: float
    maximum_unexpected: float
    maximum_milliseconds: float
