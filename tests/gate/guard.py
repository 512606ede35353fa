"""AWS's Control Tower rules by cfn-guard: binary and rules travel in the Python package of the CDK's plugin.

The binary is called directly, since the plugin wants a synthesis of its own and drops which template was meant.
"""

import json
import platform
import re
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.gate.findings import Finding, Place

RULES = "package/rules/control-tower/cfn-guard"
_CONTROL = re.compile(r"\[(CT\.[A-Z0-9.]+)\]")


def unpack(folder: Path) -> tuple[Path, Path]:
    """The binary for this machine and the folder of rules."""
    system = {"Linux": "ubuntu", "Darwin": "macos"}[platform.system()]
    machine = "aarch64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    binary = f"package/bin/{system}/{machine}/cfn-guard"
    package = find_spec("cdklabs.cdk_validator_cfnguard")  # not imported: it would talk to jsii beside cdk-nag's thread
    if package is None or package.origin is None:
        raise ModuleNotFoundError("cdklabs.cdk_validator_cfnguard is missing: run `make setup`")
    (archive,) = (Path(package.origin).parent / "_jsii").glob("*.tgz")
    with tarfile.open(archive) as content:
        wanted = [member for member in content if member.name == binary or member.name.startswith(f"{RULES}/")]
        content.extractall(folder, members=wanted, filter="data")
    (folder / binary).chmod(0o700)
    return folder / binary, folder / RULES


def findings(paths: Sequence[Path], folder: Path) -> Iterator[Finding]:
    """What the Control Tower rules find, by the name of the control."""
    binary, rules = unpack(folder)
    command = [str(binary), "validate", "--structured", "--output-format", "json", "--show-summary", "none"]
    command += ["--rules", str(rules)]
    for path in paths:
        command += ["--data", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode not in (0, 19):  # 19: something was found
        raise RuntimeError(f"cfn-guard ended with {run.returncode}: {run.stderr[-2000:]}")
    for report in json.loads(run.stdout):
        for entry in report["not_compliant"]:
            rule = entry["Rule"]
            (control,) = set(_CONTROL.findall(json.dumps(rule))) or {rule["name"]}
            for logical_id in sorted(set(_resources(rule))):
                yield Place(Path(report["name"])).finding(logical_id, control, rule["name"])


def _resources(report: Any) -> Iterator[str]:
    """The logical ids in a report, whose form differs from rule to rule."""
    if isinstance(report, dict):
        path = report.get("path")
        if isinstance(path, str) and path.startswith("/Resources/"):
            yield path.split("/")[2]
        for value in report.values():
            yield from _resources(value)
    elif isinstance(report, list):
        for value in report:
            yield from _resources(value)
