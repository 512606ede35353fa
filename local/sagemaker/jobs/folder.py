"""The folder that stands for a job's container: its ``/opt/ml``, its interpreter on the PATH, its log.

Knows paths and environment variables of every job alike; nothing of training or processing.
"""

import os
import re
import shlex
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from local.sagemaker.context import Context

# /opt/ml as a path of its own: not /opt/mlflow, and not inside s3://bucket/opt/ml.
OPT_ML = re.compile(r"(?<![\w.-])/opt/ml(?![\w-])")
# The local AWS's own Python and its user's AWS account are not the job's. Nor is how the local AWS gives memory back,
# which would have every tensor of a training job fetched from the kernel anew.
NOT_INHERITED = re.compile(
    r"PYTHON(PATH|HOME|STARTUP|EXECUTABLE)|VIRTUAL_ENV|__PYVENV_LAUNCHER__|AWS_.*|SM_.*|SAGEMAKER_.*|MALLOC_.*"
)


class JobFolder:
    """``root`` holds ``opt/ml``, ``bin``, ``tmp`` and ``log.txt``; made anew for every job.

    ``python`` is the training interpreter unless given.
    """

    def __init__(self, context: Context, kind: str, name: str, *, python: Path | None = None) -> None:
        self.root = context.home.absolute() / "jobs" / kind / name
        self.opt_ml = self.root / "opt" / "ml"
        self.log = self.root / "log.txt"
        self._bin = self.root / "bin"
        self._tmp = self.root / "tmp"
        self._context = context
        self._python = (python or context.training_python).absolute()

    def make(self, *folders: str) -> None:
        """Make an empty folder with these folders below its ``/opt/ml``."""
        shutil.rmtree(self.root, ignore_errors=True)
        for folder in (*(self.opt_ml / name for name in folders), self._bin, self._tmp):
            folder.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        # Scripts and not links: an interpreter that is started through a link no longer finds its environment.
        for name in ("python", "python3"):
            self.add_command(name, [str(self._python)])

    def add_command(self, name: str, words: Sequence[str]) -> None:
        """Put a command on the job's PATH: these words, and what it is given."""
        launcher = self._bin / name
        launcher.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        launcher.chmod(0o755)

    def clear(self) -> None:
        """Give the disk back, all but the log."""
        for path in (self.opt_ml, self._bin, self._tmp):
            shutil.rmtree(path, ignore_errors=True)

    def localised(self, text: str) -> str:
        """Text with every ``/opt/ml`` in it turned into this folder's."""
        return OPT_ML.sub(lambda _: str(self.opt_ml), text)

    def place(self, container_path: str) -> Path:
        """Where a path of the container lies here; ValueError for a path outside its ``/opt/ml``."""
        parts = Path(os.path.normpath(container_path)).parts
        if parts[:3] != ("/", "opt", "ml"):
            raise ValueError(f"{container_path!r} is not below /opt/ml")
        return self.opt_ml.joinpath(*parts[3:])

    def python(self) -> str:
        """The interpreter that stands for the image's."""
        return str(self._python)

    def environment(self, more: Iterable[tuple[str, str]], *, role_arn: str) -> dict[str, str]:
        """A process's environment: the machine's, the way to the local AWS, and ``more`` with ``/opt/ml`` localised.

        The process works with the credentials of the job's role.
        """
        inherited = {name: value for name, value in os.environ.items() if not NOT_INHERITED.fullmatch(name)}
        inherited.setdefault("OMP_NUM_THREADS", str(os.cpu_count() or 1))
        return {
            **inherited,
            "PATH": os.pathsep.join([str(self._bin), str(self._python.parent), inherited.get("PATH", os.defpath)]),
            "TMPDIR": str(self._tmp),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_ENDPOINT_URL": self._context.endpoint_url,
            "AWS_REGION": self._context.region,
            "AWS_DEFAULT_REGION": self._context.region,
            **self._context.credentials(role_arn),
            "AWS_EC2_METADATA_DISABLED": "true",
            **{name: self.localised(value) for name, value in more},
        }
