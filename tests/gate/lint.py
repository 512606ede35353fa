"""cfn-lint with its information rules, in this process."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cfnlint.api import ManualArgs, lint_by_config

from tests.gate.findings import Finding, Place

REGIONS = ["us-east-1", "eu-west-1"]


def findings(paths: Iterable[Path]) -> Iterator[Finding]:
    """What cfn-lint finds in each template."""
    wanted = ManualArgs(templates=[str(path) for path in paths], regions=REGIONS, include_checks=["I"])
    for match in lint_by_config(wanted):  # all at once, for each call reads all rules
        keys = [str(key) for key in match.path or []]
        logical_id = keys[1] if keys[:1] == ["Resources"] and len(keys) > 1 else ""
        yield Place(Path(match.filename)).finding(logical_id, match.rule.id, f"{match.message} ({'/'.join(keys[2:])})")
