"""Where training stands, in files: a run that was cut off goes on from there as if nothing had happened.

A checkpoint is a folder that is whole or not there: written aside, then renamed. Tensors are safetensors and everything
else JSON, so that reading one runs no code. It belongs to one configuration and its data, and no other takes it up.
Knows nothing of what is trained.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from training_code.progress import say

KEPT = 2
TENSORS, STATE = "tensors.safetensors", "state.json"
PREFIX, UNFINISHED = "step-", "unfinished-"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    state: dict[str, Any]
    tensors: dict[str, torch.Tensor]


@dataclass(kw_only=True)
class Checkpoints:
    """A folder of checkpoints of one `identity`; one is due every `steps`, or where that is 0 every `seconds`."""

    folder: Path
    identity: str
    steps: int = 0
    seconds: float = 300.0
    _last: float = field(init=False, default_factory=time.monotonic)

    def is_due(self, step: int) -> bool:
        return step % self.steps == 0 if self.steps else time.monotonic() - self._last >= self.seconds

    def save(self, step: int, checkpoint: Checkpoint) -> None:
        """Whole or not at all; only the last KEPT stay."""
        self._last = time.monotonic()
        # Those of a run that was killed while it wrote are as large as the finished ones.
        for left in self.folder.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)
        aside = self.folder / f"{UNFINISHED}{step:09d}"
        aside.mkdir(parents=True)
        # Copies, for tensors that share their memory are refused.
        tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in checkpoint.tensors.items()}
        safetensors.torch.save_file(tensors, aside / TENSORS)
        state = checkpoint.state | {"identity": self.identity, "digest": _digest(aside / TENSORS)}
        (aside / STATE).write_text(json.dumps(state), encoding="utf-8")
        for path in (aside / TENSORS, aside / STATE):
            with path.open("rb") as written:
                os.fsync(written.fileno())
        target = self.folder / f"{PREFIX}{step:09d}"
        shutil.rmtree(target, ignore_errors=True)
        aside.rename(target)
        for old in self._newest_first()[KEPT:]:
            shutil.rmtree(old, ignore_errors=True)

    def latest(self) -> Checkpoint | None:
        """The newest that is whole and of this identity; says so where there is one that is not."""
        for folder in self._newest_first():
            try:
                state = json.loads((folder / STATE).read_text(encoding="utf-8"))
                if state["identity"] != self.identity:
                    say(f"The checkpoint {folder.name} is of another configuration or other data, and is left alone.")
                    continue
                if state["digest"] != _digest(folder / TENSORS):
                    raise ValueError("its tensors are not those that were written")
                return Checkpoint(state=state, tensors=safetensors.torch.load_file(folder / TENSORS))
            except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
                say(f"The checkpoint {folder.name} cannot be read and is passed over: {type(error).__name__}.")
        return None

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob(f"{PREFIX}*"), reverse=True)


def identity_of(*parts: object) -> str:
    """A digest of all that must be equal for a checkpoint to be taken up."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
