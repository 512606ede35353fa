"""Child processes that end with their parent, also when the parent is killed with -9.

The parent keeps the write end of a pipe open for as long as it lives; the child reads the other end and takes its
whole process group down at end of file. Works the same on Linux and macOS, and from any thread. Knows nothing of
what the children do.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

FD_VARIABLE = "EARSHOT_LIFELINE_FD"

_read_end, _write_end = os.pipe()
os.set_inheritable(_write_end, False)


def spawn(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: IO[bytes], watched: bool = False
) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own that dies with this process.

    ``watched`` says that the child calls :func:`watch` itself; any other program is run under this module's own
    small supervisor. Output and errors go to ``log``.
    """
    # -I: the supervisor must not see the child's PYTHONPATH.
    command = list(argv) if watched else [sys.executable, "-I", str(Path(__file__).resolve()), *argv]
    return subprocess.Popen(
        command,
        env={**env, FD_VARIABLE: str(_read_end)},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        pass_fds=(_read_end,),
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes], grace_seconds: float = 5.0) -> None:
    """Ask the child's whole process group to stop, then make it; returns when the child is gone."""
    _signal_group(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(grace_seconds)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(group: int, which: signal.Signals) -> None:
    try:
        os.killpg(group, which)
    except (ProcessLookupError, PermissionError):  # macOS: not permitted where only the dead are left in the group
        return


def watch() -> None:
    """In a child: from now on, end this process group as soon as the parent is gone."""
    descriptor = int(os.environ[FD_VARIABLE])

    def wait_for_parent() -> None:
        os.read(descriptor, 1)
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=wait_for_parent, name="lifeline", daemon=True).start()


def _supervise(argv: Sequence[str]) -> int:
    watch()
    # The whole group gets the signal, the child too: here it is only outlived, so that the child's end is reported.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        child = subprocess.Popen(argv)
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        return 127 if isinstance(error, FileNotFoundError) else 126
    code = child.wait()
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(_supervise(sys.argv[1:]))
