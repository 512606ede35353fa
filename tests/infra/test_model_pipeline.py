"""The model pipeline's definition: every request is one that the service would take, and every failure says why."""

import json
import re
from typing import Any

import pytest

from stacks.constructs.pipeline_definition import JOB_SCRIPT
from tests.infra.intrinsics import example
from tests.infra.shapes import complaints
from tests.synthesis import STAGES, Assembly

RUN = "20260301-100000"
# What the expressions of a request stand for in an ordinary run. Simple concatenations are worked out, not listed.
VARIABLES = {"run": RUN, "reviewsPrefix": "raw/reviews/", "model": "s3://bucket/training/job/output/model.tar.gz"}
OTHER_EXPRESSIONS: dict[str, Any] = {
    "$hyperparameters": {"epochs": "1", "sagemaker_program": '"training_code/train.py"'},
    "$hyperparameters.base": "s3://bucket/bases/minilm/",
    "$gate.metrics": {"macro_f1": 0.7},
    "$states.input.model_package_arn": "arn:aws:sagemaker:eu-west-1:000000000000:model-package/earshot-dev/1",
}
_FEATURE_ARGUMENTS = re.compile(
    r"^\$append\((\[.*\]), \$number\(\$maxRows\) > 0 \? \['--max-rows', \$maxRows\] : \[\]\)$"
)


def definition(app: Assembly, stage: str, machine: str) -> dict[str, Any]:
    """The definition of the state machine whose logical id begins so."""
    (resource,) = [
        resource
        for logical_id, resource in app.resources(stage, "AWS::StepFunctions::StateMachine").items()
        if logical_id.startswith(machine)
    ]
    parsed: dict[str, Any] = json.loads(example(resource["Properties"]["DefinitionString"]))
    return parsed


def evaluated(value: Any) -> Any:
    """The request with its expressions replaced by what they come to."""
    if isinstance(value, dict):
        return {name: evaluated(item) for name, item in value.items()}
    if isinstance(value, list):
        return [evaluated(item) for item in value]
    if isinstance(value, str) and value.startswith("{%"):
        return _evaluate(value.removeprefix("{%").removesuffix("%}").strip())
    return value


def _evaluate(expression: str) -> Any:
    if expression in OTHER_EXPRESSIONS:
        return OTHER_EXPRESSIONS[expression]
    if match := _FEATURE_ARGUMENTS.match(expression):
        return [*json.loads(match[1]), "--max-rows", "1000"]
    text = ""
    for part in expression.split(" & "):
        text += VARIABLES[part.removeprefix("$")] if part.startswith("$") else part.removeprefix("'").removesuffix("'")
    return text


def with_channels(request: dict[str, Any], states: dict[str, Any]) -> dict[str, Any]:
    """A training request with the channels that the states before it assign, the one of the base model included."""
    assert request["InputDataConfig"] == "{% $baseChannel ? $append($channels, [$baseChannel]) : $channels %}"
    (rule,) = states["BaseModel"]["Choices"]
    return request | {"InputDataConfig": [*states["Channels"]["Assign"]["channels"], rule["Assign"]["baseChannel"]]}


def tasks(machine: dict[str, Any], integration: str) -> dict[str, dict[str, Any]]:
    """The task states of one integration, by name."""
    return {
        name: state
        for name, state in machine["States"].items()
        if state["Type"] == "Task" and integration in state["Resource"]
    }


@pytest.mark.parametrize("stage", STAGES)
def test_sagemaker_would_take_every_request_of_the_pipeline(app: Assembly, stage: str) -> None:
    machine = definition(app, stage, "ModelPipeline")
    requests = tasks(machine, ":sagemaker:")
    assert set(requests) == {"Features", "Train", "Evaluate"}
    train = requests["Train"]
    train["Arguments"] = with_channels(train["Arguments"], machine["States"])
    for name, state in requests.items():
        operation = state["Resource"].rsplit(":", 1)[1].removesuffix(".sync")
        operation = operation[0].upper() + operation[1:]
        assert complaints("sagemaker", operation, evaluated(state["Arguments"])) == [], name


def test_a_base_model_that_is_an_artifact_comes_as_a_channel_of_its_own(app: Assembly) -> None:
    states = definition(app, "prod", "ModelPipeline")["States"]
    names = [
        channel["ChannelName"]
        for channel in evaluated(with_channels(states["Train"]["Arguments"], states))["InputDataConfig"]
    ]
    assert names == ["train", "validation", "base"]
    assert states["BaseModel"]["Assign"] == {"baseChannel": False}, "a hub id needs no channel"


@pytest.mark.parametrize("stage", STAGES)
def test_glue_would_take_every_request_of_the_pipeline(app: Assembly, stage: str) -> None:
    requests = tasks(definition(app, stage, "ModelPipeline"), ":aws-sdk:glue:")
    assert set(requests) == {"StartCrawler", "GetCrawler"}
    for name, state in requests.items():
        assert complaints("glue", name, evaluated(state["Arguments"])) == []


def test_job_names_are_those_that_the_command_line_looks_for(app: Assembly) -> None:
    states = definition(app, "dev", "ModelPipeline")["States"]
    assert evaluated(states["Train"]["Arguments"]["TrainingJobName"]) == f"earshot-dev-train-{RUN}"
    for step in ("Features", "Evaluate"):
        name = evaluated(states[step]["Arguments"]["ProcessingJobName"])
        assert name == f"earshot-dev-{step.lower()}-{RUN}"


def test_the_job_script_starts_a_module_with_its_arguments(app: Assembly) -> None:
    specification = evaluated(definition(app, "dev", "ModelPipeline")["States"]["Features"]["Arguments"])[
        "AppSpecification"
    ]
    assert specification["ContainerEntrypoint"] == ["/bin/bash", "-c", JOB_SCRIPT]
    assert specification["ContainerArguments"][0] == "training_code.features"
    assert 'exec python3 -m "$0" "$@"' in JOB_SCRIPT


@pytest.mark.parametrize("machine", ["ModelPipeline", "Release"])
def test_every_state_is_reached_and_leads_somewhere(app: Assembly, machine: str) -> None:
    parsed = definition(app, "prod", machine)
    states = parsed["States"]
    named = {parsed["StartAt"]}
    for state in states.values():
        named |= {state[field] for field in ("Next", "Default") if field in state}
        named |= {rule["Next"] for rule in (*state.get("Choices", []), *state.get("Catch", []))}
    assert named == set(states)


@pytest.mark.parametrize("machine", ["ModelPipeline", "Release"])
def test_every_task_is_caught_and_every_failure_has_a_cause(app: Assembly, machine: str) -> None:
    for name, state in definition(app, "prod", machine)["States"].items():
        if state["Type"] == "Task":
            assert any(catcher["ErrorEquals"] == ["States.ALL"] for catcher in state["Catch"]), name
            assert state["Retry"], name
        if state["Type"] == "Fail":
            assert len(state["Cause"]) > 20, name


def test_a_refused_model_fails_the_run_with_the_rules_sentence(app: Assembly) -> None:
    states = definition(app, "prod", "ModelPipeline")["States"]
    assert states["Passed"]["Default"] == "Refused"
    assert "$join($gate.reasons, ' ')" in states["Refused"]["Cause"]
    assert states["Refused"]["Type"] == "Fail"


def test_jobs_may_not_run_for_ever(app: Assembly) -> None:
    for name, state in tasks(definition(app, "prod", "ModelPipeline"), ":sagemaker:").items():
        limit = state["Arguments"]["StoppingCondition"]["MaxRuntimeInSeconds"]
        assert limit < state["TimeoutSeconds"], name


def test_there_is_no_schedule_until_a_stage_switches_it_on(app: Assembly) -> None:
    """A rule that is there and switched off looks like one that works."""
    for stage in STAGES:
        assert app.resources(stage, "AWS::Events::Rule", stack="Training") == {}


def test_execution_data_stays_out_of_the_logs(app: Assembly) -> None:
    for machine in app.resources("prod", "AWS::StepFunctions::StateMachine").values():
        logging = machine["Properties"]["LoggingConfiguration"]
        assert logging["IncludeExecutionData"] is False
        assert logging["Level"] == "ALL"
