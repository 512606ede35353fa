"""What the local AWS says about itself at ``/_earshot/status``. Reads processes, changes nothing."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

import psutil

from local.options import Options
from local.preflight import MINISTACK_VERSION

VERSION = "0.1.0"


class Process(TypedDict):
    """One process of the tree; resident memory counts shared pages in each process anew."""

    pid: int
    what: str
    rss_bytes: int


def describe(
    options: Options, *, named: Iterable[tuple[int, str]], inert: list[str], endpoints: list[dict[str, Any]]
) -> dict[str, Any]:
    """The status document. ``named`` says what the known child processes are."""
    processes = _processes(dict(named))
    return {
        "version": VERSION,
        "ministack": MINISTACK_VERSION,
        "pid": os.getpid(),
        "port": options.port,
        "data_dir": str(options.data_dir),
        "processes": processes,
        "rss_bytes": sum(process["rss_bytes"] for process in processes),
        "inert": inert,
        "endpoints": endpoints,
    }


def _processes(names: Mapping[int, str]) -> list[Process]:
    tree = [psutil.Process(), *psutil.Process().children(recursive=True)]
    known = {os.getpid(): "local AWS", **names}
    found: list[Process] = []
    for process in tree:
        try:
            with process.oneshot():
                what = known.get(process.pid) or known.get(process.ppid()) or " ".join(process.cmdline()[:3])
                found.append(Process(pid=process.pid, what=what, rss_bytes=process.memory_info().rss))
        except psutil.NoSuchProcess:
            continue
    return found
