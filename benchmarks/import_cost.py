"""What intake costs to import, beside a function with the usual libraries.

    .venv/bin/python -m benchmarks.import_cost [--runs 15] [--reference PYTHON] [--json]

Each side is imported in fresh interpreters, taking turns; the least of the runs counts, in milliseconds of processor
time after the start of the interpreter. Both have their bytecode compiled. The reference is Powertools (Logger,
Metrics, Tracer), pydantic with one model, and three boto3 clients made at import; it is installed into a virtual
environment of its own that is thrown away, unless --reference names the Python of one that is there.

Intake makes its clients, compiles its patterns and its schema with the first feedback. That is not hidden: the last row
is the import with all of it. Goal: import at least 8 times below the reference.
"""

import compileall
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path

import boto3

from benchmarks.report import arguments, finish, show

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("feedback", "lambdas", "model_artifact")
GOAL = 8.0

REFERENCE_REQUIREMENTS = (
    "aws-lambda-powertools[tracer]==3.37.0",
    "pydantic==2.14.3",
    f"boto3=={boto3.__version__}",
)
REFERENCE = """
import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from pydantic import BaseModel

class Feedback(BaseModel):
    channel: str
    text: str

logger, metrics = Logger(service="intake"), Metrics(namespace="Earshot", service="intake")
tracer = Tracer(service="intake")
dynamodb, sqs, runtime = boto3.client("dynamodb"), boto3.client("sqs"), boto3.client("sagemaker-runtime")
"""
INTAKE = "import lambdas.intake.handler"
FIRST_FEEDBACK = """
from lambdas.intake.handler import client, read_feedback
from feedback.language import detect
from feedback.redaction import redact

document = read_feedback({"channel": "web", "text": "Too tight"})
redact(document["text"])
detect(document["text"])
for service in ("dynamodb", "sqs", "sagemaker-runtime"):
    client(service)
"""
# Without `site`, so that nothing that a .pth file imports is there already, on either side.
TIMED = """
import sys
sys.path[:0] = {paths!r}
import time
began = time.process_time()
exec(compile({code!r}, "measured", "exec"))
print((time.process_time() - began) * 1000)
"""


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--reference", type=Path, help="the Python of an environment with the reference's libraries")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="import-cost-") as folder:
        reference = options.reference or _install_reference(Path(folder) / "venv")
        bundle = _bundle(Path(folder) / "bundle")
        ours = [str(bundle), _site_packages(Path(sys.executable))]
        theirs = [_site_packages(reference)]
        sides = {
            "reference": (reference, theirs, REFERENCE),
            "intake": (Path(sys.executable), ours, INTAKE),
            "intake with all that the first feedback needs": (Path(sys.executable), ours, FIRST_FEEDBACK),
        }
        least = dict.fromkeys(sides, float("inf"))
        for _ in range(options.runs):
            for name, (python, paths, code) in sides.items():
                least[name] = min(least[name], _milliseconds(python, paths, code))
    baseline = least["reference"]
    show(
        f"Import, net of the interpreter, least of {options.runs}",
        [{"side": name, "ms": value, "times below": baseline / value} for name, value in least.items()],
        note=f"goal: intake at least {GOAL:.0f} times below the reference",
    )
    finish(options.json, {"milliseconds": least, "ratio": baseline / least["intake"], "goal": GOAL})


def _install_reference(folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *REFERENCE_REQUIREMENTS], check=True)
    return python


def _bundle(folder: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    if not compileall.compile_dir(folder, quiet=1):
        raise SystemExit("The functions do not compile.")
    return folder


def _site_packages(python: Path) -> str:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return subprocess.run([python, "-I", "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def _milliseconds(python: Path, paths: list[str], code: str) -> float:
    run = subprocess.run(
        [python, "-I", "-S", "-c", TIMED.format(paths=paths, code=code)],
        check=True,
        capture_output=True,
        text=True,
        env=_environment(os.environ),
    )
    return float(run.stdout.split()[-1])


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """Without credentials of anybody, and with a region, which clients need."""
    return {
        "PATH": own.get("PATH", ""),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }


if __name__ == "__main__":
    main()
