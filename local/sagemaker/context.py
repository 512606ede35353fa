"""What every part of the local SageMaker is told at start. Holds values only, does nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Publish = Callable[[str, str, dict[str, Any]], None]


def _publish_nothing(source: str, detail_type: str, detail: dict[str, Any]) -> None:
    """The default outside a local AWS: nobody listens."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """Where the local SageMaker lives and what it may use.

    ``home`` keeps its state, job folders and logs. ``endpoint_url`` is the local AWS itself (S3, logs and the
    rest). ``serving_python`` and ``training_python`` are the interpreters that stand for AWS's framework images.
    ``publish(source, detail_type, detail)`` puts one event on the default event bus and does not wait for its targets.
    """

    home: Path
    endpoint_url: str
    serving_python: Path
    training_python: Path
    region: str = "us-east-1"
    account: str = "000000000000"
    publish: Publish = field(default=_publish_nothing)

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a SageMaker resource, for instance kind ``training-job``."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{kind}/{name}"
