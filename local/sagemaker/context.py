"""What every part of the local SageMaker is told at start. Holds values only, does nothing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.sagemaker.metrics import Measurement

Publish = Callable[[str, str, dict[str, Any]], None]
Measure = Callable[[Sequence[Measurement]], None]
AlarmStates = Callable[[Collection[str]], Mapping[str, str]]
Credentials = Callable[[str], Mapping[str, str]]


def _publish_nothing(source: str, detail_type: str, detail: dict[str, Any]) -> None:
    """The default outside a local AWS: nobody listens."""


def _measure_nothing(measurements: Sequence[Measurement]) -> None:
    """The default outside a local AWS: nobody keeps metrics."""


def _no_alarms(names: Collection[str]) -> Mapping[str, str]:
    """The default outside a local AWS: there are none."""
    return {}


def _any_credentials(role_arn: str) -> Mapping[str, str]:
    """The default outside a local AWS, and where it does not judge roles: a key that may do everything."""
    return {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True, kw_only=True)
class Context:
    """Where the local SageMaker lives and what it may use.

    ``home`` keeps its state, job folders and logs. ``endpoint_url`` is the local AWS itself (S3, logs and the
    rest). ``serving_python`` and ``training_python`` are the interpreters that stand for AWS's framework images, and
    ``spark_python`` for its Spark image, None where there is none. ``jobs_at_once`` jobs run a program at a time.
    ``publish(source, detail_type, detail)`` puts one event on the default event bus and does not wait for its targets.
    ``measure(measurements)`` puts metrics into CloudWatch, and ``alarm_states(names)`` tells the present state of those
    alarms that exist, with all that was measured. ``credentials(role_arn)`` gives a job its role's credentials, as
    environment variables.
    """

    home: Path
    endpoint_url: str
    serving_python: Path
    training_python: Path
    spark_python: Path | None = None
    jobs_at_once: int = 1
    region: str = "us-east-1"
    account: str = "000000000000"
    publish: Publish = field(default=_publish_nothing)
    measure: Measure = field(default=_measure_nothing)
    alarm_states: AlarmStates = field(default=_no_alarms)
    credentials: Credentials = field(default=_any_credentials)

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a SageMaker resource, for instance kind ``training-job``."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{kind}/{name}"
