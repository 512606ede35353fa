"""Runs a classifier's graph with OpenVINO on the CPU: padded token ids to logits.

The graph is OpenVINO's own (`model.xml` and `model.bin`, in int8 where a trained model allows it) or `model.onnx`.
Knows nothing of batches, texts or labels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training_code.containers.classify.silent_openvino import openvino
from training_code.containers.cores import available_cores
from training_code.containers.micro_batches import Forward, Logits
from training_code.containers.ragged import Ids

GRAPHS = ("model.xml", "model.onnx")
INPUTS = {"input_ids", "attention_mask"}
OUTPUT = "logits"


def find_graph(model_dir: Path) -> Path:
    """RuntimeError when there is none, or its weights are missing."""
    for name in GRAPHS:
        path = model_dir / name
        if path.is_file():
            if path.suffix == ".xml" and not path.with_suffix(".bin").is_file():
                raise RuntimeError(f"The model artifact has no {path.with_suffix('.bin').name}.")
            return path
    raise RuntimeError(f"The model artifact has neither {' nor '.join(GRAPHS)}.")


def load_forward(graph: Path) -> Forward:
    """One stream whose threads are the container's cores; RuntimeError where the graph is not such a classifier."""
    core = openvino.Core()
    try:
        model = core.read_model(graph)
        compiled = core.compile_model(
            model,
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                "NUM_STREAMS": 1,
                "INFERENCE_NUM_THREADS": available_cores(),
                # The cores are shared with the other containers of the chain.
                "ENABLE_CPU_PINNING": False,
                # Else the runtime takes half precision where the processor has it, and answers differ by machine.
                "INFERENCE_PRECISION_HINT": "f32",
            },
        )
    except RuntimeError as error:
        raise RuntimeError(f"{graph.name} in the model artifact cannot be read as a graph.") from error
    if {name for port in compiled.inputs for name in port.get_names()} != INPUTS:
        raise RuntimeError(f"{graph.name} does not take {' and '.join(sorted(INPUTS))}.")
    if {name for port in compiled.outputs for name in port.get_names()} != {OUTPUT}:
        raise RuntimeError(f"{graph.name} does not give {OUTPUT}.")
    request = compiled.create_infer_request()

    def forward(input_ids: Ids, attention_mask: Ids) -> Logits:
        found = request.infer(
            {"input_ids": input_ids, "attention_mask": attention_mask}, share_inputs=True, share_outputs=True
        )
        # A copy: the next batch writes over the tensor.
        return np.array(found[OUTPUT], dtype=np.float32)

    return forward
