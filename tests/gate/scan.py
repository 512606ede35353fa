"""checkov over the templates, offline. Its pins suit nobody else, so that it has an environment of its own."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from stacks.launch import ROOT
from tests.gate.findings import Finding, Place

PYTHON = ROOT / ".venv-gate" / "bin" / "python"
SCRIPT = Path(__file__).with_name("scan_with_checkov.py")


def findings(paths: Sequence[Path]) -> Iterator[Finding]:
    """What checkov finds in each template."""
    if not PYTHON.is_file():
        raise RuntimeError("checkov's environment is missing: run `make .venv-gate`")
    run = subprocess.run([PYTHON, SCRIPT, *paths], capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"checkov ended with {run.returncode}: {run.stderr[-2000:]}")
    report = json.loads(run.stdout)
    if not report["passed"]:
        raise RuntimeError("checkov looked at nothing")
    for failed in report["failed"]:
        logical_id = failed["resource"].rsplit(".", 1)[1]
        yield Place(Path(failed["template"])).finding(logical_id, failed["id"], failed["name"])
