"""The jobs of the model pipeline, as its definition names them: where the log of each state's job is, and in which
branch it runs.

Knows how a definition lists states, and how job names are written there. Does not know what the jobs do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# What a task starts -> where SageMaker logs it. A tuning job's own jobs are training jobs that are named after it.
_LOG_GROUPS = {
    "createProcessingJob": "/aws/sagemaker/ProcessingJobs",
    "createTrainingJob": "/aws/sagemaker/TrainingJobs",
    "createHyperParameterTuningJob": "/aws/sagemaker/TrainingJobs",
    "createTransformJob": "/aws/sagemaker/TransformJobs",
}
_ACTION = re.compile(r":sagemaker:(create\w+)")
_NAME = re.compile(r"^\{% '([^']+)' & \$run %\}$")

Definition = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class JobLog:
    """Where the lines of a state's job are."""

    group: str
    stream_prefix: str


def job_logs(definition: Definition, run: str) -> dict[str, JobLog]:
    """By the name of the state that runs the job, branches included."""
    found: dict[str, JobLog] = {}
    for name, state in _states(definition):
        action = _ACTION.search(state.get("Resource", ""))
        job = _job_name(state)
        if action is not None and action[1] in _LOG_GROUPS and job is not None:
            # Trainings of a tuning job are numbered after its name, which a search by Autopilot may have as well.
            numbered = "-0" if action[1] == "createHyperParameterTuningJob" else ""
            found[name] = JobLog(group=_LOG_GROUPS[action[1]], stream_prefix=f"{job}{run}{numbered}")
    return found


def branches(definition: Definition) -> dict[str, frozenset[str]]:
    """The states inside of each state that has branches."""
    return {
        name: frozenset(inner for branch in state["Branches"] for inner, _ in _states(branch))
        for name, state in _states(definition)
        if "Branches" in state
    }


def _states(definition: Definition) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in definition.get("States", {}).items():
        yield name, state
        for branch in state.get("Branches", []):
            yield from _states(branch)


def _job_name(state: Mapping[str, Any]) -> str | None:
    """What stands before the run in the job's name."""
    for field, value in state.get("Arguments", {}).items():
        if field.endswith("JobName") and isinstance(value, str) and (match := _NAME.match(value)):
            return match[1]
    return None
