"""Second container: token ids to logits, with ONNX Runtime on the CPU, in micro-batches of like length.

Knows nothing of texts, labels or calibration. Errors of single lines pass through untouched.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from training_code.containers.content_types import TENSORS, accepts_tensors
from training_code.containers.manifest import model_version
from training_code.containers.tensors import Expected, Message, pack, pack_text, unpack

MICRO_BATCH = 8
WARM_UP_SHAPES = ((1, 8), (1, 64), (MICRO_BATCH, 32))
EXPECTED = {"input_ids": Expected("I64"), "attention_mask": Expected("I64")}

Ids = npt.NDArray[np.int64]


def model_fn(model_dir: str) -> onnxruntime.InferenceSession:
    model_version(model_dir, container="classify")
    path = Path(model_dir) / "model.onnx"
    if not path.is_file():
        raise RuntimeError("The model artifact has no model.onnx.")
    session = open_session(path)
    if {node.name for node in session.get_inputs()} != set(EXPECTED):
        raise RuntimeError("model.onnx does not take input_ids and attention_mask.")
    for rows, columns in WARM_UP_SHAPES:
        ids = np.ones((rows, columns), dtype=np.int64)
        session.run(["logits"], {"input_ids": ids, "attention_mask": ids})
    return session


def open_session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _available_cores()
    options.inter_op_num_threads = 1
    # Spinning threads buy microseconds and cost a whole core each while nobody asks anything.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def input_fn(body: bytes | str, content_type: str) -> Message:
    return unpack(body, content_type, EXPECTED)


def predict_fn(data: Message, model: onnxruntime.InferenceSession) -> Message:
    input_ids, attention_mask = data.tensors["input_ids"], data.tensors["attention_mask"]
    lengths = attention_mask.sum(axis=1)
    order = np.argsort(lengths, kind="stable")
    logits = np.empty((len(lengths), 3), dtype=np.float32)
    for start in range(0, len(order), MICRO_BATCH):
        rows = order[start : start + MICRO_BATCH]
        width = int(lengths[rows[-1]])
        feed = {
            "input_ids": np.ascontiguousarray(input_ids[rows, :width]),
            "attention_mask": np.ascontiguousarray(attention_mask[rows, :width]),
        }
        (logits[rows],) = model.run(["logits"], feed)
    return Message(tensors={"logits": logits}, lines=data.lines)


def output_fn(prediction: Message, accept: str) -> tuple[bytes, str] | str:
    """The binary type where it is welcome, else the same message as JSON text.

    AWS's Hugging Face toolkit sends whatever this returns under the type that was accepted, JSON when none was, and
    takes no (body, type) pair; the next toolkit decodes text types before our code sees them. So binary must not
    travel under a text type:
    https://github.com/aws/sagemaker-huggingface-inference-toolkit/blob/main/src/sagemaker_huggingface_inference_toolkit/handler_service.py
    """
    if accepts_tensors(accept):
        return pack(prediction), TENSORS
    return pack_text(prediction)
