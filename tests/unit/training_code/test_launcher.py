"""How a training job becomes several processes: by what SageMaker says of its GPUs and machines."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.training_code.model_kit import run_training_python

SCRIPT = """
import json, sys
from training_code.distributed import launcher
from training_code.failures import JobError

for processes, environment in json.loads(sys.argv[1]):
    try:
        command = launcher(processes, environment)
        print(json.dumps(None if command is None else command[3:]))
    except JobError as error:
        print(json.dumps(str(error)))
"""


def launched(*cases: tuple[int, dict[str, str]]) -> list[Any]:
    done = run_training_python("-c", SCRIPT, json.dumps(cases))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_torchrun_starts_a_process_for_each_gpu_of_every_machine() -> None:
    two = {"SM_HOSTS": '["algo-1", "algo-2"]', "SM_CURRENT_HOST": "algo-2", "SM_NUM_GPUS": "4"}
    alone, gpus, machines, asked, started, unknown = launched(
        (0, {"SM_NUM_GPUS": "0", "SM_HOSTS": '["algo-1"]', "SM_CURRENT_HOST": "algo-1"}),
        (0, {"SM_NUM_GPUS": "4"}),
        (0, two),
        (2, {}),
        (0, two | {"WORLD_SIZE": "8"}),
        (0, {"SM_HOSTS": '["algo-1", "algo-2"]', "SM_CURRENT_HOST": "algo-3"}),
    )
    assert alone is None
    assert gpus == ["--nnodes", "1", "--nproc-per-node", "4", "--standalone"]
    rendezvous = ["--node-rank", "1", "--master-addr", "algo-1", "--master-port", "29400"]
    assert machines == ["--nnodes", "2", "--nproc-per-node", "4", *rendezvous]
    assert asked == ["--nnodes", "1", "--nproc-per-node", "2", "--standalone"]
    assert started is None, "torchrun started this one already"
    assert unknown == "SM_HOSTS, the machines of this job, cannot be read: algo-3 is none of them."
