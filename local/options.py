"""The command line of the local AWS as typed values. Starts nothing and checks nothing."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 4566
REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Options:
    """What one run of the local AWS was asked to be."""

    port: int
    data_dir: Path
    serving_python: Path
    training_python: Path
    spark_python: Path | None = None
    jobs_at_once: int = 1
    log_level: str = "WARNING"
    iam: bool = False

    @property
    def endpoint_url(self) -> str:
        """The one address of every service."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def announcement(self) -> Path:
        """The file that tells other programs where this run listens; there only while it is ready."""
        return self.data_dir / "local.json"


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line; argparse ends the process with code 2 on a wrong one."""
    parser = argparse.ArgumentParser(
        prog="python -m local", description="The local AWS: ministack and a local SageMaker in one process."
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port on 127.0.0.1 (default %(default)s)")
    parser.add_argument("--data-dir", type=Path, default=Path(".earshot/local"), help="where state is kept")
    parser.add_argument("--serving-python", type=Path, help="interpreter that stands for AWS's serving images")
    parser.add_argument("--training-python", type=Path, help="interpreter that stands for AWS's training images")
    parser.add_argument("--spark-python", type=Path, help="interpreter that stands for AWS's Spark image")
    parser.add_argument(
        "--jobs",
        type=_at_least_one,
        default=os.environ.get("EARSHOT_JOBS", "1"),
        metavar="N",
        help="SageMaker jobs whose programs run at the same time; others wait (default 1, unless EARSHOT_JOBS=N)",
    )
    parser.add_argument("--log-level", default="WARNING", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
    parser.add_argument(
        "--iam",
        action=argparse.BooleanOptionalAction,
        default=os.environ.get("EARSHOT_IAM", "off") == "on",
        help="deny roles what their policies do not allow (default off, unless EARSHOT_IAM=on)",
    )
    given = parser.parse_args(arguments)
    return Options(
        port=given.port,
        data_dir=given.data_dir.absolute(),
        serving_python=_interpreter(given.serving_python, "serving"),
        training_python=_interpreter(given.training_python, "training"),
        spark_python=_spark_interpreter(given.spark_python),
        jobs_at_once=given.jobs,
        log_level=given.log_level,
        iam=given.iam,
    )


def _at_least_one(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def _spark_interpreter(given: Path | None) -> Path | None:
    """As for the others, but an interpreter without pyspark would be of no use."""
    path = (given or REPOSITORY / ".venv-spark" / "bin" / "python").absolute()
    return path if given or path.exists() else None


def _interpreter(given: Path | None, purpose: str) -> Path:
    """The interpreter asked for, else the environment that `make` sets up beside the sources, else this one.

    Symbolic links stay as they are: resolving one would leave the virtual environment.
    """
    if given is not None:
        return given.absolute()
    prepared = REPOSITORY / f".venv-{purpose}" / "bin" / "python"
    return prepared if prepared.exists() else Path(sys.executable)
