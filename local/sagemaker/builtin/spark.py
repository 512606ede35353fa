"""`smspark-submit` of SageMaker's Spark container, here: the same command line, on this machine's cores.

    smspark-submit [--py-files ...] [--files ...] [--jars ...] SCRIPT ARGUMENTS

Turns it into pyspark's spark-submit with the master local[*], whatever the number of instances. Folders in the place
of lists of files are opened up as the container does it, and `spark-defaults` of the input `conf` is honoured but for
what belongs to a cluster. Event logs go to a local folder only. Knows nothing of jobs and S3.

https://github.com/aws/sagemaker-spark-container/blob/master/src/smspark/cli.py
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

CONFIGURATION = Path("processing", "input", "conf", "configuration.json")
# Sized for a cluster's nodes by whoever wrote them, or of a manager that is not here.
_OF_A_CLUSTER = ("spark.master", "spark.submit.", "spark.yarn.", "spark.executor.", "spark.dynamicAllocation.")


class SubmitError(Exception):
    """The command cannot be run; the message is one sentence."""


def command(argv: Sequence[str], *, opt_ml: Path, spark_home: Path) -> list[str]:
    """The spark-submit command for an smspark-submit command line; SubmitError for one that the container refuses."""
    given = _parse(argv)
    words = [str(spark_home / "bin" / "spark-submit"), "--master", "local[*]"]
    words += ["--conf", "spark.ui.enabled=false", "--conf", "spark.driver.bindAddress=127.0.0.1"]
    for name, value in _defaults(opt_ml / CONFIGURATION).items():
        words += ["--conf", f"{name}={value}"]
    if given.local_spark_event_logs_dir:
        folder = Path(given.local_spark_event_logs_dir)
        folder.mkdir(parents=True, exist_ok=True)
        words += ["--conf", "spark.eventLog.enabled=true", "--conf", f"spark.eventLog.dir={folder.absolute().as_uri()}"]
    for option in ("jars", "py_files", "files"):
        if getattr(given, option):
            words += [f"--{option.replace('_', '-')}", _files(getattr(given, option))]
    if given.class_:
        words += ["--class", given.class_]
    if given.verbose:
        words.append("--verbose")
    return [*words, given.app, *given.arguments]


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="smspark-submit", allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--class", dest="class_")
    for option in ("--jars", "--py-files", "--files", "--spark-event-logs-s3-uri", "--local-spark-event-logs-dir"):
        parser.add_argument(option)
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("app")
    # All that follows the program is its own, options too.
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    try:
        given = parser.parse_args(argv)
    except argparse.ArgumentError as error:
        raise SubmitError(f"smspark-submit: {error}") from error
    except SystemExit as error:  # Python 3.11 exits for some of what it was told to raise.
        raise SubmitError(f"smspark-submit does not take {' '.join(argv)!r}.") from error
    return given


def _files(text: str) -> str:
    found: list[str] = []
    for part in text.split(","):
        path = Path(part)
        if not path.is_absolute() or not path.exists():
            raise SubmitError(f"smspark-submit: {part!r} must be the absolute path of a file or folder that is there.")
        inside = sorted(str(file) for file in path.iterdir() if file.is_file()) if path.is_dir() else [str(path)]
        if not inside:
            raise SubmitError(f"smspark-submit: the folder {part!r} has no files.")
        found += inside
    return ",".join(found)


def _defaults(file: Path) -> Mapping[str, str]:
    if not file.is_file():
        return {}
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
        parts = read if isinstance(read, list) else [read]
        properties = [part["Properties"] for part in parts if part["Classification"] == "spark-defaults"]
    except (ValueError, KeyError, TypeError) as error:
        raise SubmitError(f"{file.name} is no list of Classification and Properties.") from error
    return {
        name: str(value) for each in properties for name, value in each.items() if not name.startswith(_OF_A_CLUSTER)
    }


def _spark_home() -> Path:
    found = importlib.util.find_spec("pyspark")
    if found is None or found.origin is None:
        raise SubmitError(f"pyspark is not installed for {sys.executable}.")
    return Path(found.origin).parent


def _check_java(environment: Mapping[str, str]) -> None:
    home = environment.get("JAVA_HOME")
    path = str(Path(home, "bin")) if home else environment.get("PATH", os.defpath)
    if shutil.which("java", path=path) is None:
        raise SubmitError("Spark needs Java 17, and there is no java on the PATH nor in JAVA_HOME.")


def main(argv: list[str]) -> int:
    opt_ml, *words = argv
    environment = {name: value for name, value in os.environ.items() if name != "SPARK_CONF_DIR"}
    try:
        _check_java(environment)
        home = _spark_home()
        line = command(words, opt_ml=Path(opt_ml), spark_home=home)
    except SubmitError as error:
        message = Path(opt_ml, "output", "message")
        message.parent.mkdir(parents=True, exist_ok=True)
        message.write_text(str(error), encoding="utf-8")
        print(error, file=sys.stderr, flush=True)
        return 1
    environment |= {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": tempfile.gettempdir(),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
    return subprocess.run(line, env=environment, check=False).returncode
