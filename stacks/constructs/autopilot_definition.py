"""The candidate of Autopilot in the States Language: search, deploy the best one, ask it about our rows, score it.

The search is one CreateAutoMLJobV2, which has no `.sync` form and is asked about until it ends. The best candidate's
three containers become a model for the length of one transform job. Knows requests; does not know roles, the CDK or the
rest of the pipeline: places are text, and what follows a failure is handed in.

https://docs.aws.amazon.com/sagemaker/latest/dg/autopilot-automate-model-development-create-experiment.html
https://docs.aws.amazon.com/sagemaker/latest/dg/autopilot-automate-model-development-container-output.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

State = dict[str, object]

NAME = "autopilot"
START = "SearchModels"
SCORING = "training_code.candidates.autopilot"
TARGET = "sentiment"
OBJECTIVE = "F1macro"
# The mode whose best candidate comes in three containers; AUTO takes one of ensembles for small data.
MODE = "HYPERPARAMETER_TUNING"
VIEWS = "views/autopilot/"
ALGORITHM_KEYS = "predicted_label,probabilities"
LABEL_KEYS = "predicted_label,probabilities,labels"
LEAST_SECONDS_OF_A_CANDIDATE = 300
# The algorithm's container takes requests of 20 MB, and features are larger than the texts they are made from.
PAYLOAD_MEBIBYTES = 1
TRANSFORM_SECONDS = 7200
PROCESSING = "/opt/ml/processing"


@dataclass(frozen=True, kw_only=True)
class AutopilotPlan:
    """Places, names and limits of one stage. Expressions are JSONata without their marks, and end with a slash."""

    job_prefix: str
    """With `-` and the run it is the name of the job, which may have 32 characters."""
    features: str
    """Expression for the folder of the features."""
    output: str
    """Expression for the folder that Autopilot and the transform job write to."""
    role: str
    model_role: str
    key: str
    minutes: int
    candidates: int
    instance_type: str
    """Of the transform job."""
    has_own_disks: bool
    """Whether such an instance encrypts its disks itself and refuses a key for them."""
    poll_seconds: int


def search_request(plan: AutopilotPlan) -> State:
    """CreateAutoMLJobV2."""
    return {
        "AutoMLJobName": f"{{% '{plan.job_prefix}-' & $run %}}",
        "RoleArn": plan.role,
        "AutoMLJobInputDataConfig": [
            {
                "ChannelType": channel,
                "ContentType": "text/csv;header=present",
                "CompressionType": "None",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"{{% {plan.features} & '{VIEWS}{folder}/' %}}",
                    }
                },
            }
            for channel, folder in (("training", "train"), ("validation", "validation"))
        ],
        "OutputDataConfig": {"S3OutputPath": f"{{% {plan.output} %}}", "KmsKeyId": plan.key},
        "AutoMLProblemTypeConfig": {
            "TabularJobConfig": {
                "ProblemType": "MulticlassClassification",
                "TargetAttributeName": TARGET,
                "Mode": MODE,
                "GenerateCandidateDefinitionsOnly": False,
                "CompletionCriteria": {
                    "MaxCandidates": plan.candidates,
                    "MaxRuntimePerTrainingJobInSeconds": candidate_seconds(plan),
                    "MaxAutoMLJobRuntimeInSeconds": plan.minutes * 60,
                },
            }
        },
        "AutoMLJobObjective": {"MetricName": OBJECTIVE},
        "SecurityConfig": {"VolumeKmsKeyId": plan.key, "EnableInterContainerTrafficEncryption": True},
    }


def candidate_seconds(plan: AutopilotPlan) -> int:
    """One candidate may take a quarter of the whole time, within reason."""
    whole = plan.minutes * 60
    return min(whole, max(LEAST_SECONDS_OF_A_CANDIDATE, whole // 4))


def model_request(plan: AutopilotPlan) -> State:
    """CreateModel of the best candidate's containers, with probabilities beside the label."""
    return {
        "ModelName": model_name(plan),
        "ExecutionRoleArn": plan.model_role,
        "Containers": [
            _container(0, {}),
            _container(1, {"SAGEMAKER_INFERENCE_OUTPUT": ALGORITHM_KEYS}),
            _container(2, {"SAGEMAKER_INFERENCE_INPUT": ALGORITHM_KEYS, "SAGEMAKER_INFERENCE_OUTPUT": LABEL_KEYS}),
        ],
    }


def _container(place: int, asked: dict[str, str]) -> State:
    container = f"$autopilotContainers[{place}]"
    changes = "{" + ", ".join(f"'{name}': '{value}'" for name, value in asked.items()) + "}"
    return {
        "Image": f"{{% {container}.Image %}}",
        "ModelDataUrl": f"{{% {container}.ModelDataUrl %}}",
        "Environment": f"{{% $merge([{container}.Environment, {changes}]) %}}",
    }


def model_name(plan: AutopilotPlan) -> str:
    return f"{{% '{plan.job_prefix}-{NAME}-' & $run %}}"


def transform_request(plan: AutopilotPlan) -> State:
    """CreateTransformJob over the rows to score; a record is a line, as the views are written."""
    return {
        "TransformJobName": model_name(plan),
        "ModelName": model_name(plan),
        "BatchStrategy": "MultiRecord",
        "MaxPayloadInMB": PAYLOAD_MEBIBYTES,
        "TransformInput": {
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": f"{{% {plan.features} & '{VIEWS}scoring/' %}}",
                }
            },
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"{{% {answers(plan)} %}}",
            "Accept": "text/csv",
            "AssembleWith": "Line",
            "KmsKeyId": plan.key,
        },
        "TransformResources": {
            "InstanceType": plan.instance_type,
            "InstanceCount": 1,
            **({} if plan.has_own_disks else {"VolumeKmsKeyId": plan.key}),
        },
    }


def answers(plan: AutopilotPlan) -> str:
    """Expression for the folder of the transform job's answers."""
    return f"{plan.output} & 'answers/' & $run & '/'"


def scoring_inputs(plan: AutopilotPlan) -> dict[str, str]:
    """The scoring job's own inputs by name, as JSONata: the answers, and the archives for their size.

    Beside them it has the run's features under the name `features`; its output is the candidate's folder.
    """
    return {
        "answers": f"{{% {answers(plan)} %}}",
        "processor": "{% $autopilotContainers[0].ModelDataUrl %}",
        "algorithm": "{% $autopilotContainers[1].ModelDataUrl %}",
    }


def scoring_arguments(*, exit_message: str) -> list[str]:
    """What the scoring job runs, after `autopilot_states` has assigned what the search ended with."""
    return [
        SCORING,
        *("--answers", f"{PROCESSING}/input/answers"),
        *("--features", f"{PROCESSING}/input/features"),
        *("--archives", f"{PROCESSING}/input/processor", f"{PROCESSING}/input/algorithm"),
        *("--job", "{% $autopilotJob.name %}"),
        *("--candidate", "{% $autopilotJob.candidate %}"),
        *("--objective", "{% $autopilotJob.metric & '=' & $string($autopilotJob.value) %}"),
        *("--training-seconds", "{% $string($autopilotJob.seconds) %}"),
        *("--output", f"{PROCESSING}/output"),
        *("--message", exit_message),
    ]


def autopilot_states(
    plan: AutopilotPlan, *, retry: Sequence[State], failure_of: Callable[[str], State], failed: str, scoring: State
) -> dict[str, State]:
    """The states of the branch from START on.

    `failure_of(step)` is the catcher that goes to `failed` with `{"step", "failure"}`, which is also what that state
    gets where the job itself has failed. `scoring` is the processing job, with its own catcher and end.
    """
    return {
        START: {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:createAutoMLJobV2",
            "Arguments": search_request(plan),
            "Retry": list(retry),
            "Catch": [failure_of(START)],
            "Output": {},
            "Next": "WaitForSearch",
        },
        "WaitForSearch": {"Type": "Wait", "Seconds": plan.poll_seconds, "Next": "DescribeSearch"},
        "DescribeSearch": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:describeAutoMLJobV2",
            "Arguments": {"AutoMLJobName": f"{{% '{plan.job_prefix}-' & $run %}}"},
            "Retry": list(retry),
            "Catch": [failure_of("DescribeSearch")],
            "Output": "{% $states.result %}",
            "Next": "IsSearchDone",
        },
        "IsSearchDone": {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": "{% $states.input.AutoMLJobStatus in ['InProgress', 'Stopping'] %}",
                    "Next": "WaitForSearch",
                },
                {
                    "Condition": (
                        "{% $states.input.AutoMLJobStatus = 'Completed' "
                        "and $count($states.input.BestCandidate.InferenceContainers) = 3 %}"
                    ),
                    "Assign": {
                        "autopilotContainers": "{% $states.input.BestCandidate.InferenceContainers %}",
                        "autopilotJob": {
                            "name": "{% $states.input.AutoMLJobName %}",
                            "candidate": "{% $states.input.BestCandidate.CandidateName %}",
                            "metric": "{% $states.input.BestCandidate.FinalAutoMLJobObjectiveMetric.MetricName %}",
                            "value": "{% $states.input.BestCandidate.FinalAutoMLJobObjectiveMetric.Value %}",
                            "seconds": (
                                "{% ($toMillis($states.input.EndTime) - $toMillis($states.input.CreationTime)) "
                                "/ 1000 %}"
                            ),
                        },
                    },
                    "Next": "DeployBest",
                },
            ],
            "Default": "SearchFailed",
        },
        "SearchFailed": {
            "Type": "Pass",
            "Output": {
                "step": START,
                "failure": {
                    "Error": "AutoMLJobFailed",
                    "Cause": (
                        "{% $states.input.FailureReason ? $states.input.FailureReason : 'the AutoML job ended as ' "
                        "& $states.input.AutoMLJobStatus & ' without a candidate in three containers' %}"
                    ),
                },
            },
            "Next": failed,
        },
        "DeployBest": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createModel",
            "Arguments": model_request(plan),
            "Retry": list(retry),
            "Catch": [failure_of("DeployBest")],
            "Output": {},
            "Next": "AskBest",
        },
        "AskBest": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createTransformJob.sync",
            "Arguments": transform_request(plan),
            # A transform job has no limit of its own.
            "TimeoutSeconds": TRANSFORM_SECONDS,
            "Retry": list(retry),
            "Catch": [{**failure_of("AskBest"), "Next": "ForgetUnasked"}],
            "Output": {},
            "Next": "ForgetBest",
        },
        "ForgetBest": {**_forget(plan, retry), "Catch": [failure_of("ForgetBest")], "Output": {}, "Next": "ScoreBest"},
        "ForgetUnasked": {
            **_forget(plan, retry),
            # Why the job failed matters more than that the model stays.
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.input %}", "Next": failed}],
            "Output": "{% $states.input %}",
            "Next": failed,
        },
        "ScoreBest": scoring,
    }


def _forget(plan: AutopilotPlan, retry: Sequence[State]) -> State:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sagemaker:deleteModel",
        "Arguments": {"ModelName": model_name(plan)},
        "Retry": list(retry),
    }
