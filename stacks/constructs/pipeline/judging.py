"""The second half of a run: the comparison, the bias of the champion's answers, what they rest on, gate, registry.

The champion is named by the comparison's exit message. The model that the champion would replace is the newest approved
one of the registry; its answers of its own run are compared where they are still in the lake.
"""

from stacks.constructs.pipeline.addresses import PipelineAddresses, PipelineDefaults
from stacks.constructs.pipeline.candidates import PRETRAINING_BIAS
from stacks.constructs.pipeline.jobs import (
    EXIT_MESSAGE,
    PROCESSING,
    clarify_job,
    job_input,
    job_output,
    processing_job,
)
from stacks.constructs.pipeline.states import FAILED, LAMBDA_HICCUP, THROTTLED, State, failure_of

# An argument of a container ends at 256 characters, so each failure is one, in JSON of plain characters.
_FAILURES = (
    "[$map($failedCandidates, function($candidate) { '--failed=' & $string({'name': $candidate.name, 'reason': "
    r"$substring($replace($candidate.reason, /[^ !#-\[\]-~]+/, ' '), 0, 180)}) })]"
)


def outcomes(*, leads_to: str) -> dict[str, State]:
    return {
        "Outcomes": {
            "Type": "Pass",
            "Assign": {
                "outcomes": f"{{% [$states.input[name != '{PRETRAINING_BIAS}']] %}}",
                "failedCandidates": (f"{{% [$states.input[status = '{FAILED}' and name != '{PRETRAINING_BIAS}']] %}}"),
                # Only a word of what is in the registry; overwritten where there is more to know.
                "current": False,
            },
            "Output": {},
            "Next": leads_to,
        }
    }


def current_model(to: PipelineAddresses, *, leads_to: str) -> dict[str, State]:
    """Where the answers of the newest approved model are, or `false` where there is none, or none to be found."""
    catch = failure_of("CurrentModel", leads_to="StepFailed")
    return {
        "CurrentModel": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:listModelPackages",
            "Arguments": {
                "ModelPackageGroupName": to.registry,
                "ModelApprovalStatus": "Approved",
                "SortBy": "CreationTime",
                "SortOrder": "Descending",
                "MaxResults": 1,
            },
            "Retry": [THROTTLED],
            "Catch": [catch],
            "Output": {"arns": "{% [$states.result.ModelPackageSummaryList.ModelPackageArn] %}"},
            "Next": "IsThereACurrentModel",
        },
        "IsThereACurrentModel": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $count($states.input.arns) > 0 %}", "Next": "DescribeCurrentModel"}],
            "Default": leads_to,
        },
        "DescribeCurrentModel": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:describeModelPackage",
            "Arguments": {"ModelPackageName": "{% $states.input.arns[0] %}"},
            "Retry": [THROTTLED],
            "Catch": [catch],
            "Output": {
                # A package that was registered otherwise may say neither.
                "folder": (
                    "{% ($told := $states.result.CustomerMetadataProperties; $told.run and $told.candidate "
                    "? 'curated/candidates/' & $told.run & '/' & $told.candidate & '/' : '') %}"
                ),
            },
            "Next": "IsItsRunKnown",
        },
        "IsItsRunKnown": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.folder != '' %}", "Next": "FindItsAnswers"}],
            "Default": leads_to,
        },
        # A job whose input has no object fails, so it is looked for beforehand.
        "FindItsAnswers": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:listObjectsV2",
            "Arguments": {"Bucket": to.lake_bucket, "Prefix": "{% $states.input.folder %}", "MaxKeys": 1},
            "Retry": [THROTTLED],
            "Catch": [catch],
            "Assign": {"current": "{% $states.result.KeyCount > 0 ? $states.input.folder : false %}"},
            "Output": {},
            "Next": leads_to,
        },
    }


def compare(to: PipelineAddresses, defaults: PipelineDefaults, *, leads_to: str) -> dict[str, State]:
    arguments = [
        *("training_code.compare", "--candidates", f"{PROCESSING}/input/candidates"),
        *("--features", f"{PROCESSING}/input/features"),
        *("--run", "{% $run %}"),
        *("--output", f"{PROCESSING}/output"),
        *("--message", EXIT_MESSAGE),
    ]
    return {
        "ComparisonInputs": {
            "Type": "Pass",
            "Assign": {
                "comparisonInputs": [
                    job_input("code", to.code),
                    job_input("candidates", f"{{% '{to.lake}curated/candidates/' & $run & '/' %}}"),
                    job_input("features", f"{{% '{to.lake}curated/features/' & $run & '/' %}}"),
                ],
                "comparisonArguments": arguments,
                "currentInput": job_input("current", f"{{% '{to.lake}' & ($current ? $current : '') %}}"),
            },
            "Next": "Compare",
        },
        "Compare": processing_job(
            to,
            defaults,
            step="compare",
            arguments=(
                "{% $append($append($comparisonArguments, "
                f"$current ? ['--current', '{PROCESSING}/input/current'] : []), {_FAILURES}) %}}"
            ),
            inputs="{% $current ? $append($comparisonInputs, [$currentInput]) : $comparisonInputs %}",
            outputs=[
                job_output("comparison", f"{{% '{to.lake}reports/' & $run & '/comparison/' %}}", f"{PROCESSING}/output")
            ],
            catch=failure_of("Compare", leads_to="StepFailed"),
            then={
                "Assign": {"champion": "{% $states.result.ExitMessage ? $states.result.ExitMessage : '' %}"},
                "Output": {},
                "Next": "IsThereAChampion",
            },
        ),
        "IsThereAChampion": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $champion in ['bert', 'tuned'] %}", "Next": leads_to}],
            "Default": "NoChampion",
        },
        "NoChampion": {
            "Type": "Fail",
            "Error": "CompareFailed",
            "Cause": "{% 'The comparison of run ' & $run & ' named no candidate that can be served' %}",
        },
    }


def bias_and_explanations(to: PipelineAddresses, defaults: PipelineDefaults, *, leads_to: str) -> dict[str, State]:
    bias = f"{{% '{to.lake}reports/' & $run & '/bias/' %}}"
    return {
        "PosttrainingBias": clarify_job(
            to,
            defaults,
            step="bias-posttraining",
            folder=f"'{to.lake}reports/' & $run & '/comparison/posttraining/'",
            output=f"'{to.lake}reports/' & $run & '/bias/posttraining/'",
            catch=failure_of("PosttrainingBias", leads_to="StepFailed"),
            then={"Output": {}, "Next": "Explain"},
        ),
        "Explain": processing_job(
            to,
            defaults,
            step="explain",
            arguments=[
                *("training_code.explain", "--model", f"{PROCESSING}/input/release"),
                *("--features", f"{PROCESSING}/input/features"),
                *("--bias", f"{PROCESSING}/input/bias"),
                *("--comparison", f"{PROCESSING}/input/comparison"),
                *("--output", f"{PROCESSING}/output", "--message", EXIT_MESSAGE),
            ],
            inputs=[
                job_input("release", release_prefix(to)),
                job_input("features", f"{{% '{to.lake}curated/features/' & $run & '/' %}}"),
                job_input("bias", bias),
                job_input("comparison", f"{{% '{to.lake}reports/' & $run & '/comparison/' %}}"),
            ],
            outputs=[job_output("explanations", bias, f"{PROCESSING}/output")],
            catch=failure_of("Explain", leads_to="StepFailed"),
            then={"Output": {}, "Next": leads_to},
        ),
    }


def release_prefix(to: PipelineAddresses) -> str:
    return f"{{% '{to.artifacts}models/' & $run & '/' & $champion & '/' %}}"


def gate_and_register(to: PipelineAddresses) -> dict[str, State]:
    evaluation = f"{{% '{to.lake}reports/' & $run & '/evaluation/' & $champion & '/evaluation.json' %}}"
    comparison = f"{{% '{to.lake}reports/' & $run & '/comparison/comparison.json' %}}"
    model_card = f"{{% '{to.lake}reports/' & $run & '/comparison/model_card.json' %}}"
    bias = f"{{% '{to.lake}reports/' & $run & '/bias/bias.json' %}}"
    return {
        "Gate": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {
                "FunctionName": to.gate_function,
                "Payload": {
                    "evaluation_uri": evaluation,
                    "comparison_uri": comparison,
                    "bias_uri": bias,
                    "release_prefix": release_prefix(to),
                },
            },
            "Retry": [LAMBDA_HICCUP],
            "Catch": [failure_of("Gate", leads_to="StepFailed")],
            "Assign": {"gate": "{% $states.result.Payload %}"},
            "Output": {},
            "Next": "Passed",
        },
        "Passed": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $gate.passed = true %}", "Next": "Register"}],
            "Default": "Refused",
        },
        "Refused": {
            "Type": "Fail",
            "Error": "ModelRefused",
            "Cause": "{% 'The gate refused run ' & $run & ': ' & $join($gate.reasons, ' ') %}",
        },
        "Register": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {
                "FunctionName": to.register_function,
                "Payload": {
                    "run": "{% $run %}",
                    "candidate": "{% $champion %}",
                    "evaluation_uri": evaluation,
                    "model_card_uri": model_card,
                    "release_prefix": release_prefix(to),
                    "metrics": "{% $gate.metrics %}",
                },
            },
            "Retry": [LAMBDA_HICCUP],
            "Catch": [failure_of("Register", leads_to="StepFailed")],
            "Output": {
                "run": "{% $run %}",
                "champion": "{% $champion %}",
                "candidates": "{% $outcomes %}",
                "model_package_arn": "{% $states.result.Payload.model_package_arn %}",
                "metrics": "{% $gate.metrics %}",
            },
            "End": True,
        },
    }
