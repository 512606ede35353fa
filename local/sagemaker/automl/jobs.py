"""AutoML jobs: their operations and their states.

How a job searches is :mod:`local.sagemaker.automl.search`; this knows what is written down of it, and its ends.
"""

import logging
import time
from typing import Any

from local.sagemaker import objects
from local.sagemaker.automl import requests
from local.sagemaker.automl.candidates import Candidates
from local.sagemaker.automl.search import Search, SearchError
from local.sagemaker.events import announce
from local.sagemaker.jobs import inputs, reasons
from local.sagemaker.jobs.records import RESTARTED, JobRecords
from local.sagemaker.jobs.runner import Run, Runner, ShutDown, Stopped
from local.sagemaker.resources import Kind, Operations, Records
from local.sagemaker.shapes import Fields, is_operation
from local.sagemaker.tags import Tags

_log = logging.getLogger(__name__)

EVENT = "SageMaker AutoML Job State Change"

AUTOML_JOB = Kind(
    noun="AutoMLJob",
    kind="automl-job",
    missing=("ResourceNotFound", "Could not find requested AutoML job with name: {name}"),
    taken=(
        "ResourceInUse",
        "AutoML job names must be unique within an AWS account and region, and a job with this name exists ({arn})",
    ),
    list_order="Descending",
)


class _Jobs(JobRecords):
    """Records whose changes are told as the second version of the API describes them."""

    def _announce(self, record: Fields) -> None:
        announce(self._records.context, self._event, "DescribeAutoMLJobV2", record)


class AutoMLJobs:
    """The operations on AutoML jobs, and their running."""

    def __init__(self, records: Records, tags: Tags, runner: Runner, *, grace_seconds: float) -> None:
        self._context = records.context
        self._jobs = _Jobs(AUTOML_JOB, EVENT, records, tags)
        self._candidates = Candidates(records)
        self._runner = runner
        self._grace_seconds = grace_seconds

    def operations(self) -> Operations:
        """What this part of SageMaker answers."""
        named: Operations = {
            "CreateAutoMLJobV2": self.create,
            "DescribeAutoMLJobV2": lambda request: self._jobs.find(request["AutoMLJobName"]),
            "ListAutoMLJobs": self._jobs.page,
            "StopAutoMLJob": self.stop,
            "ListCandidatesForAutoMLJob": self.page_of_candidates,
        }
        return {operation: handler for operation, handler in named.items() if is_operation(operation)}

    def start(self) -> None:
        """Note as failed what was running when the local AWS last ended; what was completed by then stays."""
        for name in self._jobs.interrupted():
            self._finish(name, "Failed", FailureReason=RESTARTED)

    def create(self, request: Fields) -> Fields:
        """Write the job down and let it run."""
        requests.refuse_what_is_not_here(request)
        kind, _ = requests.problem(request)
        initial = {
            "AutoMLJobSecondaryStatus": "Starting",
            "AutoMLProblemTypeConfigName": requests.NAMES[kind],
        }
        record = self._jobs.add(request, initial)
        self._runner.start(AUTOML_JOB.kind, record["AutoMLJobName"], lambda run: self._work(run, record))
        return {"AutoMLJobArn": record["AutoMLJobArn"]}

    def stop(self, request: Fields) -> Fields:
        """Ask the job to stop; its completed candidates stay, and the best of them is the best one."""
        name = request["AutoMLJobName"]
        self._jobs.begin_stop(name, lambda record: {"AutoMLJobSecondaryStatus": "Stopping"})
        self._runner.stop(AUTOML_JOB.kind, name)
        return {}

    def page_of_candidates(self, request: Fields) -> Fields:
        """One page of a job's candidates."""
        self._jobs.find(request["AutoMLJobName"])
        return self._candidates.page(request)

    def _work(self, run: Run, record: Fields) -> None:
        """The job's life; every end but the local AWS's own is written down."""
        name = record["AutoMLJobName"]

        def enter(secondary: str | None, **more: Any) -> None:
            def changes(present: Fields) -> Fields:
                is_stopping = present["AutoMLJobStatus"] == "Stopping"
                entered = {"AutoMLJobSecondaryStatus": secondary} if secondary and not is_stopping else {}
                return {**entered, **more}

            self._jobs.change(name, changes)

        try:
            search = Search(
                self._context, record, run, kept=self._candidates, enter=enter, grace_seconds=self._grace_seconds
            )
            ended = search.perform()
            self._finish(name, ended.pop("AutoMLJobStatus"), **ended)
            search.clear()
        except Stopped:
            self._finish(name, "Stopped")
        except ShutDown:
            raise
        except (inputs.InputError, objects.ObjectError) as error:
            self._fail(run, name, reasons.other_error("ClientError", str(error)))
        except SearchError as error:
            self._fail(run, name, str(error))
        except Exception as error:
            if not run.is_closing:
                _log.exception("AutoML job %s failed outside its program", name)
            self._fail(run, name, reasons.other_error("InternalServerError", f"{type(error).__name__}: {error}"))

    def _fail(self, run: Run, name: str, reason: str) -> None:
        if run.is_closing:
            raise ShutDown
        self._finish(name, "Failed", FailureReason=reason)

    def _finish(self, name: str, status: str, **more: Any) -> None:
        now = time.time()
        self._candidates.end(name, "Stopped", now)

        def changes(present: Fields) -> Fields:
            # A stop that came when the program had already ended is a stop all the same.
            is_stopped = status == "Stopped" or (present["AutoMLJobStatus"] == "Stopping" and status == "Completed")
            ended = {"AutoMLJobSecondaryStatus": status, **more}
            if is_stopped:
                ended["AutoMLJobSecondaryStatus"] = "Stopped"
            return {**ended, "AutoMLJobStatus": "Stopped" if is_stopped else status, "EndTime": now}

        self._jobs.change(name, changes)
