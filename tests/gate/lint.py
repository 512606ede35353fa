"""cfn-lint with its information rules, in this process."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cfnlint.api import ManualArgs, lint_file

from tests.gate.findings import Finding, Place

REGIONS = ["us-east-1", "eu-west-1"]


def findings(paths: Iterable[Path]) -> Iterator[Finding]:
    """What cfn-lint finds in each template."""
    for path in paths:
        for match in lint_file(path, config=ManualArgs(regions=REGIONS, include_checks=["I"])):
            keys = [str(key) for key in match.path or []]
            logical_id = keys[1] if keys[:1] == ["Resources"] and len(keys) > 1 else ""
            yield Place(path).finding(logical_id, match.rule.id, f"{match.message} ({'/'.join(keys[2:])})")
