"""A tuning job's request: what is wrong or not built here, what the optimiser is to search, and its training jobs.

Knows requests; nothing of what becomes of them.
"""

import uuid
from typing import Any

from local.sagemaker import shapes
from local.sagemaker.errors import validation
from local.sagemaker.jobs.toolkit import TUNING_METRIC
from local.sagemaker.jobs.training import refuse_what_is_not_here, with_metrics
from local.sagemaker.shapes import Fields
from local.sagemaker.tuning import ranges

# AWS's limit for random search, and what bounds a job that names only other limits.
MOST_TRAINING_JOBS = 750
# Of a tuning job's definition, what is not a training job's member.
_OWN = ("DefinitionName", "TuningObjective", "HyperParameterRanges", "StaticHyperParameters")


def check(request: Fields) -> None:
    """ValidationException for what AWS refuses beyond its shapes, and for what is not built here."""
    for member in ("WarmStartConfig", "Autotune", "TrainingJobDefinitions"):
        if request.get(member):
            raise validation(f"{member}: the local SageMaker tunes one TrainingJobDefinition, from its beginning.")
    config, definition = request["HyperParameterTuningJobConfig"], request.get("TrainingJobDefinition")
    if not definition:
        raise validation("TrainingJobDefinition is needed.")
    if config["Strategy"] == "Hyperband":
        raise validation("The local SageMaker tunes by the strategies Bayesian, Random and Grid.")
    criteria = config.get("TuningJobCompletionCriteria", {})
    if criteria.get("ConvergenceDetected", {}).get("CompleteOnConvergence") == "Enabled":
        raise validation("The local SageMaker does not detect convergence: leave ConvergenceDetected out.")
    if config.get("ParameterRanges", {}).get("AutoParameters"):
        raise validation("The local SageMaker has no AutoParameters.")
    if not config.get("ParameterRanges"):
        raise validation("HyperParameterTuningJobConfig.ParameterRanges is needed.")
    objective = config.get("HyperParameterTuningJobObjective")
    if not objective:
        raise validation("HyperParameterTuningJobConfig.HyperParameterTuningJobObjective is needed.")
    _check_training(request, str(objective["MetricName"]))
    plan(request)
    most_training_jobs(request)


def _check_training(request: Fields, metric: str) -> None:
    definition = request["TrainingJobDefinition"]
    searched = {each["name"] for each in ranges.plan(request["HyperParameterTuningJobConfig"]["ParameterRanges"])}
    twice = sorted(searched & definition.get("StaticHyperParameters", {}).keys())
    if twice:
        raise validation(f"Hyperparameter {twice[0]} is both in StaticHyperParameters and in the parameter ranges.")
    example = training_request(request, "example", dict.fromkeys(searched, "1"))
    shapes.validate("CreateTrainingJob", example)
    refuse_what_is_not_here(example)
    definitions = with_metrics(example["AlgorithmSpecification"]).get("MetricDefinitions", [])
    names = [each["Name"] for each in definitions]
    if metric not in names:
        raise validation(
            f"The objective metric for the hyperparameter tuning job, [{metric}], is not valid. The metric must be "
            f"one of [{', '.join(names)}]."
        )


def maximizes(record: Fields) -> bool:
    """Whether more is better."""
    return bool(record["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"] == "Maximize")


def plan(record: Fields) -> dict[str, Any]:
    """What the optimiser is told first."""
    config = record["HyperParameterTuningJobConfig"]
    return {
        "strategy": config["Strategy"],
        "seed": config.get("RandomSeed", 0),
        "maximize": maximizes(record),
        "jobs": most_training_jobs(record),
        "ranges": ranges.plan(config["ParameterRanges"]),
    }


def most_training_jobs(record: Fields) -> int:
    """How many training jobs there are to be at most; ValidationException where nothing ends the tuning."""
    config = record["HyperParameterTuningJobConfig"]
    limits = config["ResourceLimits"]
    asked = limits.get("MaxNumberOfTrainingJobs")
    if config["Strategy"] == "Grid":
        number = ranges.combinations(ranges.plan(config["ParameterRanges"]))
        if asked not in (None, number):
            raise validation(
                f"MaxNumberOfTrainingJobs must be {number} or be left out: a grid search tries every combination."
            )
        return number
    if asked is not None:
        return int(asked)
    if not limits.get("MaxRuntimeInSeconds") and not config.get("TuningJobCompletionCriteria"):
        raise validation("MaxNumberOfTrainingJobs is needed where nothing else ends the tuning.")
    return MOST_TRAINING_JOBS


def training_job_name(record: Fields, number: int) -> str:
    """The name that SageMaker makes: the tuning job's, a number from 1 on, and eight random characters."""
    return f"{record['HyperParameterTuningJobName']}-{number:03d}-{uuid.uuid4().hex[:8]}"


def training_request(record: Fields, name: str, tuned: Fields) -> Fields:
    """CreateTrainingJob for one trial."""
    definition = record["TrainingJobDefinition"]
    metric = record["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"]
    request = {member: value for member, value in definition.items() if member not in _OWN}
    request["TrainingJobName"] = name
    request["HyperParameters"] = {**definition.get("StaticHyperParameters", {}), **tuned, TUNING_METRIC: metric}
    if checkpoints := definition.get("CheckpointConfig"):
        # In one folder, each training would go on from another's checkpoint.
        request["CheckpointConfig"] = {**checkpoints, "S3Uri": f"{checkpoints['S3Uri'].rstrip('/')}/{name}"}
    if tags := record.get("Tags"):
        request["Tags"] = tags
    return request
