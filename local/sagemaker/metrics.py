"""What the local SageMaker measures about itself, on its way to CloudWatch. Values only; others keep them."""

from collections.abc import Mapping
from dataclasses import dataclass

NAMESPACE = "AWS/SageMaker"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Values of one metric under one set of dimensions; ``values`` says how often each was seen."""

    name: str
    unit: str
    dimensions: Mapping[str, str]
    values: Mapping[float, int]
