"""The model pipeline in the States Language: crawl, features, train, evaluate, gate, register.

Knows the order, the requests to SageMaker and what a person reads when a step fails. Does not know roles or the CDK:
every address is given as text.

Query language is JSONata: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training_code.progress import METRIC_DEFINITIONS

State = dict[str, object]

PROCESSING = "/opt/ml/processing"
EXIT_MESSAGE = "/opt/ml/output/message"  # what a processing job leaves here becomes its ExitMessage
# Entry point strings end at 256 characters, so the module and its arguments follow as container arguments.
JOB_SCRIPT = (
    f"set -e; w={PROCESSING}/work; mkdir -p $w; tar -xzf {PROCESSING}/input/code/*.gz -C $w; cd $w; "
    'python3 -m pip install --quiet -r requirements.txt; exec python3 -m "$0" "$@"'
)
THROTTLED = {
    "ErrorEquals": ["ThrottlingException", "SageMaker.ThrottlingException", "Glue.ThrottlingException"],
    "IntervalSeconds": 5,
    "MaxAttempts": 5,
    "BackoffRate": 2,
    "JitterStrategy": "FULL",
}
LAMBDA_HICCUP = {
    "ErrorEquals": [
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    ],
    "IntervalSeconds": 2,
    "MaxAttempts": 4,
    "BackoffRate": 2,
    "JitterStrategy": "FULL",
}


@dataclass(frozen=True, kw_only=True)
class PipelineAddresses:
    """Every name, image and place that a run touches."""

    job_prefix: str
    crawler: str
    processing_image: str
    training_image: str
    processing_role: str
    training_role: str
    code: str
    serving: str
    serving_file: str
    """The file that the serving code arrives as: the CDK names assets by their hash."""
    lake: str
    """`s3://bucket/`"""
    artifacts: str
    """`s3://bucket/`"""
    key: str
    gate_function: str
    register_function: str
    region: str


@dataclass(frozen=True, kw_only=True)
class PipelineDefaults:
    """What an execution uses where its input says nothing."""

    reviews_prefix: str
    hyperparameters: Mapping[str, str]
    max_rows: int
    balance: str
    seed: int
    processing_instance_type: str
    training_instance_type: str
    volume_gib: int
    job_timeout_seconds: int
    poll_seconds: int


def pipeline_definition(to: PipelineAddresses, defaults: PipelineDefaults) -> State:
    """The definition as one JSON object."""
    return {
        "Comment": "Crawl the lake, make features, train, evaluate on the frozen test rows, gate, register",
        "QueryLanguage": "JSONata",
        "StartAt": "Defaults",
        "States": {
            **_inputs(to, defaults),
            **_crawl(to, defaults),
            **_features(to, defaults),
            **_channels(to),
            **_train(to, defaults),
            **_evaluate(to, defaults),
            **_gate_and_register(to),
            "StepFailed": {
                "Type": "Fail",
                "Error": "{% $failedStep & 'Failed' %}",
                "Cause": (
                    "{% ($cause := $failure.Cause ? $failure.Cause : $failure.Error; "
                    "$job := $contains($cause, '\"FailureReason\"') ? $parse($cause) : {}; "
                    "$told := $job.ExitMessage ? $job.ExitMessage : $job.FailureReason; "
                    "$reason := $told ? $told : $cause; "
                    "'The step ' & $failedStep & ' of run ' & $run & ' failed: ' & $reason) %}"
                ),
            },
        },
    }


def _inputs(to: PipelineAddresses, defaults: PipelineDefaults) -> dict[str, State]:
    return {
        "Defaults": {
            "Type": "Pass",
            "Assign": {
                "run": "{% $states.context.Execution.Name %}",
                "defaultHyperparameters": dict(sorted(defaults.hyperparameters.items())),
                # Script mode reads these three; the toolkits parse every hyperparameter as JSON.
                "scriptMode": {
                    "sagemaker_program": json.dumps("training_code/train.py"),
                    "sagemaker_submit_directory": f'"{to.code}"',
                    "sagemaker_region": f'"{to.region}"',
                },
            },
            "Next": "Input",
        },
        "Input": {
            "Type": "Pass",
            "Assign": {
                "reviewsPrefix": (
                    f"{{% $states.input.reviews_prefix ? $states.input.reviews_prefix : '{defaults.reviews_prefix}' %}}"
                ),
                "maxRows": f"{{% $states.input.max_rows ? $string($states.input.max_rows) : '{defaults.max_rows}' %}}",
                "hyperparameters": (
                    "{% $merge([$defaultHyperparameters, $states.input.hyperparameters, $scriptMode]) %}"
                ),
            },
            "Next": "StartCrawler",
        },
    }


def _crawl(to: PipelineAddresses, defaults: PipelineDefaults) -> dict[str, State]:
    """A crawl that was already running may have passed over the newest rows, so it is waited for and repeated."""
    return {
        "StartCrawler": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:glue:startCrawler",
            "Arguments": {"Name": to.crawler},
            "Retry": [THROTTLED],
            "Catch": [
                {"ErrorEquals": ["Glue.CrawlerRunningException"], "Next": "WaitForOtherCrawl"},
                _failure_of("Crawl"),
            ],
            "Next": "WaitForCrawler",
        },
        "WaitForOtherCrawl": {"Type": "Wait", "Seconds": defaults.poll_seconds, "Next": "StartCrawler"},
        "WaitForCrawler": {"Type": "Wait", "Seconds": defaults.poll_seconds, "Next": "GetCrawler"},
        "GetCrawler": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:glue:getCrawler",
            "Arguments": {"Name": to.crawler},
            "Retry": [THROTTLED],
            "Catch": [_failure_of("Crawl")],
            "Output": {
                "state": "{% $states.result.Crawler.State %}",
                # A crawler in its first crawl has no last one yet.
                "status": (
                    "{% $exists($states.result.Crawler.LastCrawl.Status) ? "
                    "$states.result.Crawler.LastCrawl.Status : 'NEVER' %}"
                ),
                "message": (
                    "{% $states.result.Crawler.LastCrawl.ErrorMessage ? "
                    "$states.result.Crawler.LastCrawl.ErrorMessage : 'the crawler gave no reason' %}"
                ),
            },
            "Next": "CrawlerDone",
        },
        "CrawlerDone": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.state != 'READY' %}", "Next": "WaitForCrawler"},
                {"Condition": "{% $states.input.status = 'SUCCEEDED' %}", "Next": "Features"},
            ],
            "Default": "CrawlFailed",
        },
        "CrawlFailed": {
            "Type": "Fail",
            "Error": "CrawlFailed",
            "Cause": "{% 'The crawler did not succeed: ' & $states.input.message %}",
        },
    }


def _features(to: PipelineAddresses, defaults: PipelineDefaults) -> dict[str, State]:
    fixed = json.dumps(
        [
            "training_code.features",
            "--input",
            f"{PROCESSING}/input/reviews",
            "--output",
            f"{PROCESSING}/output",
            "--balance",
            defaults.balance,
            "--seed",
            str(defaults.seed),
            "--message",
            EXIT_MESSAGE,
        ]
    )
    return {
        "Features": _processing_job(
            to,
            defaults,
            step="features",
            arguments=f"{{% $append({fixed}, $number($maxRows) > 0 ? ['--max-rows', $maxRows] : []) %}}",
            inputs=[_input("reviews", f"{{% '{to.lake}' & $reviewsPrefix %}}")],
            outputs=[_output("features", f"{{% '{to.lake}curated/features/' & $run & '/' %}}", f"{PROCESSING}/output")],
            next_state="Channels",
        )
    }


def _channels(to: PipelineAddresses) -> dict[str, State]:
    """The rows, and the base model where the hyperparameter `base` names an artifact rather than a hub id."""
    return {
        "Channels": {
            "Type": "Pass",
            "Assign": {
                "channels": [
                    _channel(name, f"{{% '{to.lake}curated/features/' & $run & '/{name}/' %}}", "application/x-parquet")
                    for name in ("train", "validation")
                ],
            },
            "Next": "BaseModel",
        },
        "BaseModel": {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": "{% $substring($hyperparameters.base, 0, 5) = 's3://' %}",
                    "Assign": {
                        "baseChannel": _channel("base", "{% $hyperparameters.base %}", "application/octet-stream")
                    },
                    "Next": "Train",
                }
            ],
            "Assign": {"baseChannel": False},
            "Default": "Train",
        },
    }


def _train(to: PipelineAddresses, defaults: PipelineDefaults) -> dict[str, State]:
    return {
        "Train": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
            "Arguments": {
                "TrainingJobName": f"{{% '{to.job_prefix}-train-' & $run %}}",
                "RoleArn": to.training_role,
                "AlgorithmSpecification": {
                    "TrainingImage": to.training_image,
                    "TrainingInputMode": "File",
                    "MetricDefinitions": METRIC_DEFINITIONS,
                },
                "HyperParameters": "{% $hyperparameters %}",
                "InputDataConfig": "{% $baseChannel ? $append($channels, [$baseChannel]) : $channels %}",
                "OutputDataConfig": {"S3OutputPath": f"{to.artifacts}training/", "KmsKeyId": to.key},
                "ResourceConfig": {
                    "InstanceType": defaults.training_instance_type,
                    "InstanceCount": 1,
                    "VolumeSizeInGB": defaults.volume_gib,
                },
                "StoppingCondition": {"MaxRuntimeInSeconds": defaults.job_timeout_seconds},
                "EnableNetworkIsolation": False,
            },
            "TimeoutSeconds": defaults.job_timeout_seconds + 1800,
            "Retry": [THROTTLED],
            "Catch": [_failure_of("Train")],
            "Assign": {"model": "{% $states.result.ModelArtifacts.S3ModelArtifacts %}"},
            "Output": {},
            "Next": "Evaluate",
        }
    }


def _evaluate(to: PipelineAddresses, defaults: PipelineDefaults) -> dict[str, State]:
    arguments = [
        "training_code.evaluate",
        "--model",
        f"{PROCESSING}/input/model",
        "--test",
        f"{PROCESSING}/input/test",
        "--serving",
        f"{PROCESSING}/input/serving/{to.serving_file}",
        "--run",
        "{% $run %}",
        "--output",
        f"{PROCESSING}/output/evaluation",
        "--release",
        f"{PROCESSING}/output/release",
        "--message",
        EXIT_MESSAGE,
    ]
    return {
        "Evaluate": _processing_job(
            to,
            defaults,
            step="evaluate",
            arguments=arguments,
            inputs=[
                _input("model", "{% $model %}"),
                _input("test", f"{{% '{to.lake}curated/features/' & $run & '/test/' %}}"),
                _input("serving", to.serving),
            ],
            outputs=[
                _output(
                    "evaluation",
                    f"{{% '{to.lake}reports/' & $run & '/evaluation/' %}}",
                    f"{PROCESSING}/output/evaluation",
                ),
                _output("release", f"{{% '{to.artifacts}models/' & $run & '/' %}}", f"{PROCESSING}/output/release"),
            ],
            next_state="Gate",
        )
    }


def _gate_and_register(to: PipelineAddresses) -> dict[str, State]:
    evaluation = f"{{% '{to.lake}reports/' & $run & '/evaluation/evaluation.json' %}}"
    release = f"{{% '{to.artifacts}models/' & $run & '/' %}}"
    return {
        "Gate": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {
                "FunctionName": to.gate_function,
                "Payload": {"evaluation_uri": evaluation, "release_prefix": release},
            },
            "Retry": [LAMBDA_HICCUP],
            "Catch": [_failure_of("Gate")],
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
                    "evaluation_uri": evaluation,
                    "release_prefix": release,
                    "metrics": "{% $gate.metrics %}",
                },
            },
            "Retry": [LAMBDA_HICCUP],
            "Catch": [_failure_of("Register")],
            "Output": {
                "run": "{% $run %}",
                "model_package_arn": "{% $states.result.Payload.model_package_arn %}",
                "metrics": "{% $gate.metrics %}",
            },
            "End": True,
        },
    }


def _processing_job(
    to: PipelineAddresses,
    defaults: PipelineDefaults,
    *,
    step: str,
    arguments: Sequence[str] | str,
    inputs: list[State],
    outputs: list[State],
    next_state: str,
) -> State:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync",
        "Arguments": {
            "ProcessingJobName": f"{{% '{to.job_prefix}-{step}-' & $run %}}",
            "RoleArn": to.processing_role,
            "AppSpecification": {
                "ImageUri": to.processing_image,
                "ContainerEntrypoint": ["/bin/bash", "-c", JOB_SCRIPT],
                "ContainerArguments": arguments,
            },
            "ProcessingInputs": [_input("code", to.code), *inputs],
            "ProcessingOutputConfig": {"KmsKeyId": to.key, "Outputs": outputs},
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceCount": 1,
                    "InstanceType": defaults.processing_instance_type,
                    "VolumeSizeInGB": defaults.volume_gib,
                    "VolumeKmsKeyId": to.key,
                }
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": defaults.job_timeout_seconds},
        },
        "TimeoutSeconds": defaults.job_timeout_seconds + 1800,
        "Retry": [THROTTLED],
        "Catch": [_failure_of(step.capitalize())],
        "Output": {},
        "Next": next_state,
    }


def _input(name: str, uri: str) -> State:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{PROCESSING}/input/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }


def _output(name: str, uri: str, folder: str) -> State:
    return {
        "OutputName": name,
        "S3Output": {"S3Uri": uri, "LocalPath": folder, "S3UploadMode": "EndOfJob"},
    }


def _channel(name: str, uri: str, content_type: str) -> State:
    return {
        "ChannelName": name,
        "ContentType": content_type,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": uri,
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }


def _failure_of(step: str) -> State:
    return {
        "ErrorEquals": ["States.ALL"],
        "Assign": {"failedStep": step, "failure": "{% $states.errorOutput %}"},
        "Next": "StepFailed",
    }
