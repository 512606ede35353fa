"""What a definition is made from: the places and names of a stage, and what a run does where its input says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from stacks.settings import CandidateName, FeaturesEngine


@dataclass(frozen=True, kw_only=True)
class PipelineAddresses:
    """Every name, image and place that a run touches."""

    job_prefix: str
    crawler: str
    registry: str
    """Name of the model package group."""
    processing_image: str
    training_image: str
    blazingtext_image: str
    clarify_image: str
    spark_image: str
    processing_role: str
    training_role: str
    blazingtext_role: str
    autopilot_role: str
    autopilot_model_role: str
    clarify_role: str
    code: str
    serving: str
    serving_file: str
    """The file that the serving code arrives as: the CDK names assets by their hash."""
    lake: str
    """`s3://bucket/`"""
    lake_bucket: str
    artifacts: str
    """`s3://bucket/`"""
    key: str
    gate_function: str
    register_function: str
    region: str


@dataclass(frozen=True, kw_only=True)
class PipelineDefaults:
    """What an execution uses where its input says nothing."""

    reviews_prefix: str
    hyperparameters: Mapping[str, str]
    candidates: tuple[CandidateName, ...]
    features_engine: FeaturesEngine
    max_rows: int
    balance: str
    seed: int
    processing_instance_type: str
    training_instance_type: str
    training_instance_count: int
    spark_instance_count: int
    on_spot: bool
    tuning_jobs: int
    tuning_parallel: int
    autopilot_minutes: int
    autopilot_candidates: int
    volume_gib: int
    job_timeout_seconds: int
    poll_seconds: int
