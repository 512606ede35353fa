"""The pinned CDK command line: bootstrap, synthesise, deploy, destroy.

Responsible for its environment and its arguments, for the file that keeps all it said, and for telling the caller what
it does at the moment. It does not know what the stacks hold.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from cli.connection import AwsConnection
from cli.errors import NotReady, Problem
from cli.project import LOCAL, LOCAL_ACCOUNT, LOCAL_REGION, Project

BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION_NEEDED = 6
# Everything that a template can depend on.
SYNTH_INPUTS = (
    "app.py",
    "cdk.json",
    "requirements.txt",
    "package-lock.json",
    "stacks",
    "feedback",
    "lambdas",
    ".build",
)
NOT_INPUTS = ("__pycache__", "node-compile-cache")
FINGERPRINT = ".fingerprint"
TAIL_LINES = 25

Note = Callable[[str], None]
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def environment(connection: AwsConnection) -> dict[str, str]:
    """The variables that the CDK command line and the app run with."""
    project = Project.from_env()
    found = dict(os.environ)
    found |= {
        "CDK_VALIDATION": "false",
        "CI": "true",  # progress on stdout, no questions
        "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "JSII_RUNTIME_PACKAGE_CACHE": "enabled",
        "NODE_COMPILE_CACHE": str(project.build / "node-compile-cache"),
        "NO_COLOR": "1",
    }
    if connection.stage != LOCAL:
        return found
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
        found.pop(name, None)
    found |= {
        "AWS_ENDPOINT_URL": project.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": LOCAL_REGION,
        "AWS_DEFAULT_REGION": LOCAL_REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DEFAULT_ACCOUNT": LOCAL_ACCOUNT,
        "CDK_DEFAULT_REGION": LOCAL_REGION,
        "NO_PROXY": ",".join(filter(None, ("127.0.0.1", "localhost", os.environ.get("NO_PROXY", "")))),
    }
    found["no_proxy"] = found["NO_PROXY"]
    return found


def account(connection: AwsConnection) -> str:
    """The account that the stage's credentials belong to."""
    if connection.stage == LOCAL:
        return LOCAL_ACCOUNT
    return str(connection.client("sts").get_caller_identity()["Account"])


def bootstrap_version(connection: AwsConnection) -> int | None:
    """Version of the CDK's bootstrap stack in the account and region; None when it was never bootstrapped."""
    client = connection.client("ssm")
    try:
        return int(client.get_parameter(Name=BOOTSTRAP_PARAMETER)["Parameter"]["Value"])
    except client.exceptions.ParameterNotFound:
        return None


def bootstrap(connection: AwsConnection, note: Note) -> None:
    """Bootstraps the account and region."""
    project = Project.from_env()
    target = f"aws://{account(connection)}/{connection.region}"
    # Run in a folder without cdk.json: bootstrapping needs no app.
    run(connection, ["bootstrap", target], note=note, log="cdk-bootstrap.log", folder=project.home)


def synthesise(connection: AwsConnection, note: Note) -> bool:
    """Writes the templates of all stages unless nothing changed since; returns whether it had to."""
    project = Project.from_env()
    folder = project.assembly(connection.stage)
    marker = folder / FINGERPRINT
    wanted = fingerprint(project.root, connection)
    if marker.exists() and marker.read_text() == wanted:
        return False
    marker.unlink(missing_ok=True)
    arguments = ["synth", "--quiet", "--app", f"{project.python('.venv')} app.py", "--output", str(folder)]
    run(connection, arguments, note=note, log="cdk-synth.log")
    marker.write_text(wanted)
    return True


def deploy(connection: AwsConnection, note: Note) -> list[str]:
    """Deploys every stack of the stage from the synthesised folder; returns what the CDK says about each stack."""
    project = Project.from_env()
    arguments = ["deploy", f"{connection.stage}/*", "--app", str(project.assembly(connection.stage))]
    arguments += ["--require-approval", "never", "--progress", "events", "--concurrency", "4"]
    lines = run(connection, arguments, note=note, log="cdk-deploy.log")
    connection.forget_outputs()
    return [line.replace("✅", "").strip() for line in lines if "✅" in line]


def destroy(connection: AwsConnection, note: Note) -> None:
    """Destroys every stack of the stage; what is retained stays."""
    project = Project.from_env()
    arguments = ["destroy", f"{connection.stage}/*", "--app", str(project.assembly(connection.stage)), "--force"]
    run(connection, arguments, note=note, log="cdk-destroy.log")
    connection.forget_outputs()


def run(
    connection: AwsConnection, arguments: list[str], *, note: Note, log: str, folder: Path | None = None
) -> list[str]:
    """Runs `cdk`; every line goes to the log file and to `note`. A Problem carries the last lines."""
    project = Project.from_env()
    project.logs.mkdir(parents=True, exist_ok=True)
    log_path = project.logs / log
    common = ["--no-color", "--no-notices"] + (["--no-version-reporting"] if arguments[0] == "synth" else [])
    lines: list[str] = []
    with log_path.open("w", encoding="utf-8", buffering=1) as file:
        try:
            process = subprocess.Popen(
                [str(project.cdk), *arguments, *common],
                cwd=folder or project.root,
                env=environment(connection),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except FileNotFoundError:
            raise NotReady("Node is missing: install Node 20 or newer.") from None
        with process:
            assert process.stdout is not None
            for raw in process.stdout:
                line = _COLOURS.sub("", raw).rstrip()
                file.write(f"{line}\n")
                if line:
                    lines.append(line)
                    note(line.strip())
    if process.returncode != 0:
        raise Problem(
            f"`cdk {arguments[0]}` failed (everything it said is in {log_path}).", details=tuple(lines[-TAIL_LINES:])
        )
    return lines


def fingerprint(root: Path, connection: AwsConnection) -> str:
    """Hash of all that the templates are made from."""
    content = hashlib.sha256()
    content.update(f"{connection.stage} {account(connection)} {connection.region}".encode())
    for path in _files(root, SYNTH_INPUTS):
        content.update(str(path.relative_to(root)).encode())
        with path.open("rb") as file:
            content.update(hashlib.file_digest(file, "sha256").digest())
    return content.hexdigest()


def _files(root: Path, names: Iterable[str]) -> list[Path]:
    found: list[Path] = []
    for name in names:
        path = root / name
        if path.is_file():
            found.append(path)
        elif path.is_dir():
            found.extend(
                inner
                for inner in path.rglob("*")
                if inner.is_file() and not any(part in NOT_INPUTS for part in inner.relative_to(root).parts)
            )
    return sorted(found)
