"""What has to be true of the process before `aws_cdk` is imported: the right interpreter and a quick synth.

Knows the virtual environment's place and the variables that the CDK's Node process reads. Does not know the app.
"""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Together at least 2.5 times faster than the CDK's defaults, as `python -m benchmarks.synth` measures. Templates are
# validated once, by tests/infra, rather than at every synth; `CDK_VALIDATION=true cdk synth` validates here too.
QUICK_SYNTH = {
    "CDK_VALIDATION": "false",
    "JSII_RUNTIME_PACKAGE_CACHE": "enabled",
    "NODE_COMPILE_CACHE": str(ROOT / ".build" / "node-compile-cache"),
    # Node 20 is what `make` asks for at least; eleven lines on its age at every synth help nobody.
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
}


def prepare_process() -> None:
    """Move into the project's virtual environment when this interpreter has no CDK, then set what makes synth quick."""
    if importlib.util.find_spec("aws_cdk") is None:
        _restart_in(_virtual_environment_python())
    for name, value in QUICK_SYNTH.items():
        os.environ.setdefault(name, value)  # nosemgrep: environment-is-read-in-from-env


def _virtual_environment_python() -> Path:
    for relative in ("bin/python", "Scripts/python.exe"):
        python = ROOT / ".venv" / relative
        if python.is_file() and python.parent.parent != Path(sys.prefix):
            return python
    raise SystemExit(
        "aws-cdk-lib is not installed for this Python, and there is no .venv that has it: run `make setup`"
    )


def _restart_in(python: Path) -> None:
    os.execv(python, [str(python), *sys.argv])  # noqa: S606  the same program, in the environment that holds the CDK
