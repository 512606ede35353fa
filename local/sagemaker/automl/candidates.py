"""The candidates of AutoML jobs: what is written down of each, and how they are listed.

Knows the containers that a candidate is deployed in, as Autopilot's hyperparameter tuning mode defines them. Knows no
search and no S3.
"""

from typing import Any

from local.sagemaker import listing
from local.sagemaker.context import Context
from local.sagemaker.resources import Records
from local.sagemaker.shapes import Fields

KIND = "automl-candidate"
DEFAULT_PAGE = 10
# The registry account differs by region; here an image is a name only.
PROCESSING_IMAGE = "sagemaker-sklearn-automl:2.5-1-cpu-py3"
ALGORITHM_IMAGE = "sagemaker-autopilot-local:1"
ALGORITHM_KEYS = "predicted_label,probability,probabilities"
LABEL_KEYS = "predicted_label,probability,labels,probabilities"
FEATURES_TYPE = "application/x-npz"
RUNNING = ("InProgress", "Stopping")


class Candidates:
    """The candidates of every job, by job and name."""

    def __init__(self, records: Records) -> None:
        self._store = records.store

    def put(self, job: str, candidate: Fields) -> None:
        """Write a candidate down, new or not."""
        self._store.put(KIND, f"{job}/{candidate['CandidateName']}", {"job": job, **candidate})

    def get(self, job: str, name: str) -> Fields | None:
        """What is written down of a candidate."""
        return self._store.get(KIND, f"{job}/{name}")

    def of(self, job: str) -> list[Fields]:
        """All candidates of a job."""
        return [each for each in self._store.list(KIND) if each["job"] == job]

    def best(self, job: str) -> Fields | None:
        """The completed candidate with the highest objective."""
        scored = [each for each in self.of(job) if each["CandidateStatus"] == "Completed"]
        return max(scored, key=_value, default=None)

    def end(self, job: str, status: str, now: float) -> None:
        """Those that are still in progress end as ``status``."""
        for each in self.of(job):
            if each["CandidateStatus"] in RUNNING:
                changes = {"CandidateStatus": status, "ObjectiveStatus": "Failed", "EndTime": now}
                self.put(job, {**each, **changes, "LastModifiedTime": now})

    def page(self, request: Fields) -> Fields:
        """One page of a job's candidates."""
        job, name, status = (
            request["AutoMLJobName"],
            request.get("CandidateNameEquals"),
            request.get("StatusEquals"),
        )
        kept = [
            each
            for each in self.of(job)
            if name in (None, each["CandidateName"]) and status in (None, each["CandidateStatus"])
        ]
        by = request.get("SortBy", "CreationTime")
        orders: dict[str, Any] = {
            "CreationTime": lambda each: each["CreationTime"],
            "Status": lambda each: each["CandidateStatus"],
            "FinalObjectiveMetricValue": _value,
        }
        kept.sort(key=orders[by], reverse=request.get("SortOrder", "Ascending") == "Descending")
        page = listing.cut(kept, {"MaxResults": DEFAULT_PAGE, **request})
        return {"Candidates": page.pop("records"), **page}


def _value(candidate: Fields) -> float:
    return float(candidate.get("FinalAutoMLJobObjectiveMetric", {}).get("Value", float("-inf")))


def begun(context: Context, name: str, now: float) -> Fields:
    """A candidate that is being fitted. Its steps are named as on AWS; here they are parts of the job's one program."""
    return {
        "CandidateName": name,
        "CandidateStatus": "InProgress",
        "ObjectiveStatus": "Pending",
        "CandidateSteps": [
            {
                "CandidateStepType": f"AWS::SageMaker::{kind}",
                "CandidateStepName": f"{name}-{part}"[:64],
                "CandidateStepArn": context.arn(arn_kind, f"{name}-{part}"[:64]),
            }
            for kind, arn_kind, part in (
                ("TrainingJob", "training-job", "processor"),
                ("TransformJob", "transform-job", "features"),
                ("TrainingJob", "training-job", "algorithm"),
            )
        ],
        "CreationTime": now,
        "LastModifiedTime": now,
    }


def completed(candidate: Fields, *, objective: str, scores: dict[str, float], containers: list[Fields]) -> Fields:
    """A candidate that was fitted, scored and stored."""
    metrics = [
        # The extended names are Autopilot's too, but not all of them are names of objectives.
        {"StandardMetricName": name, "Value": value, "Set": "Validation"}
        | ({} if name == "LogLoss" else {"MetricName": name})
        for name, value in scores.items()
    ]
    return {
        **candidate,
        "CandidateStatus": "Completed",
        "ObjectiveStatus": "Succeeded",
        "FinalAutoMLJobObjectiveMetric": {
            "Type": "Maximize",
            "MetricName": objective,
            "StandardMetricName": objective,
            "Value": scores[objective],
        },
        "CandidateProperties": {"CandidateMetrics": metrics},
        "InferenceContainers": containers,
    }


def containers(context: Context, *, processor: str, algorithm: str) -> list[Fields]:
    """The three containers: features, the algorithm, and labels, the last from the first one's archive.

    https://docs.aws.amazon.com/sagemaker/latest/dg/autopilot-automate-model-development-container-output.html
    """
    registry = f"{context.account}.dkr.ecr.{context.region}.amazonaws.com"
    serving = {"SAGEMAKER_PROGRAM": "sagemaker_serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    return [
        {
            "Image": f"{registry}/{PROCESSING_IMAGE}",
            "ModelDataUrl": processor,
            "Environment": {
                "AUTOML_TRANSFORM_MODE": "feature-transform",
                "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": FEATURES_TYPE,
                **serving,
            },
        },
        {
            "Image": f"{registry}/{ALGORITHM_IMAGE}",
            "ModelDataUrl": algorithm,
            "Environment": {
                "MAX_CONTENT_LENGTH": "20971520",
                "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
                "SAGEMAKER_INFERENCE_OUTPUT": "predicted_label",
                "SAGEMAKER_INFERENCE_SUPPORTED": ALGORITHM_KEYS,
            },
        },
        {
            "Image": f"{registry}/{PROCESSING_IMAGE}",
            "ModelDataUrl": processor,
            "Environment": {
                "AUTOML_TRANSFORM_MODE": "inverse-label-transform",
                "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
                "SAGEMAKER_INFERENCE_INPUT": "predicted_label",
                "SAGEMAKER_INFERENCE_OUTPUT": "predicted_label",
                "SAGEMAKER_INFERENCE_SUPPORTED": LABEL_KEYS,
                **serving,
            },
        },
    ]
