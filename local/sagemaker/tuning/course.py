"""The course of one tuning job: training jobs are started by the optimiser's advice, watched, and told back to it.

Waits for training jobs, which wait for their turn on the machine: so it never takes a turn itself. Knows neither what
is trained nor how the optimiser chooses; of its own record it writes nothing.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from local.sagemaker.context import Context
from local.sagemaker.errors import AwsError
from local.sagemaker.jobs import log_metrics
from local.sagemaker.jobs.folder import JobFolder
from local.sagemaker.jobs.records import RUNNING
from local.sagemaker.jobs.runner import Run, ShutDown
from local.sagemaker.jobs.training import TRAINING_JOB, with_metrics
from local.sagemaker.shapes import Fields
from local.sagemaker.tuning import requests, summaries
from local.sagemaker.tuning.early_stopping import is_hopeless
from local.sagemaker.tuning.optimiser import Optimiser

POLL_SECONDS = 0.2
# AWS gives up where so many training jobs have shown no objective.
MOST_WITHOUT_OBJECTIVE = 5


class TuningError(Exception):
    """The tuning job cannot come to a result; the message is its FailureReason."""


class Trainings(Protocol):
    """The training jobs of the local SageMaker, as far as a tuning job uses them."""

    def create(self, request: Fields, **more: object) -> Fields: ...
    def stop(self, request: Fields) -> Fields: ...
    def find(self, name: str) -> Fields: ...


class Told(Protocol):
    """The summaries of the tuning job's training jobs as they are now."""

    def __call__(self) -> list[Fields]: ...


@dataclass
class _Trial:
    number: int
    name: str
    values: list[float] = field(default_factory=list)
    is_told: bool = False
    is_asked_to_stop: bool = False


class Course:
    """One tuning job from its first training to its last."""

    def __init__(self, context: Context, record: Fields, trainings: Trainings, told: Told, run: Run) -> None:
        self._context = context
        self._record = record
        self._trainings = trainings
        self._told = told
        self._run = run
        self._config: Fields = record["HyperParameterTuningJobConfig"]
        self._limits: Fields = self._config["ResourceLimits"]
        self._most = requests.most_training_jobs(record)
        self._maximize = requests.maximizes(record)
        self._trials: dict[str, _Trial] = {}
        self._ended_at = float("inf")

    def perform(self, optimiser: Optimiser) -> None:
        """Tune to an end; TuningError, Stopped or ShutDown otherwise. No training job of it runs on."""
        started = time.monotonic()
        self._ended_at = started + self._limits.get("MaxRuntimeInSeconds", float("inf"))
        try:
            while True:
                running = self._follow(optimiser)
                if self._is_enough():
                    self._stop_all()
                    break
                if not running and len(self._trials) >= self._most:
                    break
                while running < self._limits["MaxParallelTrainingJobs"] and len(self._trials) < self._most:
                    self._begin(optimiser)
                    running += 1
                self._run.pause(POLL_SECONDS)
        except ShutDown:
            raise
        except Exception:
            self._stop_all()
            raise
        self._check_result()

    def _begin(self, optimiser: Optimiser) -> None:
        suggestion = optimiser.ask()
        name = requests.training_job_name(self._record, len(self._trials) + 1)
        tuned = dict(suggestion.values)
        self._trainings.create(
            requests.training_request(self._record, name, tuned),
            TuningJobArn=self._record["HyperParameterTuningJobArn"],
            TunedHyperParameters=tuned,
        )
        self._trials[name] = _Trial(number=suggestion.trial, name=name)

    def _follow(self, optimiser: Optimiser) -> int:
        """Tell what has ended, stop what is hopeless; how many still run."""
        running = 0
        for summary in self._told():
            trial = self._trials.get(summary["TrainingJobName"])
            if trial is None or trial.is_told:
                continue
            trial.values = self._values(trial.name)
            if summary["TrainingJobStatus"] not in RUNNING:
                optimiser.tell(trial.number, summaries.value(summary))
                trial.is_told = True
                continue
            running += 1
            if self._is_hopeless(trial):
                self._stop(trial)
        return running

    def _values(self, name: str) -> list[float]:
        """The objective's values in a training job's log so far."""
        log = JobFolder(self._context, TRAINING_JOB.kind, name).log
        if not log.is_file():
            return []
        metric = self._config["HyperParameterTuningJobObjective"]["MetricName"]
        specification = with_metrics(self._record["TrainingJobDefinition"]["AlgorithmSpecification"])
        expression = next(each["Regex"] for each in specification["MetricDefinitions"] if each["Name"] == metric)
        # A line that is still being written may end within a number.
        complete, newline, _ = log.read_text("utf-8", "replace").rpartition("\n")
        return log_metrics.values(expression, complete + newline)

    def _is_hopeless(self, trial: _Trial) -> bool:
        if self._config.get("TrainingJobEarlyStoppingType") != "Auto" or trial.is_asked_to_stop:
            return False
        return is_hopeless(trial.values, self._earlier(), maximize=self._maximize)

    def _earlier(self) -> Sequence[Sequence[float]]:
        return [trial.values for trial in self._trials.values() if trial.is_told and trial.values]

    def _is_enough(self) -> bool:
        """Whether a limit other than the number of training jobs is reached."""
        if time.monotonic() > self._ended_at:
            return True
        told = self._told()
        ended = [each for each in told if each["TrainingJobStatus"] not in RUNNING]
        scored = [value for each in ended if (value := summaries.value(each)) is not None]
        if not scored and len(ended) >= MOST_WITHOUT_OBJECTIVE:
            return True
        criteria = self._config.get("TuningJobCompletionCriteria", {})
        target = criteria.get("TargetObjectiveMetricValue")
        sign = 1 if self._maximize else -1
        if target is not None and any(sign * value >= sign * target for value in scored):
            return True
        patience = criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving")
        return patience is not None and not_improving(scored, maximize=self._maximize) >= patience

    def _stop(self, trial: _Trial) -> None:
        trial.is_asked_to_stop = True
        try:
            self._trainings.stop({"TrainingJobName": trial.name})
        except AwsError:
            return  # It has ended by itself, or somebody else has asked.

    def _stop_all(self) -> None:
        """Ask all that run to stop, and wait for it."""
        for trial in self._trials.values():
            if self._is_running(trial):
                self._stop(trial)
        while any(self._is_running(trial) for trial in self._trials.values()):
            if self._run.is_closing:
                self._run.checkpoint()
            time.sleep(POLL_SECONDS)

    def _is_running(self, trial: _Trial) -> bool:
        try:
            return bool(self._trainings.find(trial.name)["TrainingJobStatus"] in RUNNING)
        except AwsError:
            return False  # Its owner has deleted it.

    def _check_result(self) -> None:
        told = self._told()
        if any(summaries.value(each) is not None for each in told):
            return
        if told and all(each["TrainingJobStatus"] == "Failed" for each in told):
            reason = told[-1].get("FailureReason", "")
            raise TuningError(
                "All training jobs failed. Please take a look at the training jobs failures to get more details. "
                f"The last: {reason}"
            )
        raise TuningError(
            f"No objective metrics found after running {len(told)} training jobs. Please ensure that the custom "
            "algorithm is emitting the objective metric as defined by the regular expression provided."
        )


def not_improving(values: Sequence[float], *, maximize: bool) -> int:
    """How many of the last values have not bettered the best before them."""
    if not values:
        return 0
    best = max(values) if maximize else min(values)
    return len(values) - 1 - list(values).index(best)
