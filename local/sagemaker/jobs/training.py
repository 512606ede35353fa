"""Training jobs: their operations and their states.

How a job runs is :mod:`local.sagemaker.jobs.training_run`; this knows what is written down of it, and its ends.
"""

import logging
import re
import time
from typing import Any

from local.sagemaker import builtin
from local.sagemaker.errors import AwsError, validation
from local.sagemaker.jobs import inputs, reasons
from local.sagemaker.jobs.records import RESTARTED, JobRecords
from local.sagemaker.jobs.runner import Run, Runner, ShutDown, Stopped
from local.sagemaker.jobs.training_run import KIND, AlgorithmError, Training
from local.sagemaker.resources import Kind, Operations, Records
from local.sagemaker.shapes import Fields, is_operation
from local.sagemaker.tags import Tags

_log = logging.getLogger(__name__)

EVENT = "SageMaker Training Job State Change"
DEFAULT_RUNTIME_SECONDS = 86_400

TRAINING_JOB = Kind(
    noun="TrainingJob",
    kind=KIND,
    missing=("ValidationException", "Requested resource not found."),
    taken=(
        "ResourceInUse",
        (
            "Training job names must be unique within an AWS account and region, "
            "and a training job with this name already exists ({arn})"
        ),
    ),
)

STATUS_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Stopping": "Stopping the training job",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


class TrainingJobs:
    """The operations on training jobs, and their running."""

    def __init__(self, records: Records, tags: Tags, runner: Runner, *, grace_seconds: float) -> None:
        self._context = records.context
        self._jobs = JobRecords(TRAINING_JOB, EVENT, records, tags)
        self._runner = runner
        self._grace_seconds = grace_seconds

    def operations(self) -> Operations:
        """What this part of SageMaker answers."""
        named: Operations = {
            "CreateTrainingJob": self.create,
            "DescribeTrainingJob": lambda request: self._jobs.find(request["TrainingJobName"]),
            "ListTrainingJobs": self._jobs.page,
            "StopTrainingJob": self.stop,
            "DeleteTrainingJob": self._jobs.delete,
        }
        return {operation: handler for operation, handler in named.items() if is_operation(operation)}

    def start(self) -> None:
        """Note as failed what was running when the local AWS last ended."""
        for name in self._jobs.interrupted():
            self._enter(name, "Failed", status="Failed", FailureReason=RESTARTED, TrainingEndTime=time.time())

    def create(self, request: Fields, **more: Any) -> Fields:
        """Write the job down, with what ``more`` is to be known of it, and let it run."""
        refuse_what_is_not_here(request)
        initial: Fields = {
            "AlgorithmSpecification": with_metrics(request["AlgorithmSpecification"]),
            "StoppingCondition": {
                "MaxRuntimeInSeconds": DEFAULT_RUNTIME_SECONDS,
                **request.get("StoppingCondition", {}),
            },
            "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
            "SecondaryStatus": "Starting",
            "SecondaryStatusTransitions": [_transition("Starting", time.time())],
            **more,
        }
        record = self._jobs.add(request, initial)
        name = record["TrainingJobName"]
        self._runner.start(TRAINING_JOB.kind, name, lambda run: self._work(run, record))
        return {"TrainingJobArn": record["TrainingJobArn"]}

    def stop(self, request: Fields) -> Fields:
        """Ask the job to stop: SIGTERM, and SIGKILL when the grace is over."""
        name = request["TrainingJobName"]
        self._jobs.begin_stop(name, lambda record: _entered(record, "Stopping"))
        self._runner.stop(TRAINING_JOB.kind, name)
        return {}

    def find(self, name: str) -> Fields:
        """A job's record; AWS's error where there is none."""
        return self._jobs.find(name)

    def _enter(self, name: str, secondary: str, *, status: str | None = None, **more: Any) -> None:
        """Go to the next secondary status; the status itself changes only where it is given."""
        self._jobs.change(
            name,
            lambda record: {
                **_entered(record, secondary),
                **more,
                "TrainingJobStatus": status or record["TrainingJobStatus"],
            },
        )

    def _work(self, run: Run, record: Fields) -> None:
        """The job's life; every end but the local AWS's own is written down."""
        name = record["TrainingJobName"]
        try:
            Training(self._context, record, run, self._enter, self._grace_seconds).perform()
        except Stopped:
            self._enter(name, "Stopped", status="Stopped", TrainingEndTime=time.time())
        except ShutDown:
            raise
        except inputs.InputError as error:
            self._fail(run, name, reasons.other_error("ClientError", str(error)))
        except AlgorithmError as error:
            self._fail(run, name, error.reason)
        except Exception as error:
            if not run.is_closing:
                _log.exception("training job %s failed outside its program", name)
            self._fail(run, name, reasons.other_error("InternalServerError", f"{type(error).__name__}: {error}"))

    def _fail(self, run: Run, name: str, reason: str) -> None:
        if run.is_closing:
            raise ShutDown
        self._enter(name, "Failed", status="Failed", FailureReason=reason, TrainingEndTime=time.time())


def with_metrics(specification: Fields) -> Fields:
    """An AlgorithmSpecification with the metrics that a built-in algorithm publishes of itself."""
    algorithm = builtin.program_for(specification.get("TrainingImage", ""))
    if not algorithm or not algorithm.metrics:
        return specification
    definitions = [{"Name": name, "Regex": expression} for name, expression in algorithm.metrics.items()]
    return {**specification, "MetricDefinitions": definitions}


def refuse_what_is_not_here(request: Fields) -> None:
    """ValidationException and the like for what AWS refuses beyond its shapes, and for what is not built here."""
    for member in ("AlgorithmSpecification", "ResourceConfig"):
        if member not in request:
            raise validation(f"{member} is needed: the local SageMaker runs no serverless training jobs.")
    if request["ResourceConfig"].get("InstanceCount", 1) > 1:
        raise AwsError("ResourceLimitExceeded", "The local SageMaker runs a job on one instance: InstanceCount is 1.")
    _check_spot(request)
    algorithm = builtin.program_for(request["AlgorithmSpecification"].get("TrainingImage", ""))
    if algorithm and algorithm.metrics and request["AlgorithmSpecification"].get("MetricDefinitions"):
        raise validation(
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the request "
            "without specifying metric definitions."
        )
    for definition in request["AlgorithmSpecification"].get("MetricDefinitions", []):
        try:
            re.compile(definition["Regex"])
        except re.error as error:
            raise validation(f"Invalid regular expression for metric {definition['Name']}: {error}") from error
    names = [channel["ChannelName"] for channel in request.get("InputDataConfig", [])]
    if len(set(names)) != len(names):
        raise validation("Channel names must be unique within a training job.")
    for channel in request.get("InputDataConfig", []):
        source = channel["DataSource"].get("S3DataSource")
        mode = channel.get("InputMode", request["AlgorithmSpecification"]["TrainingInputMode"])
        if not source or mode == "Pipe" or source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
            raise validation(
                f"Channel {channel['ChannelName']}: the local SageMaker has File and FastFile mode on S3Prefix and "
                "ManifestFile only."
            )


def _check_spot(request: Fields) -> None:
    """Nothing is interrupted here, but a request that AWS refuses is refused."""
    limits = request.get("StoppingCondition", {})
    waits = limits.get("MaxWaitTimeInSeconds")
    if not request.get("EnableManagedSpotTraining"):
        if waits is not None:
            raise validation(
                "MaxWaitTimeInSeconds above 0 is not supported when EnableManagedSpotTraining is set to false."
            )
    elif waits is None or waits < limits.get("MaxRuntimeInSeconds", DEFAULT_RUNTIME_SECONDS):
        raise validation(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
        )


def _transition(secondary: str, now: float) -> Fields:
    return {"Status": secondary, "StartTime": now, "StatusMessage": STATUS_MESSAGES[secondary]}


def _entered(record: Fields, secondary: str) -> Fields:
    """The changes that going to a secondary status makes: the one before it ends."""
    now = time.time()
    *earlier, last = record["SecondaryStatusTransitions"]
    entered = _transition(secondary, now)
    if secondary in ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded"):
        entered["EndTime"] = now
    return {
        "SecondaryStatus": secondary,
        "SecondaryStatusTransitions": [*earlier, {**last, "EndTime": now}, entered],
    }
