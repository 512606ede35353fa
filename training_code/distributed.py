"""Several processes that train one model: on the GPUs of a machine, on several machines, or on a CPU's cores.

A team takes every batch apart; PyTorch's DistributedDataParallel makes the gradients of all one. Who trains alone is a
team of one, and no process group is made. Knows nothing of what is trained.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from training_code.failures import JobError

PORT = 29_400
LONGEST_WAIT = timedelta(hours=1)
"""For a member that is slower: the first one writes checkpoints while the others wait."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Team:
    """This process's place in a team; the first one speaks, saves and exports."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def shared(self, model: Any) -> Any:
        """The model, with gradients that become the mean of all members' on their way back."""
        if self.size == 1:
            return model
        on = [self.local_rank] if next(model.parameters()).is_cuda else None
        # A classifier of another kind may carry weights that its head never asks.
        return DistributedDataParallel(model, device_ids=on, find_unused_parameters=True)

    def without_exchange(self, shared: Any) -> AbstractContextManager[None]:
        """For the parts of a batch before the last, whose gradients only add up."""
        exchange: AbstractContextManager[None] = contextlib.nullcontext() if self.size == 1 else shared.no_sync()
        return exchange

    def mean(self, *values: float) -> list[float]:
        """Of every member, the same for all of them."""
        means: list[float] = (self.sum(np.array(values, dtype=np.float64)) / self.size).tolist()
        return means

    def sum(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Of every member's array, the same for all of them."""
        if self.size == 1:
            return values
        tensor = torch.from_numpy(values)
        if torch.cuda.is_available():
            tensor = tensor.cuda(self.local_rank)
        distributed.all_reduce(tensor)
        total: npt.NDArray[Any] = tensor.cpu().numpy()
        return total

    def from_first(self, value: T) -> T:
        """The first member's value, for all."""
        if self.size == 1:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0)
        return box[0]


ALONE = Team()


def join(environment: Mapping[str, str]) -> Team:
    """The team that torchrun started this process in; ALONE where it did not. Only the first member speaks."""
    size = int(environment.get("WORLD_SIZE", "1"))
    if size == 1:
        return ALONE
    team = Team(rank=int(environment["RANK"]), size=size, local_rank=int(environment.get("LOCAL_RANK", "0")))
    if torch.cuda.is_available():
        torch.cuda.set_device(team.local_rank)
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=LONGEST_WAIT)
    if not team.is_first:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    return team


def leave(team: Team) -> None:
    if team.size > 1:
        distributed.destroy_process_group()


def launcher(processes: int, environment: Mapping[str, str]) -> list[str] | None:
    """The command that starts a script in `processes` on this machine (0: one for each GPU) and on all of the job's.

    None where that is one process, or where torchrun started this one already. The machines are SageMaker's SM_HOSTS.
    """
    if "WORLD_SIZE" in environment:
        return None
    processes = processes or max(1, int(environment.get("SM_NUM_GPUS") or 0))
    hosts, current = _hosts(environment)
    if processes * len(hosts) == 1:
        return None
    rendezvous = ["--standalone"]
    if len(hosts) > 1:
        rendezvous = ["--node-rank", str(hosts.index(current)), "--master-addr", hosts[0], "--master-port", str(PORT)]
    each = ["--nnodes", str(len(hosts)), "--nproc-per-node", str(processes)]
    return [sys.executable, "-m", "torch.distributed.run", *each, *rendezvous]


def _hosts(environment: Mapping[str, str]) -> tuple[Sequence[str], str]:
    try:
        hosts = json.loads(environment.get("SM_HOSTS") or '["localhost"]')
        current = environment.get("SM_CURRENT_HOST") or hosts[0]
        if current not in hosts:
            raise ValueError(f"{current} is none of them")
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise JobError(f"SM_HOSTS, the machines of this job, cannot be read: {error}.") from error
    return hosts, current
