"""A candidate trained by one of SageMaker's built-in algorithms, in the States Language: train it, then score it.

BlazingText is the one that a run has. Another one is another `BuiltInAlgorithm`: an image, channels, hyperparameters,
and the module that turns its model into a candidate's folder. Knows requests; does not know roles, the CDK or the rest
of the pipeline.

https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext.html
https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext_hyperparameters.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from stacks.images import ImageName

State = dict[str, object]

PROCESSING = "/opt/ml/processing"


@dataclass(frozen=True, kw_only=True)
class Channel:
    """What an algorithm reads under one channel's name."""

    view: str
    """A folder below `views/` of the features."""
    content_type: str


@dataclass(frozen=True, kw_only=True)
class BuiltInAlgorithm:
    """All that tells one algorithm from another."""

    name: str
    """Of the candidate, its jobs and its folder."""
    image: ImageName
    channels: Mapping[str, Channel]
    hyperparameters: Mapping[str, str]
    """As the algorithm takes them: plain strings, not the JSON that script mode reads."""
    scoring: str
    """The module that reads the model and answers validation and test rows with it."""
    instance_type: str = "ml.c5.xlarge"
    volume_gib: int = 30
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


BLAZINGTEXT = BuiltInAlgorithm(
    name="blazingtext",
    image="blazingtext",
    channels=MappingProxyType(
        {
            "train": Channel(view="blazingtext/train", content_type="text/plain"),
            "validation": Channel(view="blazingtext/validation", content_type="text/plain"),
        }
    ),
    # Chosen on validation rows of reviews of clothing: macro-F1 0.64, where AWS's defaults (5 passes at 0.05) reach
    # 0.50. 200,000 buckets hold the pairs of words of such a corpus and make a model of 42 MB instead of 400.
    hyperparameters=MappingProxyType(
        {
            "mode": "supervised",
            "epochs": "10",
            "learning_rate": "0.2",
            "word_ngrams": "2",
            "vector_dim": "50",
            "min_count": "2",
            "buckets": "200000",
            "early_stopping": "True",
            "min_epochs": "5",
            "patience": "4",
        }
    ),
    scoring="training_code.candidates.blazingtext",
)


def training_request(
    algorithm: BuiltInAlgorithm,
    *,
    job_name: str,
    image: str,
    role: str,
    views: Mapping[str, str],
    output: str,
    key: str,
    timeout_seconds: int,
) -> State:
    """The CreateTrainingJob request; `views` gives the S3 address of each channel's folder.

    Without MetricDefinitions: AWS's algorithms publish their own (here `train:accuracy` and `validation:accuracy`) and
    a request that states some is refused.
    """
    return {
        "TrainingJobName": job_name,
        "RoleArn": role,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "HyperParameters": dict(sorted(algorithm.hyperparameters.items())),
        "InputDataConfig": [
            {
                "ChannelName": name,
                "ContentType": channel.content_type,
                "CompressionType": "None",
                "InputMode": "File",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": views[name],
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
            for name, channel in algorithm.channels.items()
        ],
        "OutputDataConfig": {"S3OutputPath": output, "KmsKeyId": key},
        "ResourceConfig": {
            "InstanceType": algorithm.instance_type,
            "InstanceCount": 1,
            "VolumeSizeInGB": algorithm.volume_gib,
            **({} if has_own_disks(algorithm.instance_type) else {"VolumeKmsKeyId": key}),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": timeout_seconds},
        # The program is AWS's and needs nothing but its channels.
        "EnableNetworkIsolation": True,
        **({"Environment": dict(algorithm.environment)} if algorithm.environment else {}),
    }


def has_own_disks(instance_type: str) -> bool:
    """Whether SageMaker refuses a key for the volume: such instances encrypt their own disks by hardware."""
    family = instance_type.split(".")[1]
    return family.startswith(("g", "p4", "p5", "trn")) or family.endswith(("d", "dn"))


def views_of(algorithm: BuiltInAlgorithm, *, lake: str) -> dict[str, str]:
    """The address of each channel in a run, as JSONata; `lake` is `s3://bucket/`."""
    return {
        name: f"{{% '{lake}curated/features/' & $run & '/views/{channel.view}/' %}}"
        for name, channel in algorithm.channels.items()
    }


def scoring_arguments(algorithm: BuiltInAlgorithm, *, exit_message: str) -> list[str]:
    """What the scoring job runs, after `training_states` has assigned what the training job ended with.

    Its inputs are called `model` (the variable `{name}Model`) and `features`, its output is the candidate's folder.
    """
    return [
        algorithm.scoring,
        "--model",
        f"{PROCESSING}/input/model",
        "--features",
        f"{PROCESSING}/input/features",
        "--output",
        f"{PROCESSING}/output",
        "--training-seconds",
        f"{{% $string(${algorithm.name}Seconds) %}}",
        "--training-instance",
        f"{{% ${algorithm.name}Instance %}}",
        *(f"--hyperparameter={name}={value}" for name, value in sorted(algorithm.hyperparameters.items())),
        "--message",
        exit_message,
    ]


def training_states(
    algorithm: BuiltInAlgorithm, *, request: State, retry: Sequence[State], catch: Sequence[State], scoring: State
) -> dict[str, State]:
    """Two states, `Train...` and `Score...`: the job as asked for, and the pipeline's own processing job after it.

    A training job's result is DescribeTrainingJob's answer, which tells what it took.
    """
    train, score = state_names(algorithm)
    timeout = request["StoppingCondition"]
    assert isinstance(timeout, dict)
    return {
        train: {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
            "Arguments": request,
            "TimeoutSeconds": timeout["MaxRuntimeInSeconds"] + 1800,
            "Retry": list(retry),
            "Catch": list(catch),
            "Assign": {
                f"{algorithm.name}Model": "{% $states.result.ModelArtifacts.S3ModelArtifacts %}",
                f"{algorithm.name}Seconds": (
                    "{% $exists($states.result.TrainingTimeInSeconds) ? $states.result.TrainingTimeInSeconds : 0 %}"
                ),
                f"{algorithm.name}Instance": "{% $states.result.ResourceConfig.InstanceType %}",
            },
            "Output": {},
            "Next": score,
        },
        score: scoring,
    }


def state_names(algorithm: BuiltInAlgorithm) -> tuple[str, str]:
    title = algorithm.name.title().replace("-", "")
    return f"Train{title}", f"Score{title}"
