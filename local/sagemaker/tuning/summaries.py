"""What is told of a tuning job's training jobs: each one's summary, the counts, the best, and pages of them.

All of it is read from the training jobs' own records, so it holds whatever happened to the tuning job. Knows records;
starts nothing.
"""

from local.sagemaker import listing
from local.sagemaker.jobs.records import RUNNING
from local.sagemaker.jobs.training import TRAINING_JOB
from local.sagemaker.resources import Records
from local.sagemaker.shapes import Fields
from local.sagemaker.tuning.requests import maximizes


def of(records: Records, tuning: Fields) -> list[Fields]:
    """Summaries of all training jobs of a tuning job, in the order of their beginning."""
    arn = tuning["HyperParameterTuningJobArn"]
    jobs = [job for job in records.store.list(TRAINING_JOB.kind) if job.get("TuningJobArn") == arn]
    jobs.sort(key=lambda job: (job["CreationTime"], job["TrainingJobName"]))
    return [_summary(job, tuning) for job in jobs]


def value(summary: Fields) -> float | None:
    """The objective that a training job ended with; None where it has none."""
    found = summary.get("FinalHyperParameterTuningJobObjectiveMetric")
    return float(found["Value"]) if found and summary["ObjectiveStatus"] == "Succeeded" else None


def told(summaries: list[Fields], tuning: Fields) -> Fields:
    """The members of a tuning job's description that follow from its training jobs."""
    states = [each["TrainingJobStatus"] for each in summaries]
    objectives = [each["ObjectiveStatus"] for each in summaries]
    found: Fields = {
        "TrainingJobStatusCounters": {
            "Completed": states.count("Completed"),
            "InProgress": sum(state in RUNNING for state in states),
            "RetryableError": 0,
            "NonRetryableError": states.count("Failed"),
            "Stopped": states.count("Stopped"),
        },
        "ObjectiveStatusCounters": {name: objectives.count(name) for name in ("Succeeded", "Pending", "Failed")},
    }
    best = best_of(summaries, tuning)
    return found | ({"BestTrainingJob": best} if best else {})


def best_of(summaries: list[Fields], tuning: Fields) -> Fields | None:
    """The training job with the best objective; one that was stopped only where none completed."""
    scored = [each for each in summaries if value(each) is not None]
    completed = [each for each in scored if each["TrainingJobStatus"] == "Completed"]
    sign = 1 if maximizes(tuning) else -1
    return max(completed or scored, key=lambda each: sign * (value(each) or 0.0), default=None)


def page(summaries: list[Fields], request: Fields) -> Fields:
    """One page of summaries, as ListTrainingJobsForHyperParameterTuningJob has it."""
    wanted = request.get("StatusEquals")
    kept = [each for each in summaries if wanted in (None, each["TrainingJobStatus"])]
    by = request.get("SortBy", "Name")
    if by == "FinalObjectiveMetricValue":
        # As on AWS: training jobs without a value are not listed then.
        kept = [each for each in kept if value(each) is not None]
    members = {"Name": "TrainingJobName", "CreationTime": "CreationTime", "Status": "TrainingJobStatus"}
    kept.sort(key=lambda each: (value(each) or 0.0) if by == "FinalObjectiveMetricValue" else each[members[by]])
    if request.get("SortOrder", "Ascending") == "Descending":
        kept.reverse()
    cut = listing.cut(kept, request)
    return {"TrainingJobSummaries": cut.pop("records"), **cut}


def _summary(job: Fields, tuning: Fields) -> Fields:
    objective = tuning["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    final = next(
        (each for each in job.get("FinalMetricDataList", []) if each["MetricName"] == objective["MetricName"]), None
    )
    status = job["TrainingJobStatus"]
    summary: Fields = {
        "TrainingJobName": job["TrainingJobName"],
        "TrainingJobArn": job["TrainingJobArn"],
        "CreationTime": job["CreationTime"],
        "TrainingJobStatus": status,
        "TunedHyperParameters": job["TunedHyperParameters"],
        "ObjectiveStatus": "Pending" if status in RUNNING else "Failed",
    }
    for member in ("TrainingStartTime", "TrainingEndTime", "FailureReason"):
        if member in job:
            summary[member] = job[member]
    if name := tuning["TrainingJobDefinition"].get("DefinitionName"):
        summary["TrainingJobDefinitionName"] = name
    if final and status in ("Completed", "Stopped"):
        summary["FinalHyperParameterTuningJobObjectiveMetric"] = {**objective, "Value": final["Value"]}
        summary["ObjectiveStatus"] = "Succeeded"
    return summary
