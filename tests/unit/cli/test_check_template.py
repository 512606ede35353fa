"""`earshot check-template`: one line for each finding, exit codes, folders, JSON."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from cli.project import ROOT

CLEAN = "Resources: {Log: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 30, KmsKeyId: key}}}"
FAULTY = "Resources: {Log: {Type: AWS::Logs::LogGroup, Properties: {KmsKeyId: key}}}"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["check-template", *map(str, arguments)])


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    (tmp_path / "clean.yaml").write_text(CLEAN, encoding="utf-8")
    return tmp_path / "clean.yaml"


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    (tmp_path / "faulty.yaml").write_text(FAULTY, encoding="utf-8")
    return tmp_path / "faulty.yaml"


def test_a_clean_template_prints_nothing_and_exits_0(clean: Path) -> None:
    result = run(clean)
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_finding_is_one_line_and_exit_1(clean: Path, faulty: Path) -> None:
    result = run(clean, faulty)
    assert result.exit_code == 1
    (line,) = result.stdout.splitlines()
    assert line.startswith(f"{faulty}: OPS-01 Log: Without a retention")
    assert line.endswith(". Mend: Set RetentionInDays to 7 or more.")


def test_a_file_that_cannot_be_read_is_one_sentence_and_exit_2(tmp_path: Path, faulty: Path) -> None:
    (tmp_path / "bomb.yaml").write_text("a: &a [*a]", encoding="utf-8")
    result = run(tmp_path / "bomb.yaml", tmp_path / "nothing.json", faulty)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 2
    assert "an alias refers to itself" in result.stderr
    assert "OPS-01 Log" in result.stdout


def test_json_holds_findings_what_is_acknowledged_and_errors(tmp_path: Path, faulty: Path) -> None:
    acknowledged = tmp_path / "acknowledged.json"
    entry = {"rule": "OPS-01", "reason": "kept elsewhere", "date": "2026-01-31"}
    resource = {"Type": "AWS::Logs::LogGroup", "Properties": {"KmsKeyId": "key"}}
    resource["Metadata"] = {"earshot": {"acknowledge": [entry]}}
    acknowledged.write_text(json.dumps({"Resources": {"Log": resource}}), encoding="utf-8")
    result = run(acknowledged, "--json")
    assert result.exit_code == 0
    (file,) = json.loads(result.stdout)["files"]
    assert (file["findings"], file["acknowledged"][0]["reason"]) == ([], "kept elsewhere")
    document = json.loads(run(faulty, tmp_path / "nothing", "--json").stdout)
    assert document["ok"] is False
    assert [sorted(file) for file in document["files"]][1] == ["error", "file"]


def test_a_folder_stands_for_the_templates_in_it(tmp_path: Path) -> None:
    (tmp_path / "assembly").mkdir()
    (tmp_path / "assembly" / "Stack.template.json").write_text(json.dumps({"Resources": {"A": {"Type": "T"}}}), "utf-8")
    assert run(tmp_path).exit_code == 0
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty").exit_code == 2
    assert run().exit_code == 2


def test_what_is_not_expanded_is_said_on_stderr(tmp_path: Path) -> None:
    path = tmp_path / "nested.yaml"
    path.write_text("Resources: {Inner: {Type: AWS::CloudFormation::Stack}}", encoding="utf-8")
    result = run(path)
    assert result.exit_code in (0, 1)
    assert "nested stack Inner is not read" in result.stderr


def test_the_rules_are_listed() -> None:
    assert any(line.startswith("OPS-01  ") for line in run("--list-rules").stdout.splitlines())
    assert {"id", "title", "why", "mend", "controls", "practice"} <= set(
        json.loads(run("--list-rules", "--json").stdout)[0]
    )


def test_control_characters_of_a_template_do_not_reach_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "hostile.json"
    path.write_text(json.dumps({"Resources": {"A\x1b[2J": {"Type": "AWS::Logs::LogGroup"}}}), encoding="utf-8")
    assert "\x1b" not in run(path).stdout


def test_the_command_starts_without_the_cdk_and_aws() -> None:
    code = "import sys, cli.app, policy; sys.exit(bool({'boto3', 'aws_cdk', 'jsii'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
