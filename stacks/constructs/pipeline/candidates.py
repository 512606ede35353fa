"""The candidates of a run, trained side by side, and the bias of the data they are trained on.

Each branch asks first whether it is wanted, and ends with `{"name", "status": "scored" | "failed" | "skipped"}` and the
reason of a failure. Only the failure of `bert`, the model that every run can serve, is a failure of the run.
"""

from collections.abc import Mapping

from stacks.constructs.blazingtext_definition import (
    BLAZINGTEXT,
    scoring_arguments,
    state_names,
    training_request,
    training_states,
    views_of,
)
from stacks.constructs.pipeline import tuning
from stacks.constructs.pipeline.addresses import PipelineAddresses, PipelineDefaults
from stacks.constructs.pipeline.autopilot import START as START_OF_AUTOPILOT
from stacks.constructs.pipeline.autopilot import autopilot_states
from stacks.constructs.pipeline.features import CANDIDATES_STATE
from stacks.constructs.pipeline.jobs import (
    EXIT_MESSAGE,
    GRACE_SECONDS,
    PROCESSING,
    clarify_job,
    job_input,
    job_output,
    longest_training_seconds,
    processing_job,
    train_script,
)
from stacks.constructs.pipeline.states import (
    SKIPPED,
    THROTTLED,
    State,
    candidate_failed,
    failure_of,
    job_done,
    run_failed,
)

PRETRAINING_BIAS = "pretraining-bias"


def candidates(to: PipelineAddresses, defaults: PipelineDefaults, *, leads_to: str) -> dict[str, State]:
    return {
        CANDIDATES_STATE: {
            "Type": "Parallel",
            # A failure in the branch of bert is worded there, and fails the run as it is.
            "Branches": [
                _pretraining_bias(to, defaults),
                _branch("baselines", "Baselines", _baselines(to, defaults)),
                _branch("blazingtext", state_names(BLAZINGTEXT)[0], _blazingtext(to, defaults)),
                _branch("autopilot", START_OF_AUTOPILOT, _autopilot(to, defaults)),
                _branch("bert", "Train", _bert(to, defaults), end=run_failed()),
                _branch("tuned", "Tune", _tuned(to, defaults)),
            ],
            "Next": leads_to,
        }
    }


def _branch(name: str, start: str, states: Mapping[str, State], *, end: State | None = None) -> State:
    """A branch that runs where the candidate is asked for; names of states are of the whole machine."""
    title = name.capitalize()
    return {
        "StartAt": f"Is{title}Wanted",
        "States": {
            f"Is{title}Wanted": {
                "Type": "Choice",
                "Choices": [{"Condition": f"{{% '{name}' in $candidates %}}", "Next": start}],
                "Default": f"Skip{title}",
            },
            f"Skip{title}": {"Type": "Pass", "Output": {"name": name, "status": SKIPPED}, "End": True},
            **states,
            _failed(name): end or candidate_failed(name),
        },
    }


def _failed(name: str) -> str:
    return f"{name.capitalize()}Failed"


def candidate_folder(to: PipelineAddresses, name: str) -> str:
    return f"{{% '{to.lake}curated/candidates/' & $run & '/{name}/' %}}"


def features_input(to: PipelineAddresses) -> State:
    """The features of the run, all splits of them."""
    return job_input("features", f"{{% '{to.lake}curated/features/' & $run & '/' %}}")


def _pretraining_bias(to: PipelineAddresses, defaults: PipelineDefaults) -> State:
    """Of the data, so that it needs no model; the gate judges the answers, and not this."""
    return {
        "StartAt": "PretrainingBias",
        "States": {
            "PretrainingBias": clarify_job(
                to,
                defaults,
                step="bias-pretraining",
                folder=f"'{to.lake}curated/features/' & $run & '/views/bias/'",
                output=f"'{to.lake}reports/' & $run & '/bias/pretraining/'",
                catch=failure_of("PretrainingBias", leads_to="PretrainingBiasFailed"),
                then=job_done(PRETRAINING_BIAS),
            ),
            "PretrainingBiasFailed": candidate_failed(PRETRAINING_BIAS),
        },
    }


def _baselines(to: PipelineAddresses, defaults: PipelineDefaults) -> dict[str, State]:
    return {
        "Baselines": processing_job(
            to,
            defaults,
            step="baselines",
            arguments=[
                *("training_code.candidates.baselines", "--features", f"{PROCESSING}/input/features"),
                *("--output", f"{PROCESSING}/output", "--seed", str(defaults.seed)),
                *("--instance", defaults.processing_instance_type, "--message", EXIT_MESSAGE),
            ],
            inputs=[features_input(to)],
            outputs=[
                # Two candidates from one job, a folder each.
                job_output("candidates", f"{{% '{to.lake}curated/candidates/' & $run & '/' %}}", f"{PROCESSING}/output")
            ],
            catch=failure_of("Baselines", leads_to=_failed("baselines")),
            then=job_done("baselines"),
        )
    }


def _blazingtext(to: PipelineAddresses, defaults: PipelineDefaults) -> dict[str, State]:
    train, score = state_names(BLAZINGTEXT)
    scoring = processing_job(
        to,
        defaults,
        step=f"{BLAZINGTEXT.name}-score",
        arguments=scoring_arguments(BLAZINGTEXT, exit_message=EXIT_MESSAGE),
        inputs=[job_input("model", f"{{% ${BLAZINGTEXT.name}Model %}}"), features_input(to)],
        outputs=[job_output("candidate", candidate_folder(to, BLAZINGTEXT.name), f"{PROCESSING}/output")],
        catch=failure_of(score, leads_to=_failed(BLAZINGTEXT.name)),
        then=job_done(BLAZINGTEXT.name),
    )
    return training_states(
        BLAZINGTEXT,
        request=training_request(
            BLAZINGTEXT,
            job_name=f"{{% '{to.job_prefix}-{BLAZINGTEXT.name}-' & $run %}}",
            image=to.blazingtext_image,
            role=to.blazingtext_role,
            views=views_of(BLAZINGTEXT, lake=to.lake),
            output=f"{to.artifacts}training/",
            key=to.key,
            timeout_seconds=defaults.job_timeout_seconds,
        ),
        retry=[THROTTLED],
        catch=[failure_of(train, leads_to=_failed(BLAZINGTEXT.name))],
        scoring=scoring,
    )


def _autopilot(to: PipelineAddresses, defaults: PipelineDefaults) -> dict[str, State]:
    return autopilot_states(
        to,
        defaults,
        features=features_input(to),
        candidate_folder=candidate_folder(to, "autopilot"),
        failed=_failed("autopilot"),
    )


def _bert(to: PipelineAddresses, defaults: PipelineDefaults) -> dict[str, State]:
    failed = _failed("bert")
    return {
        "Train": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
            "Arguments": {
                "TrainingJobName": f"{{% '{to.job_prefix}-train-' & $run %}}",
                "HyperParameters": "{% $hyperparameters %}",
                **train_script(to, defaults, name="bert"),
            },
            "TimeoutSeconds": longest_training_seconds(defaults) + GRACE_SECONDS,
            "Retry": [THROTTLED],
            "Catch": [failure_of("Train", leads_to=failed)],
            "Assign": {
                "bertModel": "{% $states.result.ModelArtifacts.S3ModelArtifacts %}",
                "bertSeconds": (
                    "{% $exists($states.result.TrainingTimeInSeconds) ? $states.result.TrainingTimeInSeconds : 0 %}"
                ),
            },
            "Output": {},
            "Next": "Evaluate",
        },
        "Evaluate": _evaluation(to, defaults, name="bert", step="Evaluate", model="$bertModel", seconds="$bertSeconds"),
    }


def _tuned(to: PipelineAddresses, defaults: PipelineDefaults) -> dict[str, State]:
    """The best job of the search is a training job like any other: what it left is evaluated the same way."""
    failed = _failed("tuned")
    return {
        "Tune": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createHyperParameterTuningJob.sync",
            "Arguments": tuning.request(to, defaults),
            "TimeoutSeconds": tuning.longest_seconds(defaults) + GRACE_SECONDS,
            "Retry": [THROTTLED],
            "Catch": [failure_of("Tune", leads_to=failed)],
            "Assign": {"bestOfTuning": "{% $states.result.BestTrainingJob.TrainingJobName %}"},
            "Output": {},
            "Next": "BestOfTuning",
        },
        "BestOfTuning": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:describeTrainingJob",
            "Arguments": {"TrainingJobName": "{% $bestOfTuning %}"},
            "Retry": [THROTTLED],
            "Catch": [failure_of("BestOfTuning", leads_to=failed)],
            "Assign": {
                "tunedModel": "{% $states.result.ModelArtifacts.S3ModelArtifacts %}",
                "tunedSeconds": (
                    "{% $exists($states.result.TrainingTimeInSeconds) ? $states.result.TrainingTimeInSeconds : 0 %}"
                ),
            },
            "Output": {},
            "Next": "EvaluateTuned",
        },
        "EvaluateTuned": _evaluation(
            to, defaults, name="tuned", step="EvaluateTuned", model="$tunedModel", seconds="$tunedSeconds"
        ),
    }


def _evaluation(
    to: PipelineAddresses, defaults: PipelineDefaults, *, name: str, step: str, model: str, seconds: str
) -> State:
    """Packs a model for serving and asks exactly what was packed; `model` and `seconds` are JSONata."""
    return processing_job(
        to,
        defaults,
        step="evaluate" if name == "bert" else f"evaluate-{name}",
        arguments=[
            *("training_code.evaluate", "--name", name),
            *("--model", f"{PROCESSING}/input/model"),
            *("--test", f"{PROCESSING}/input/test"),
            *("--validation", f"{PROCESSING}/input/validation"),
            *("--serving", f"{PROCESSING}/input/serving/{to.serving_file}"),
            *("--run", "{% $run %}"),
            *("--training-seconds", f"{{% $string({seconds}) %}}"),
            *("--training-instance", defaults.training_instance_type),
            *("--training-instances", str(defaults.training_instance_count)),
            *("--output", f"{PROCESSING}/output/evaluation"),
            *("--release", f"{PROCESSING}/output/release"),
            *("--candidate", f"{PROCESSING}/output/candidate"),
            *("--message", EXIT_MESSAGE),
        ],
        inputs=[
            job_input("model", f"{{% {model} %}}"),
            *(
                job_input(split, f"{{% '{to.lake}curated/features/' & $run & '/{split}/' %}}")
                for split in ("test", "validation")
            ),
            job_input("serving", to.serving),
        ],
        outputs=[
            job_output(
                "evaluation",
                f"{{% '{to.lake}reports/' & $run & '/evaluation/{name}/' %}}",
                f"{PROCESSING}/output/evaluation",
            ),
            job_output(
                "release", f"{{% '{to.artifacts}models/' & $run & '/{name}/' %}}", f"{PROCESSING}/output/release"
            ),
            job_output("candidate", candidate_folder(to, name), f"{PROCESSING}/output/candidate"),
        ],
        catch=failure_of(step, leads_to=_failed(name)),
        then=job_done(name),
    )
