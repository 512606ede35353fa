"""The templates of prod as they were released, and what `cdk diff` says of an upgrade from each.

    python -m tests.upgrades release 0.2.0

Knows the archive (`released/VERSION.json.gz`, templates by stack) and how the CDK's command line tells a difference.
Runs offline: the old template is a file, the new one the synthesised assembly.
"""

import gzip
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stacks.launch import ROOT
from tests.upgrades.stateful import stateful_types

FOLDER = Path(__file__).with_name("released")
STAGE = "prod"
CDK = ROOT / "node_modules" / ".bin" / "cdk"

# `[~] AWS::S3::Bucket DataLake/Lake/Lake/Bucket LakeBucketCECD5697 replace`; what is removed has no path.
_CHANGE = re.compile(
    r"^\[[-~]\] (?P<type>\S+) (?:\S+ )?(?P<logical_id>\S+) (?P<impact>destroy|orphan|replace|may be replaced)$"
)


def versions() -> list[str]:
    """Every release that is kept."""
    return sorted(path.name.removesuffix(".json.gz") for path in FOLDER.glob("*.json.gz"))


def keep(version: str, templates: Mapping[str, Mapping[str, Any]]) -> Path:
    """Keep the templates of a release; the same templates give the same file."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{version}.json.gz"
    content = json.dumps(templates, sort_keys=True, separators=(",", ":")).encode()
    path.write_bytes(gzip.compress(content, compresslevel=9, mtime=0))
    return path


def templates_of(version: str) -> dict[str, dict[str, Any]]:
    """The templates of a release by stack."""
    found: dict[str, dict[str, Any]] = json.loads(gzip.decompress((FOLDER / f"{version}.json.gz").read_bytes()))
    return found


def losses(released: Mapping[str, Mapping[str, Any]], assembly: Path, folder: Path) -> list[str]:
    """Stateful resources that an upgrade from these templates to the assembly would replace or remove."""
    return [
        f"{stack}: {loss}"
        for stack, template in released.items()
        for loss in _losses_of(stack, template, assembly, folder)
    ]


def _losses_of(stack: str, template: Mapping[str, Any], assembly: Path, folder: Path) -> Iterator[str]:
    old = folder / f"{stack}.json"
    old.write_text(json.dumps(template), encoding="utf-8")
    command = [str(CDK), "diff", f"{STAGE}/{stack}", "--exclusively", "--app", str(assembly), "--template", str(old)]
    run = subprocess.run(
        [*command, "--no-color", "--no-notices"],
        env={**os.environ, "CDK_DISABLE_CLI_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode or "Number of stacks with differences" not in run.stdout + run.stderr:
        raise RuntimeError(f"cdk diff of {stack} ended with {run.returncode}: {(run.stdout + run.stderr)[-2000:]}")
    for line in (run.stdout + run.stderr).splitlines():
        change = _CHANGE.match(line)
        if change and change["type"] in stateful_types():
            yield f"{change['logical_id']} ({change['type']}): {change['impact']}"
