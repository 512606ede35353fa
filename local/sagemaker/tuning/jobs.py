"""Tuning jobs: their operations and their states.

How one takes its course is :mod:`local.sagemaker.tuning.course`; this knows what is written down of it, and its ends.
"""

import logging
import time
from typing import Any

from local.sagemaker.jobs import reasons
from local.sagemaker.jobs.folder import JobFolder
from local.sagemaker.jobs.records import RESTARTED, JobRecords
from local.sagemaker.jobs.runner import Run, Runner, ShutDown, Stopped
from local.sagemaker.jobs.training import TrainingJobs
from local.sagemaker.resources import Kind, Operations, Records
from local.sagemaker.shapes import Fields, is_operation
from local.sagemaker.tags import Tags
from local.sagemaker.tuning import requests, summaries
from local.sagemaker.tuning.course import Course, TuningError, not_improving
from local.sagemaker.tuning.optimiser import Optimiser, OptimiserError

_log = logging.getLogger(__name__)

EVENT = "SageMaker HyperParameter Tuning Job State Change"

TUNING_JOB = Kind(
    noun="HyperParameterTuningJob",
    kind="hyper-parameter-tuning-job",
    missing=("ResourceNotFound", "Amazon SageMaker can't find a tuning job with name: {name}."),
    taken=(
        "ResourceInUse",
        (
            "Hyperparameter tuning job names must be unique within an AWS account and region, and a job with this "
            "name already exists ({arn})"
        ),
    ),
    list_order="Descending",
)


class TuningJobs:
    """The operations on tuning jobs, and their running. Their training jobs are ``trainings``'."""

    def __init__(self, records: Records, tags: Tags, runner: Runner, trainings: TrainingJobs) -> None:
        self._records = records
        self._jobs = JobRecords(TUNING_JOB, EVENT, records, tags)
        self._runner = runner
        self._trainings = trainings

    def operations(self) -> Operations:
        """What this part of SageMaker answers."""
        named: Operations = {
            "CreateHyperParameterTuningJob": self.create,
            "DescribeHyperParameterTuningJob": self.describe,
            "ListHyperParameterTuningJobs": self.page,
            "ListTrainingJobsForHyperParameterTuningJob": self.page_of_trainings,
            "StopHyperParameterTuningJob": self.stop,
            "DeleteHyperParameterTuningJob": self._jobs.delete,
        }
        return {operation: handler for operation, handler in named.items() if is_operation(operation)}

    def start(self) -> None:
        """Note as failed what was running when the local AWS last ended. Its training jobs are noted so as well."""
        for name in self._jobs.interrupted():
            self._finish(name, "Failed", FailureReason=RESTARTED)

    def create(self, request: Fields) -> Fields:
        """Write the job down and let it run."""
        requests.check(request)
        record = self._jobs.add(request, summaries.told([], request))
        name = record["HyperParameterTuningJobName"]
        # Training jobs carry the tuning job's tags; its own record does not keep them.
        work = {**record, "Tags": request.get("Tags", [])}
        self._runner.start(TUNING_JOB.kind, name, lambda run: self._work(run, work))
        return {"HyperParameterTuningJobArn": record["HyperParameterTuningJobArn"]}

    def describe(self, request: Fields) -> Fields:
        """The record, with what follows from its training jobs as they are now."""
        return self._now(self._jobs.find(request["HyperParameterTuningJobName"]))

    def page(self, request: Fields) -> Fields:
        """One page of tuning jobs."""
        page = self._jobs.page(request)
        member = "HyperParameterTuningJobSummaries"
        return {**page, member: [self._now(record) for record in page[member]]}

    def page_of_trainings(self, request: Fields) -> Fields:
        """One page of a tuning job's training jobs."""
        record = self._jobs.find(request["HyperParameterTuningJobName"])
        return summaries.page(summaries.of(self._records, record), request)

    def stop(self, request: Fields) -> Fields:
        """Ask the job to stop, and its training jobs with it."""
        name = request["HyperParameterTuningJobName"]
        self._jobs.begin_stop(name, lambda record: {})
        self._runner.stop(TUNING_JOB.kind, name)
        return {}

    def _now(self, record: Fields) -> Fields:
        told = summaries.of(self._records, record)
        scored = [value for each in told if (value := summaries.value(each)) is not None]
        names = [each["TrainingJobName"] for each in told]
        jobs = [job for name in names if (job := self._records.store.get("training-job", name))]
        config = record["HyperParameterTuningJobConfig"]
        return {
            **record,
            **summaries.told(told, record),
            "Strategy": config["Strategy"],
            "ResourceLimits": config["ResourceLimits"],
            "ConsumedResources": {"RuntimeInSeconds": sum(job.get("TrainingTimeInSeconds", 0) for job in jobs)},
            "TuningJobCompletionDetails": {
                "NumberOfTrainingJobsObjectiveNotImproving": not_improving(scored, maximize=requests.maximizes(record))
            },
        }

    def _finish(self, name: str, status: str, **more: Any) -> None:
        def changes(record: Fields) -> Fields:
            told = summaries.told(summaries.of(self._records, record), record)
            ended = {"HyperParameterTuningJobStatus": status, "HyperParameterTuningEndTime": time.time()}
            return {**told, **ended, **more}

        self._jobs.change(name, changes)

    def _work(self, run: Run, record: Fields) -> None:
        """The job's life; every end but the local AWS's own is written down."""
        name, context = record["HyperParameterTuningJobName"], self._records.context
        try:
            folder = JobFolder(context, TUNING_JOB.kind, name)
            folder.make()
            with Optimiser(context.training_python, requests.plan(record), log=folder.log) as optimiser:
                told = lambda: summaries.of(self._records, record)  # noqa: E731
                Course(context, record, self._trainings, told, run).perform(optimiser)
            self._finish(name, "Completed")
        except Stopped:
            self._finish(name, "Stopped")
        except ShutDown:
            raise
        except TuningError as error:
            self._fail(run, name, str(error)[: reasons.LONGEST_REASON])
        except OptimiserError as error:
            self._fail(run, name, reasons.other_error("InternalServerError", str(error)))
        except Exception as error:
            if not run.is_closing:
                _log.exception("tuning job %s failed outside its training jobs", name)
            self._fail(run, name, reasons.other_error("InternalServerError", f"{type(error).__name__}: {error}"))

    def _fail(self, run: Run, name: str, reason: str) -> None:
        if run.is_closing:
            raise ShutDown
        self._finish(name, "Failed", FailureReason=reason)
