"""Who may import whom, and what the import of a handler costs. Each import runs in an interpreter of its own."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ["intake", "router", "alerts", "archive", "trends", "spikes", "gate", "register", "release", "canary"]
CHANNELS = sorted(path.parent.name for path in ROOT.glob("lambdas/channels/*/handler.py"))
HANDLERS = [*PACKAGES, *(f"channels.{name}" for name in CHANNELS)]
IMPORT_LIMIT_MS = 250  # measured 20 to 35 ms; generous, since the machine may be busy

PROBE = """
import json, socket, sys, time
import dataclasses, enum, hashlib, typing
def refuse(*_, **__):
    raise AssertionError("a connection at import")
socket.socket.connect = refuse
sys.addaudithook(lambda event, args: sys.exit("network at import") if event == "socket.connect" else None)
import os
class Environment(dict):
    def __getitem__(self, name):
        if name.isupper() and name.endswith(("TABLE", "URL", "NAME", "STACK", "GROUP", "BUCKET")):
            sys.exit("environment read at import: " + name)
        return super().__getitem__(name)
os.environ = Environment(os.environ)
started = time.perf_counter()
module = __import__(sys.argv[1], fromlist=["handle"])
milliseconds = (time.perf_counter() - started) * 1000
print(json.dumps({"ms": milliseconds, "modules": sorted(sys.modules), "handle": callable(module.handle)}))
"""


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield (node.module or "").split(".")[0]


def test_the_domain_imports_the_standard_library_and_itself():
    for path in (ROOT / "feedback").rglob("*.py"):
        assert set(imports(path)) <= {"feedback"} | sys.stdlib_module_names, path


def test_the_inspection_of_artifacts_imports_the_standard_library_and_itself():
    for path in (ROOT / "model_artifact").rglob("*.py"):
        assert set(imports(path)) <= {"model_artifact"} | sys.stdlib_module_names, path


def test_functions_import_the_domain_the_sdk_and_their_validator():
    allowed = {"feedback", "lambdas", "model_artifact", "boto3", "botocore", "fastjsonschema"} | sys.stdlib_module_names
    in_a_layer = {ROOT / "lambdas/channels/files/parquet.py": {"duckdb"}}
    for path in (ROOT / "lambdas").rglob("*.py"):
        assert set(imports(path)) <= allowed | in_a_layer.get(path, set()), path


def test_functions_do_not_import_each_other():
    for package in PACKAGES:
        for path in (ROOT / "lambdas" / package).glob("*.py"):
            source = path.read_text(encoding="utf-8")
            assert not [other for other in PACKAGES if other != package and f"lambdas.{other}" in source], path


@pytest.mark.parametrize("package", HANDLERS)
def test_importing_a_handler_is_quick_and_touches_nothing(package):
    command = [sys.executable, "-c", PROBE, f"lambdas.{package}.handler"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stderr
    probe = json.loads(finished.stdout)
    assert probe["handle"]
    assert probe["ms"] < IMPORT_LIMIT_MS
    assert not {"boto3", "numpy", "torch", "transformers", "aws_cdk", "aiohttp"} & set(probe["modules"])


@pytest.mark.parametrize("module", ["feedback.text", "feedback.sentiment"])
def test_what_containers_import_stays_light(module):
    command = [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    assert {name for name in loaded if name.startswith("feedback")} == {"feedback", module}
    assert not {"http", "asyncio", "ssl", "boto3"} & set(loaded)
