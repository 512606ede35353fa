"""The supply chain's checks find nothing here, and find what they are for elsewhere."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from supply_chain import checks

PLANTED = {
    "feedback/settings.py": ("import os\n\nTOKEN = os.environ['TOKEN']\n", "environment-is-read-in-from-env"),
    "stacks/clock.py": ("import time\n\nNOW = time.time()\n", "synthesis-is-pure"),
}


@pytest.mark.parametrize("check", ["rules", "weaknesses", "secrets", "pins", "licences"])
def test_the_check_finds_nothing(check: str) -> None:
    assert checks.CHECKS[check]().findings == ()


def test_every_rule_finds_what_it_is_for_and_nothing_else(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)  # semgrep's paths begin at a repository
    (tmp_path / "lambdas").mkdir()
    example = tmp_path / "lambdas" / "example.py"
    shutil.copy(checks.RULES.with_name("nevers.py"), example)
    for name, (code, _) in PLANTED.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code)
    lines = example.read_text().splitlines()
    wanted = {
        f"lambdas/example.py:{number + 1}: {line.split('ruleid: ')[1]}"
        for number, line in enumerate(lines, start=1)
        if "# ruleid: " in line
    } | {f"{name}:3: {rule}" for name, (_, rule) in PLANTED.items()}

    found = {finding.rsplit(": ", 1)[0] for finding in checks.code_rules(tmp_path).findings}

    assert found == wanted
    assert {name.rsplit(" ", 1)[1] for name in wanted} == set(re.findall(r"- id: (\S+)", checks.RULES.read_text()))


def test_a_pin_without_its_hash_is_found(tmp_path: Path) -> None:
    (tmp_path / "package-lock.json").write_text('{"packages": {"": {}, "node_modules/aws-cdk": {"version": "2"}}}')
    (tmp_path / "requirements.txt").write_text("boto3==1.0 \\\n    --hash=sha256:00\nrich==1.0\ntyper\n")

    assert checks.pins(tmp_path).findings == (
        "requirements.txt: rich has no exact version or no hash",
        "requirements.txt: typer has no exact version or no hash",
        "package-lock.json: node_modules/aws-cdk has no integrity hash",
    )


def test_advisories_that_cannot_be_asked_for_are_not_called_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    result = checks.advisories()

    assert result.not_checked
    assert result.findings == ()


def test_a_bill_of_materials_is_the_same_for_the_same_lock(tmp_path: Path) -> None:
    lock = checks.ROOT / "requirements-local.txt"
    for name in ("first.json", "second.json"):
        checks.bill_of_materials(lock, tmp_path / name)

    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()
    assert '"ministack"' in (tmp_path / "first.json").read_text()
