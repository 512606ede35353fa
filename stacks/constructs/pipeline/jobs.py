"""Requests for the jobs that run this project's own code, and for Clarify's, which runs AWS's.

Knows images, volumes, inputs and outputs as CreateProcessingJob and CreateTrainingJob take them. Does not know what
follows what.
"""

import json
from collections.abc import Sequence

from stacks.constructs.blazingtext_definition import has_own_disks
from stacks.constructs.pipeline.addresses import PipelineAddresses, PipelineDefaults
from stacks.constructs.pipeline.states import THROTTLED, State
from training_code.progress import METRIC_DEFINITIONS

PROCESSING = "/opt/ml/processing"
CHECKPOINTS = "/opt/ml/checkpoints"
EXIT_MESSAGE = "/opt/ml/output/message"  # what a processing job leaves here becomes its ExitMessage
# Entry point strings end at 256 characters, so the module and its arguments follow as container arguments.
JOB_SCRIPT = (
    f"set -e; w={PROCESSING}/work; mkdir -p $w; tar -xzf {PROCESSING}/input/code/*.gz -C $w; cd $w; "
    'python3 -m pip install --quiet -r requirements.txt; exec python3 -m "$0" "$@"'
)
# A job that is stopped, or that nobody ends, is given up by the state half an hour after SageMaker's own limit.
GRACE_SECONDS = 1800


def processing_job(
    to: PipelineAddresses,
    defaults: PipelineDefaults,
    *,
    step: str,
    arguments: Sequence[str] | str,
    inputs: list[State] | str,
    outputs: list[State],
    catch: State,
    then: State,
    spark_script: str | None = None,
) -> State:
    """A job of our own code; `inputs` is a list beside the code, or JSONata for the whole list.

    With a `spark_script` it runs in AWS's Spark container, on a cluster.
    """
    specification: State = {
        "ImageUri": to.spark_image if spark_script else to.processing_image,
        "ContainerEntrypoint": ["/bin/bash", "-c", spark_script or JOB_SCRIPT],
        "ContainerArguments": arguments,
    }
    return _processing(
        to,
        defaults,
        step=step,
        role=to.processing_role,
        specification=specification,
        inputs=inputs if isinstance(inputs, str) else [job_input("code", to.code), *inputs],
        outputs=outputs,
        catch=catch,
        then=then,
        instances=defaults.spark_instance_count if spark_script else 1,
    )


def clarify_job(
    to: PipelineAddresses,
    defaults: PipelineDefaults,
    *,
    step: str,
    folder: str,
    output: str,
    catch: State,
    then: State,
) -> State:
    """Clarify's analysis of `dataset.csv` as `analysis_config.json` in the same folder says.

    `folder` and `output` are JSONata for S3 addresses that end with a slash.
    https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-run.html
    """
    return _processing(
        to,
        defaults,
        step=step,
        role=to.clarify_role,
        specification={"ImageUri": to.clarify_image},
        inputs=[
            job_input("analysis_config", f"{{% {folder} & 'analysis_config.json' %}}", folder="config"),
            job_input("dataset", f"{{% {folder} & 'dataset.csv' %}}", folder="data"),
        ],
        outputs=[job_output("analysis_result", f"{{% {output} %}}", f"{PROCESSING}/output")],
        catch=catch,
        then=then,
    )


def _processing(
    to: PipelineAddresses,
    defaults: PipelineDefaults,
    *,
    step: str,
    role: str,
    specification: State,
    inputs: list[State] | str,
    outputs: list[State],
    catch: State,
    then: State,
    instances: int = 1,
) -> State:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync",
        "Arguments": {
            "ProcessingJobName": f"{{% '{to.job_prefix}-{step}-' & $run %}}",
            "RoleArn": role,
            "AppSpecification": specification,
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": {"KmsKeyId": to.key, "Outputs": outputs},
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceCount": instances,
                    "InstanceType": defaults.processing_instance_type,
                    "VolumeSizeInGB": defaults.volume_gib,
                    **_volume_key(defaults.processing_instance_type, to.key),
                }
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": defaults.job_timeout_seconds},
        },
        "TimeoutSeconds": defaults.job_timeout_seconds + GRACE_SECONDS,
        "Retry": [THROTTLED],
        "Catch": [catch],
        **then,
    }


def train_script(to: PipelineAddresses, defaults: PipelineDefaults, *, name: str) -> State:
    """What a training job and the jobs of a tuning job have in common: train.py in script mode."""
    limits: dict[str, object] = {"MaxRuntimeInSeconds": defaults.job_timeout_seconds}
    on_spot: State = {}
    if defaults.on_spot:
        # As long again for an instance to be had. What was trained so far is resumed from the checkpoints.
        limits["MaxWaitTimeInSeconds"] = 2 * defaults.job_timeout_seconds
        on_spot = {
            "EnableManagedSpotTraining": True,
            "CheckpointConfig": {
                "S3Uri": f"{{% '{to.artifacts}checkpoints/' & $run & '/{name}/' %}}",
                "LocalPath": CHECKPOINTS,
            },
        }
    return {
        "RoleArn": to.training_role,
        "AlgorithmSpecification": {
            "TrainingImage": to.training_image,
            "TrainingInputMode": "File",
            "MetricDefinitions": METRIC_DEFINITIONS,
        },
        "InputDataConfig": "{% $baseChannel ? $append($channels, [$baseChannel]) : $channels %}",
        "OutputDataConfig": {"S3OutputPath": f"{to.artifacts}training/", "KmsKeyId": to.key},
        "ResourceConfig": {
            "InstanceType": defaults.training_instance_type,
            "InstanceCount": defaults.training_instance_count,
            "VolumeSizeInGB": defaults.volume_gib,
            **_volume_key(defaults.training_instance_type, to.key),
        },
        "StoppingCondition": limits,
        "EnableNetworkIsolation": False,
        # Gradients say something of the texts: what several machines tell each other is not for others to read.
        **({"EnableInterContainerTrafficEncryption": True} if defaults.training_instance_count > 1 else {}),
        **on_spot,
    }


def longest_training_seconds(defaults: PipelineDefaults) -> int:
    """How long a training job may take, the wait for a spot instance included."""
    return defaults.job_timeout_seconds * (2 if defaults.on_spot else 1)


def script_mode(to: PipelineAddresses) -> dict[str, str]:
    """Hyperparameters that name the program; the toolkits parse every hyperparameter as JSON."""
    return {
        "sagemaker_program": json.dumps("training_code/train.py"),
        "sagemaker_submit_directory": f'"{to.code}"',
        "sagemaker_region": f'"{to.region}"',
    }


def _volume_key(instance_type: str, key: str) -> dict[str, str]:
    return {} if has_own_disks(instance_type) else {"VolumeKmsKeyId": key}


def job_input(name: str, uri: str, *, folder: str = "") -> State:
    """Objects in a folder below `input/`, by default the one that is called like the input."""
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{PROCESSING}/input/{folder or name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }


def job_output(name: str, uri: str, folder: str) -> State:
    return {
        "OutputName": name,
        "S3Output": {"S3Uri": uri, "LocalPath": folder, "S3UploadMode": "EndOfJob"},
    }


def channel(name: str, uri: str, content_type: str) -> State:
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
