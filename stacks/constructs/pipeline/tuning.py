"""The request of the tuning job: what is searched, by which strategy, and for how long.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html
"""

import json

from stacks.constructs.pipeline.addresses import PipelineAddresses, PipelineDefaults
from stacks.constructs.pipeline.jobs import longest_training_seconds, train_script
from stacks.constructs.pipeline.states import State

CONTINUOUS = (
    ("learning-rate", "2e-5", "3e-4", "Logarithmic"),
    ("warmup-share", "0.0", "0.2", "Linear"),
    ("label-smoothing", "0.0", "0.15", "Linear"),
)
CATEGORICAL = (("class-weights", ("none", "balanced")),)
SEARCHED = tuple(name for name, *_ in (*CONTINUOUS, *CATEGORICAL))
OBJECTIVE = "validation:macro_f1"


def request(to: PipelineAddresses, defaults: PipelineDefaults) -> State:
    """CreateHyperParameterTuningJob: the run's own hyperparameters but for those that are searched."""
    return {
        # At most 32 characters, and nothing else of this kind in a run.
        "HyperParameterTuningJobName": f"{{% '{to.job_prefix}-' & $run %}}",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": OBJECTIVE},
            "ResourceLimits": {
                "MaxNumberOfTrainingJobs": defaults.tuning_jobs,
                "MaxParallelTrainingJobs": defaults.tuning_parallel,
            },
            "ParameterRanges": {
                "ContinuousParameterRanges": [
                    {"Name": name, "MinValue": lowest, "MaxValue": highest, "ScalingType": scale}
                    for name, lowest, highest, scale in CONTINUOUS
                ],
                "CategoricalParameterRanges": [{"Name": name, "Values": list(values)} for name, values in CATEGORICAL],
            },
            "TrainingJobEarlyStoppingType": "Auto",
            "RandomSeed": defaults.seed,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": (
                "{% $sift($hyperparameters, function($value, $name) { "
                f"$not($name in {json.dumps(list(SEARCHED))}) }}) %}}"
            ),
            **train_script(to, defaults, name="tuned"),
        },
    }


def longest_seconds(defaults: PipelineDefaults) -> int:
    """Its training jobs, as many at once as are allowed."""
    rounds = -(-defaults.tuning_jobs // defaults.tuning_parallel)
    return rounds * longest_training_seconds(defaults)
