"""One run of every tool for all tests of the folder, side by side: two of the four are processes of their own."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from aws_cdk import App

from tests.gate import guard, lint, nag, scan
from tests.gate.findings import Finding, templates

TOOLS = ("cdk-nag", "cfn-lint", "cfn-guard", "checkov")


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What each tool found, and what all of them cost together."""

    findings: dict[str, list[Finding]]
    processor_seconds: float

    @property
    def all(self) -> list[Finding]:
        return [finding for found in self.findings.values() for finding in found]


@pytest.fixture(scope="session")
def gate(synthesised_app: App, assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """All four tools over every template of every stage."""
    paths = templates(assembly)
    guard_folder = tmp_path_factory.mktemp("guard")
    tools: dict[str, Callable[[], list[Finding]]] = {
        "cfn-guard": lambda: sorted(guard.findings(paths, guard_folder)),
        "checkov": lambda: sorted(scan.findings(paths)),
        "cfn-lint": lambda: sorted(lint.findings(paths)),
        "cdk-nag": lambda: sorted(nag.findings(synthesised_app)),
    }
    before = os.times()
    with ThreadPoolExecutor(len(tools)) as pool:
        running = {tool: pool.submit(run) for tool, run in tools.items()}
        found = {tool: running[tool].result() for tool in TOOLS}
    spent = [after - start for after, start in zip(os.times()[:4], before[:4], strict=True)]
    return Gate(findings=found, processor_seconds=sum(spent))
