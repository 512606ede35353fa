"""What happens around synth: missing bundles, the quick settings, the interpreter, and CloudFormation's own rules."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stacks import launch
from stacks.assets import Assets, AssetsMissing
from stacks.launch import ROOT
from tests.synthesis import stand_in_assets


def test_a_missing_bundle_is_named_with_the_command_that_makes_it(tmp_path: Path) -> None:
    assets = stand_in_assets(tmp_path)
    assert Assets.built(tmp_path) == assets
    assets.serving.unlink()
    with pytest.raises(AssetsMissing, match=r"serving\.tar\.gz.*make build"):
        Assets.built(tmp_path)


def test_quick_settings_give_way_to_what_the_caller_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_VALIDATION", "true")
    monkeypatch.delenv("NODE_COMPILE_CACHE", raising=False)
    launch.prepare_process()
    assert os.environ["CDK_VALIDATION"] == "true"
    assert os.environ["NODE_COMPILE_CACHE"].startswith(str(ROOT))


def test_an_interpreter_without_the_cdk_hands_over_to_the_projects_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    started: list[tuple[Path, list[str]]] = []
    monkeypatch.setattr(launch, "ROOT", tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(os, "execv", lambda path, words: started.append((path, words)))
    monkeypatch.setattr(sys, "argv", ["app.py"])
    launch.prepare_process()
    assert started == [(python, [str(python), "app.py"])]


def test_without_any_environment_that_has_the_cdk_one_line_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(launch, "ROOT", tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="make setup"):
        launch.prepare_process()


def test_neither_cloudformations_rules_nor_ours_find_anything(tmp_path: Path) -> None:
    """The one place where a synthesis validates; every other one goes without."""
    stand_in_assets(tmp_path / "build")
    program = (
        "import app, json, sys; from pathlib import Path; from stacks.assets import Assets; "
        "context = json.loads(Path('cdk.json').read_text())['context']; "
        f"app.build(Assets.built(Path({str(tmp_path / 'build')!r})), outdir={str(tmp_path / 'out')!r}, "
        "context=context, validate=True).synth()"
    )
    environment = {**os.environ, "CDK_VALIDATION": "true", "CDK_DEFAULT_REGION": "eu-west-1"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    report = tmp_path / "out" / "validation-report.json"
    found = json.loads(report.read_text())["pluginReports"] if report.exists() else []
    violations = [violation for plugin in found for violation in plugin["violations"]]
    assert violations == []
    assert done.returncode == 0, done.stderr[-2000:]
