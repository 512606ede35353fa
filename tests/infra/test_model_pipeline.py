"""The model pipeline's definition: every request is one that the service would take, and every failure says why."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

from bundles.sources import ROOT
from cli.pipeline_jobs import branches, job_logs
from stacks.constructs.pipeline.addresses import PipelineAddresses, PipelineDefaults
from stacks.constructs.pipeline.features import features, inputs
from stacks.constructs.pipeline.jobs import JOB_SCRIPT, train_script
from stacks.constructs.pipeline.tuning import SEARCHED
from stacks.settings import DEV
from tests.infra.intrinsics import example
from tests.infra.shapes import complaints
from tests.synthesis import STAGES, Assembly

RUN = "20260301-100000"
ARTIFACT = "s3://bucket/training/job/output/model.tar.gz"
AUTOPILOT_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-sklearn-automl:2.5-1-cpu-py3"
# What the expressions of a request stand for in an ordinary run. Simple concatenations are worked out, not listed.
VARIABLES = {
    "run": RUN,
    "reviewsPrefix": "raw/reviews/",
    "champion": "tuned",
    "bertModel": ARTIFACT,
    "tunedModel": ARTIFACT,
    "blazingtextModel": ARTIFACT,
    "blazingtextInstance": "ml.c5.xlarge",
    "bestOfTuning": f"earshot-dev-{RUN}-001-abcdef12",
    "states.input.arns[0]": "arn:aws:sagemaker:eu-west-1:000000000000:model-package/earshot-dev/1",
    "states.input.folder": "curated/candidates/20260201-100000/bert/",
    "autopilotJob.name": f"earshot-dev-{RUN}",
    "autopilotJob.candidate": "earshot-dev-20260301-100000-trial-1",
    "autopilotContainers[0].ModelDataUrl": ARTIFACT,
    "autopilotContainers[1].ModelDataUrl": ARTIFACT,
    "autopilotContainers[2].ModelDataUrl": ARTIFACT,
    "autopilotContainers[0].Image": AUTOPILOT_IMAGE,
    "autopilotContainers[1].Image": AUTOPILOT_IMAGE,
    "autopilotContainers[2].Image": AUTOPILOT_IMAGE,
}
OTHER_EXPRESSIONS: dict[str, Any] = {
    "$hyperparameters": {"epochs": "1", "sagemaker_program": '"training_code/train.py"'},
    "$hyperparameters.base": "s3://bucket/bases/minilm/",
    "$gate.metrics": {"macro_f1": 0.7},
    "$outcomes": [{"name": "bert", "status": "scored"}],
    "$string($bertSeconds)": "61",
    "$string($tunedSeconds)": "61",
    "$string($blazingtextSeconds)": "4",
    "$states.input.model_package_arn": "arn:aws:sagemaker:eu-west-1:000000000000:model-package/earshot-dev/1",
    "$autopilotJob.metric & '=' & $string($autopilotJob.value)": "F1macro=0.61",
    "$string($autopilotJob.seconds)": "600",
}
_FEATURE_ARGUMENTS = re.compile(
    r"^\$append\((\[.*\]), \$number\(\$maxRows\) > 0 \? \['--max-rows', \$maxRows\] : \[\]\)$"
)
# As many as can fail at once, each in as many words as there is room for.
_FAILURES = [f"--failed={json.dumps({'name': name, 'reason': 'r' * 180})}" for name in ("baselines", "blazingtext")]


def definition(app: Assembly, stage: str, machine: str) -> dict[str, Any]:
    """The definition of the state machine whose logical id begins so."""
    (resource,) = [
        resource
        for logical_id, resource in app.resources(stage, "AWS::StepFunctions::StateMachine").items()
        if logical_id.startswith(machine)
    ]
    parsed: dict[str, Any] = json.loads(example(resource["Properties"]["DefinitionString"]))
    return parsed


def machines(parsed: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The machine, and the branches in it, which are machines of their own."""
    yield parsed
    for state in parsed["States"].values():
        for branch in state.get("Branches", []):
            yield from machines(branch)


def all_states(parsed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every state by its name, those of branches included; a name is given once."""
    found: dict[str, dict[str, Any]] = {}
    for machine in machines(parsed):
        assert not found.keys() & machine["States"].keys()
        found |= machine["States"]
    return found


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
    if expression.startswith("$sift($hyperparameters"):
        return {"epochs": "1", "sagemaker_program": '"training_code/train.py"'}
    if expression.startswith("$merge([$autopilotContainers["):
        return {"SAGEMAKER_PROGRAM": "sagemaker_serve"}
    text = ""
    for part in expression.split(" & "):
        text += VARIABLES[part.removeprefix("$")] if part.startswith("$") else part.removeprefix("'").removesuffix("'")
    return text


def request_of(name: str, states: dict[str, Any]) -> dict[str, Any]:
    """A task's request as it is sent, with what states before it assign."""
    request: dict[str, Any] = states[name]["Arguments"]
    if name == "Compare":
        assigned = states["ComparisonInputs"]["Assign"]
        current = assigned["currentInput"] | {}
        current["S3Input"] = current["S3Input"] | {"S3Uri": "s3://lake/curated/candidates/20260201-100000/bert/"}
        specification = request["AppSpecification"]
        arguments = [*assigned["comparisonArguments"], "--current", "/opt/ml/processing/input/current", *_FAILURES]
        request = request | {
            "ProcessingInputs": [*assigned["comparisonInputs"], current],
            "AppSpecification": specification | {"ContainerArguments": arguments},
        }
    if "TrainingJobDefinition" in request:
        job = with_channels(request["TrainingJobDefinition"], states)
        request = request | {"TrainingJobDefinition": job}
    elif name == "Train":
        request = with_channels(request, states)
    found: dict[str, Any] = evaluated(request)
    return found


def with_channels(request: dict[str, Any], states: dict[str, Any]) -> dict[str, Any]:
    """A training request with the channels that the states before it assign, the one of the base model included."""
    assert request["InputDataConfig"] == "{% $baseChannel ? $append($channels, [$baseChannel]) : $channels %}"
    (rule,) = states["BaseModel"]["Choices"]
    return request | {"InputDataConfig": [*states["Channels"]["Assign"]["channels"], rule["Assign"]["baseChannel"]]}


def tasks(states: dict[str, Any], integration: str) -> dict[str, dict[str, Any]]:
    """The task states of one integration, by name."""
    return {
        name: state for name, state in states.items() if state["Type"] == "Task" and integration in state["Resource"]
    }


def operation_of(state: dict[str, Any]) -> str:
    operation: str = state["Resource"].rsplit(":", 1)[1].removesuffix(".sync")
    return operation[0].upper() + operation[1:]


@pytest.mark.parametrize("stage", STAGES)
def test_sagemaker_would_take_every_request_of_the_pipeline(app: Assembly, stage: str) -> None:
    states = all_states(definition(app, stage, "ModelPipeline"))
    requests = tasks(states, ":sagemaker:")
    assert requests.keys() >= {
        *("Features", "PretrainingBias", "Baselines", "TrainBlazingtext", "ScoreBlazingtext", "Train", "Evaluate"),
        *("Tune", "BestOfTuning", "EvaluateTuned", "CurrentModel", "DescribeCurrentModel"),
        *("SearchModels", "DescribeSearch", "DeployBest", "AskBest", "ForgetBest", "ScoreBest"),
        *("Compare", "PosttrainingBias", "Explain"),
    }
    for name, state in requests.items():
        assert complaints("sagemaker", operation_of(state), request_of(name, states)) == [], name


def test_s3_would_take_the_search_for_the_answers_of_the_current_model(app: Assembly) -> None:
    states = all_states(definition(app, "prod", "ModelPipeline"))
    (name,) = tasks(states, ":aws-sdk:s3:")
    assert complaints("s3", operation_of(states[name]), request_of(name, states)) == []


def test_a_base_model_that_is_an_artifact_comes_as_a_channel_of_its_own(app: Assembly) -> None:
    states = all_states(definition(app, "prod", "ModelPipeline"))
    for request in (request_of("Train", states), request_of("Tune", states)["TrainingJobDefinition"]):
        assert [channel["ChannelName"] for channel in request["InputDataConfig"]] == ["train", "validation", "base"]
    assert states["BaseModel"]["Assign"] == {"baseChannel": False}, "a hub id needs no channel"


def test_what_is_tuned_is_not_stated_beside_it(app: Assembly) -> None:
    """SageMaker refuses a hyperparameter that is both static and searched."""
    tune = all_states(definition(app, "prod", "ModelPipeline"))["Tune"]["Arguments"]
    expression = tune["TrainingJobDefinition"]["StaticHyperParameters"]
    ranges = tune["HyperParameterTuningJobConfig"]["ParameterRanges"]
    assert {entry["Name"] for entries in ranges.values() for entry in entries} == set(SEARCHED)
    assert f"$not($name in {json.dumps(list(SEARCHED))})" in expression
    names = {
        definition["Name"]
        for definition in tune["TrainingJobDefinition"]["AlgorithmSpecification"]["MetricDefinitions"]
    }
    assert tune["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"] in names


@pytest.mark.parametrize("stage", STAGES)
def test_glue_would_take_every_request_of_the_pipeline(app: Assembly, stage: str) -> None:
    requests = tasks(all_states(definition(app, stage, "ModelPipeline")), ":aws-sdk:glue:")
    assert set(requests) == {"StartCrawler", "GetCrawler"}
    for name, state in requests.items():
        assert complaints("glue", name, evaluated(state["Arguments"])) == []


def test_the_command_line_finds_the_log_of_every_job(app: Assembly) -> None:
    parsed = definition(app, "dev", "ModelPipeline")
    states = all_states(parsed)
    logs = job_logs(parsed, RUN)
    jobs = {name for name, state in tasks(states, ":sagemaker:create").items() if ".sync" in state["Resource"]}
    assert set(logs) == jobs
    for name in jobs:
        request = request_of(name, states)
        (job_name,) = [value for field, value in request.items() if field.endswith("JobName")]
        # The trainings of a tuning job are numbered after its name.
        assert logs[name].stream_prefix == (f"{job_name}-0" if name == "Tune" else job_name)
        assert len(job_name) <= (32 if name == "Tune" else 63)
    assert logs["Tune"].group == logs["Train"].group == "/aws/sagemaker/TrainingJobs"
    assert branches(parsed).keys() == {"Candidates"}
    assert branches(parsed)["Candidates"] > {"Train", "Evaluate", "Baselines"}


def test_the_job_script_starts_a_module_with_its_arguments(app: Assembly) -> None:
    states = all_states(definition(app, "dev", "ModelPipeline"))
    specification = request_of("Features", states)["AppSpecification"]
    assert specification["ContainerEntrypoint"] == ["/bin/bash", "-c", JOB_SCRIPT]
    assert specification["ContainerArguments"][0] == "training_code.features"
    assert 'exec python3 -m "$0" "$@"' in JOB_SCRIPT


def test_jobs_start_modules_that_are_there_with_arguments_that_these_know(app: Assembly) -> None:
    states = all_states(definition(app, "dev", "ModelPipeline"))
    for name in tasks(states, ":sagemaker:createProcessingJob"):
        arguments = request_of(name, states)["AppSpecification"].get("ContainerArguments")
        if arguments is None:
            continue  # Clarify, which reads a file
        module = ROOT / arguments[0].replace(".", "/")
        source = module.with_suffix(".py") if module.with_suffix(".py").is_file() else module / "__main__.py"
        known = set(re.findall(r'"(--[a-z-]+)"', source.read_text(encoding="utf-8")))
        given = {argument.partition("=")[0] for argument in arguments[1:] if argument.startswith("--")}
        assert given <= known, name


def test_a_branch_assigns_nothing_that_is_assigned_outside_or_in_another_one(app: Assembly) -> None:
    """Step Functions refuses a name that is known outside the branch, and what a branch assigns is not seen there."""
    parsed = definition(app, "prod", "ModelPipeline")
    names: list[set[str]] = [
        {name for state in machine["States"].values() for name in _assigned(state)} for machine in machines(parsed)
    ]
    assert len(names) > 5
    assert sum(len(found) for found in names) == len(set[str]().union(*names))


def _assigned(state: dict[str, Any]) -> Iterator[str]:
    for holder in (state, *state.get("Choices", []), *state.get("Catch", [])):
        yield from holder.get("Assign", {})


@pytest.mark.parametrize("candidate", ["baselines", "blazingtext", "autopilot", "bert", "tuned"])
def test_a_branch_asks_whether_it_is_wanted_and_passes_through_where_not(app: Assembly, candidate: str) -> None:
    parallel = definition(app, "prod", "ModelPipeline")["States"]["Candidates"]
    (branch,) = [branch for branch in parallel["Branches"] if branch["StartAt"] == f"Is{candidate.capitalize()}Wanted"]
    (rule,) = branch["States"][branch["StartAt"]]["Choices"]
    assert rule["Condition"] == f"{{% '{candidate}' in $candidates %}}"
    assert branch["States"][f"Skip{candidate.capitalize()}"]["Output"] == {"name": candidate, "status": "skipped"}


@pytest.mark.parametrize("candidate", ["baselines", "blazingtext", "autopilot", "tuned"])
def test_a_run_survives_the_failure_of_a_candidate_and_keeps_its_reason(app: Assembly, candidate: str) -> None:
    ending = all_states(definition(app, "prod", "ModelPipeline"))[f"{candidate.capitalize()}Failed"]
    assert ending["Type"] == "Pass"
    assert (ending["Output"]["name"], ending["Output"]["status"]) == (candidate, "failed")
    assert f"of {candidate}" in ending["Output"]["reason"]


def test_a_run_does_not_survive_the_failure_of_bert(app: Assembly) -> None:
    states = all_states(definition(app, "prod", "ModelPipeline"))
    assert states["BertFailed"] == states["StepFailed"]
    assert states["BertFailed"]["Type"] == "Fail"


def test_only_stages_with_worth_or_on_aws_train_on_spare_capacity(app: Assembly) -> None:
    for stage, is_on_spot in (("local", False), ("dev", True), ("prod", True)):
        train = all_states(definition(app, stage, "ModelPipeline"))["Train"]["Arguments"]
        assert train.get("EnableManagedSpotTraining", False) is is_on_spot
        assert ("CheckpointConfig" in train) is is_on_spot
        if is_on_spot:
            assert (
                train["StoppingCondition"]["MaxWaitTimeInSeconds"] >= train["StoppingCondition"]["MaxRuntimeInSeconds"]
            )


@pytest.mark.parametrize("machine", ["ModelPipeline", "Release"])
def test_every_state_is_reached_and_leads_somewhere(app: Assembly, machine: str) -> None:
    for parsed in machines(definition(app, "prod", machine)):
        states = parsed["States"]
        named = {parsed["StartAt"]}
        for state in states.values():
            named |= {state[field] for field in ("Next", "Default") if field in state}
            named |= {rule["Next"] for rule in (*state.get("Choices", []), *state.get("Catch", []))}
        assert named == set(states)


@pytest.mark.parametrize("machine", ["ModelPipeline", "Release"])
def test_every_task_is_caught_and_every_failure_has_a_cause(app: Assembly, machine: str) -> None:
    for name, state in all_states(definition(app, "prod", machine)).items():
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
    states = all_states(definition(app, "prod", "ModelPipeline"))
    jobs = {name: state for name, state in tasks(states, ":sagemaker:create").items() if ".sync" in state["Resource"]}
    assert len(jobs) >= 11
    for name, state in jobs.items():
        request = state["Arguments"].get("TrainingJobDefinition", state["Arguments"])
        if "StoppingCondition" in request:  # a transform job has none
            assert max(request["StoppingCondition"].values()) < state["TimeoutSeconds"], name
        assert state["TimeoutSeconds"] > 0, name


def test_an_algorithm_of_awss_is_cut_off_from_the_network(app: Assembly) -> None:
    train = all_states(definition(app, "prod", "ModelPipeline"))["TrainBlazingtext"]["Arguments"]
    assert train["EnableNetworkIsolation"] is True


def addresses() -> PipelineAddresses:
    places = {field.name: f"arn:aws:iam::000000000000:role/{field.name}" for field in fields(PipelineAddresses)}
    places |= {"job_prefix": "earshot-dev", "lake": "s3://lake/", "artifacts": "s3://artifacts/", "lake_bucket": "lake"}
    places |= {"spark_image": "173754725891.dkr.ecr.us-east-1.amazonaws.com/sagemaker-spark-processing:3.5-cpu"}
    places |= {"code": "s3://assets/code.gz", "crawler": "reviews", "registry": "earshot-dev", "region": "us-east-1"}
    return PipelineAddresses(**places)


def defaults_with(**changed: Any) -> PipelineDefaults:
    """Those of the stage dev, but for what is given."""
    given: dict[str, Any] = {field.name: getattr(DEV.training, field.name, 60) for field in fields(PipelineDefaults)}
    return PipelineDefaults(**given | changed)


def test_classes_that_the_settings_balance_by_weights_are_weighed_in_training() -> None:
    for balance, expected in (("none", "none"), ("weights", "balanced")):
        given = inputs(addresses(), defaults_with(balance=balance))["Defaults"]["Assign"]
        assert given["defaultHyperparameters"]["class-weights"] == expected
        # The weights are of three classes, so that is what is learned.
        assert given["defaultHyperparameters"]["targets"] == ("stars" if balance == "none" else "sentiments")


def test_several_machines_that_train_together_tell_each_other_their_gradients_encrypted() -> None:
    for count, is_encrypted in ((1, False), (2, True)):
        asked = defaults_with(training_instance_count=count, on_spot=False)
        request = train_script(addresses(), asked, name="bert")
        assert request["ResourceConfig"]["InstanceCount"] == count
        assert ("EnableInterContainerTrafficEncryption" in request) is is_encrypted
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://lake/train/"}}
        given = {
            "TrainingJobName": "earshot-dev-1",
            "InputDataConfig": [{"ChannelName": "train", "DataSource": source}],
        }
        assert complaints("sagemaker", "CreateTrainingJob", request | given) == []


def test_features_run_on_spark_where_the_settings_say_so() -> None:
    to, settings = addresses(), DEV.training
    states = json.loads(json.dumps(features(to, defaults_with(features_engine="spark", on_spot=True))))
    assert [state["Next"] for state in states.values()] == ["Views", "Channels"]
    on_spark = request_of("Features", states)
    assert on_spark["AppSpecification"]["ImageUri"] == to.spark_image
    assert on_spark["AppSpecification"]["ContainerArguments"][-2:] == ["--max-rows", "1000"]
    assert "--views" not in on_spark["AppSpecification"]["ContainerArguments"]
    assert on_spark["ProcessingResources"]["ClusterConfig"]["InstanceCount"] == settings.spark_instance_count
    for name in states:
        assert complaints("sagemaker", "CreateProcessingJob", request_of(name, states)) == []


def test_there_is_no_schedule_until_a_stage_switches_it_on(app: Assembly) -> None:
    """A rule that is there and switched off looks like one that works."""
    for stage in STAGES:
        assert app.resources(stage, "AWS::Events::Rule", stack="Training") == {}


def test_execution_data_stays_out_of_the_logs(app: Assembly) -> None:
    for machine in app.resources("prod", "AWS::StepFunctions::StateMachine").values():
        logging = machine["Properties"]["LoggingConfiguration"]
        assert logging["IncludeExecutionData"] is False
        assert logging["Level"] == "ALL"
