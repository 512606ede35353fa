"""Script mode as AWS's training toolkit defines it: hyperparameters to arguments, and the SM_ environment.

Follows sagemaker-training (https://github.com/aws/sagemaker-training-toolkit), whose scripts must find here what they
find in AWS's images. Knows no S3 and no processes.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLATFORM_PREFIX = "sagemaker_"
# What a tuning job adds to its training jobs' hyperparameters.
TUNING_METRIC = "_tuning_objective_metric"
HOST = "algo-1"


def decoded(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """Hyperparameters as the toolkit reads them: JSON where a value is JSON, else the text itself."""
    return {name: _decoded(value) for name, value in hyperparameters.items()}


def split(hyperparameters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The script's own hyperparameters, and the platform's."""
    own = {name: value for name, value in hyperparameters.items() if not _is_platforms(name)}
    platform = {name: value for name, value in hyperparameters.items() if _is_platforms(name)}
    return own, platform


def _is_platforms(name: str) -> bool:
    return name.startswith(PLATFORM_PREFIX) or name == TUNING_METRIC


def arguments(hyperparameters: Mapping[str, Any]) -> list[str]:
    """The script's command line: ``--name value`` in the order of the names, ``-n value`` for one letter."""
    found: list[str] = []
    for name in sorted(hyperparameters):
        value = hyperparameters[name]
        if isinstance(value, dict):
            value = ",".join(f"{key}={item}" for key, item in sorted(value.items()))
        found += [f"--{name}" if len(name) > 1 else f"-{name}", str(value)]
    return found


def command(python: str, program: str, args: list[str]) -> list[str]:
    """What the toolkit starts for a program, from inside the code folder."""
    if program.endswith(".sh"):
        return ["/bin/sh", program, *args]
    return [python, program, *args]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the SM_ variables speak of. ``opt_ml`` and ``code`` are folders, ``channels`` by name."""

    opt_ml: Path
    code: Path
    program: str
    job_name: str
    instance_type: str
    gpus: int
    channels: Mapping[str, Path]
    input_config: Mapping[str, Any]


def environment(around: Surroundings, own: Mapping[str, Any], platform: Mapping[str, Any]) -> dict[str, str]:
    """The toolkit's environment variables for one host."""
    opt_ml, args = around.opt_ml, arguments(own)
    module = Path(around.program).name.removesuffix(".py")
    resources = {"current_host": HOST, "hosts": [HOST], "network_interface_name": "lo"}
    directories = {
        "input_dir": opt_ml / "input",
        "input_config_dir": opt_ml / "input" / "config",
        "model_dir": opt_ml / "model",
        "module_dir": around.code,
        "output_dir": opt_ml / "output",
        "output_data_dir": opt_ml / "output" / "data",
        "output_intermediate_dir": opt_ml / "output" / "intermediate",
    }
    values: dict[str, Any] = {
        **{name: str(path) for name, path in directories.items()},
        "channels": sorted(around.channels),
        "current_host": HOST,
        "current_instance_type": around.instance_type,
        "framework_params": dict(platform),
        "hosts": [HOST],
        "hps": dict(own),
        "input_data_config": dict(around.input_config),
        "log_level": 20,
        "module_name": module,
        "network_interface_name": "lo",
        "num_cpus": os.cpu_count() or 1,
        "num_gpus": around.gpus,
        "resource_config": resources,
        "user_args": args,
        "user_entry_point": around.program,
    }
    training_env = {
        **{name: str(path) for name, path in directories.items()},
        "additional_framework_parameters": dict(platform),
        "channel_input_dirs": {name: str(path) for name, path in around.channels.items()},
        "current_host": HOST,
        "current_instance_type": around.instance_type,
        "hosts": [HOST],
        "hyperparameters": dict(own),
        "input_data_config": dict(around.input_config),
        "is_master": True,
        "job_name": around.job_name,
        "log_level": 20,
        "master_hostname": HOST,
        "module_name": module,
        "network_interface_name": "lo",
        "num_cpus": os.cpu_count() or 1,
        "num_gpus": around.gpus,
        "resource_config": resources,
        "user_entry_point": around.program,
    }
    return {
        **{f"SM_{name.upper()}": _encoded(value) for name, value in values.items()},
        **{f"SM_CHANNEL_{name.upper()}": str(path) for name, path in around.channels.items()},
        **{f"SM_HP_{name.upper()}": _encoded(value) for name, value in own.items()},
        "SM_TRAINING_ENV": _encoded(training_env),
        "TRAINING_JOB_NAME": around.job_name,
        "PYTHONPATH": str(around.code),
    }


def _decoded(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _encoded(value: Any) -> str:
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else str(value)
