from __future__ import annotations

import re

from tests.unit.training_code.model_kit import ROOT


def pins(name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in (ROOT / name).read_text().splitlines():
        match = re.match(r"([a-z0-9-]+)(?:\[[a-z]+\])?==([^ ;\\]+)", line)
        if match:
            found.setdefault(match[1], set()).add(match[2])
    return found


def test_the_jobs_install_the_versions_that_they_are_tested_with() -> None:
    tested = pins("requirements-training.txt")
    for name, versions in pins("training_code/requirements.txt").items():
        assert versions <= tested[name], name


def test_every_requirement_of_the_jobs_is_pinned() -> None:
    lines = (ROOT / "training_code" / "requirements.txt").read_text().splitlines()
    assert all("==" in line for line in lines if line and not line.startswith("#"))
