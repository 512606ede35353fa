"""What an AutoML job asks for: refused where the local Autopilot has nothing for it, else as the search reads it.

Pure: knows no records, no files and no S3.
"""

from typing import Any

from local.sagemaker import objects
from local.sagemaker.errors import validation
from local.sagemaker.shapes import Fields

DEFAULT_CANDIDATES = 10
"""AWS tries 250 in this mode where the request says nothing."""
DEFAULT_CANDIDATE_SECONDS = 900
DEFAULT_JOB_SECONDS = 3600
CSV = "text/csv"
MODE = "HYPERPARAMETER_TUNING"
TABULAR, TEXT = "TabularJobConfig", "TextClassificationJobConfig"
NAMES = {TABULAR: "Tabular", TEXT: "TextClassification"}


def problem(request: Fields) -> tuple[str, Fields]:
    """The one problem type that a request has, and its settings."""
    ((kind, config),) = request["AutoMLProblemTypeConfig"].items()
    return str(kind), config


def refuse_what_is_not_here(request: Fields) -> None:
    """ValidationException with one sentence."""
    kinds = list(request["AutoMLProblemTypeConfig"])
    if len(kinds) != 1:
        raise validation("AutoMLProblemTypeConfig must have exactly one member.")
    if kinds[0] not in NAMES:
        raise validation(f"The local SageMaker has {TABULAR} and {TEXT} only, not {kinds[0]}.")
    config = request["AutoMLProblemTypeConfig"][kinds[0]]
    _refuse_settings(config)
    channels = request["AutoMLJobInputDataConfig"]
    names = [channel.get("ChannelType", "training") for channel in channels]
    if names.count("training") != 1 or len(set(names)) != len(names):
        raise validation("AutoMLJobInputDataConfig needs one training channel, and has at most one for validation.")
    if "validation" in names and "ValidationFraction" in request.get("DataSplitConfig", {}):
        raise validation("DataSplitConfig.ValidationFraction cannot be given beside a validation channel.")
    for channel in channels:
        _refuse_channel(channel)
    if "ModelDeployConfig" in request:
        raise validation("The local SageMaker deploys no candidate by itself: leave ModelDeployConfig out.")
    _address(request["OutputDataConfig"]["S3OutputPath"])
    fraction = request.get("DataSplitConfig", {}).get("ValidationFraction", 0.2)
    if not 0 < fraction < 1:
        raise validation("DataSplitConfig.ValidationFraction must be between 0 and 1.")


def _refuse_settings(config: Fields) -> None:
    if config.get("Mode", "AUTO") == "ENSEMBLING":
        raise validation(f"The local SageMaker has no ensembles: Mode is {MODE} (or AUTO, which is taken for it).")
    if config.get("ProblemType") == "Regression":
        raise validation("The local SageMaker has classification only: ProblemType cannot be Regression.")
    for member in ("FeatureSpecificationS3Uri", "SampleWeightAttributeName"):
        if member in config:
            raise validation(f"The local SageMaker takes every column alike: leave {member} out.")
    if config.get("GenerateCandidateDefinitionsOnly"):
        raise validation("The local SageMaker always trains: GenerateCandidateDefinitionsOnly cannot be true.")


def _refuse_channel(channel: Fields) -> None:
    source = channel["DataSource"]["S3DataSource"]
    if source["S3DataType"] == "AugmentedManifestFile":
        raise validation("The local SageMaker reads S3Prefix and ManifestFile only.")
    content, _, parameters = channel.get("ContentType", f"{CSV};header=present").partition(";")
    if content.strip().lower() != CSV or parameters.strip().lower() not in ("", "header=present"):
        raise validation(f"The local SageMaker reads {CSV};header=present only, not {channel['ContentType']}.")
    _address(source["S3Uri"])


def _address(uri: str) -> None:
    try:
        objects.Address.parse(uri)
    except objects.ObjectError as error:
        raise validation(str(error)) from error


def search_request(record: Fields) -> dict[str, Any]:
    """The file that the search is started with."""
    kind, config = problem(record)
    criteria = config.get("CompletionCriteria", {})
    algorithms = config.get("CandidateGenerationConfig", {}).get("AlgorithmsConfig", [])
    return {
        "job": record["AutoMLJobName"],
        "target": config["TargetAttributeName"] if kind == TABULAR else config["TargetLabelColumn"],
        "content": config.get("ContentColumn"),
        "problem": config.get("ProblemType"),
        "objective": record.get("AutoMLJobObjective", {}).get("MetricName"),
        "algorithms": [name for each in algorithms for name in each["AutoMLAlgorithms"]],
        "most_candidates": criteria.get("MaxCandidates", DEFAULT_CANDIDATES),
        "candidate_seconds": criteria.get("MaxRuntimePerTrainingJobInSeconds", DEFAULT_CANDIDATE_SECONDS),
        "job_seconds": criteria.get("MaxAutoMLJobRuntimeInSeconds", DEFAULT_JOB_SECONDS),
        "validation_fraction": record.get("DataSplitConfig", {}).get("ValidationFraction"),
    }
