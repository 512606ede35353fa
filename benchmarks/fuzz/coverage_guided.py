"""The same targets under atheris, which learns from the branches of the code which bytes lead further. Optional.

atheris ends its process with its run, so each target gets a process of its own, which leaves a report.
https://github.com/google/atheris
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.fuzz.engine import Result

LARGEST_BYTES = 8192
INSTRUMENTED = ["feedback", "lambdas", "model_artifact", "training_code"]
SLOWEST_SECONDS = 20


def is_available() -> bool:
    """Whether atheris can be imported."""
    return importlib.util.find_spec("atheris") is not None


def fuzz_guided(name: str, executions: int, *, seed: int) -> Result:
    """Run the target of this name in a child process; RuntimeError with its last words where it left no report."""
    with tempfile.TemporaryDirectory(prefix="earshot-fuzz-") as scratch:
        report = Path(scratch) / "report.json"
        command = [sys.executable, "-m", __name__, name, str(executions), str(seed), str(report)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if not report.is_file():
            raise RuntimeError(f"{name}: atheris left no report: {done.stderr[-2000:]}")
        told = json.loads(report.read_text())
    return Result(**told | {"crashes": {place: bytes.fromhex(data) for place, data in told["crashes"].items()}})


def main(name: str, executions: int, seed: int, report: Path) -> None:
    """In the child: count inputs, and leave the report with the last of them."""
    import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]

    with atheris.instrument_imports(include=INSTRUMENTED), tempfile.TemporaryDirectory() as scratch:
        from benchmarks.fuzz.engine import run_once
        from benchmarks.fuzz.targets import targets

        (target,) = [each for each in targets(Path(scratch)) if each.name == name]
        corpus = Path(scratch) / "corpus"
        corpus.mkdir()
        for number, example in enumerate(target.seeds):
            (corpus / str(number)).write_bytes(example)
        result = Result(target=name)
        started = time.perf_counter()

        def one(data: bytes) -> None:
            if result.executions < executions:
                run_once(target, data, result)
                return
            result.seconds = time.perf_counter() - started
            crashes = {place: data.hex() for place, data in result.crashes.items()}
            report.write_text(json.dumps(asdict(result) | {"crashes": crashes}))
            os._exit(0)

        options = [f"-runs={executions + 1000}", f"-seed={seed}", f"-max_len={LARGEST_BYTES}", "-rss_limit_mb=4096"]
        atheris.Setup([sys.argv[0], *options, f"-timeout={SLOWEST_SECONDS}", "-verbosity=0", str(corpus)], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
