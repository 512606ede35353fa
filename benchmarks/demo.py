"""The whole demo from nothing, then again: seconds of each step, and what the local AWS weighs afterwards.

    .venv/bin/python -m benchmarks.demo [--reviews FILE] [--json]

Runs in a home and on a port of its own and removes both. Downloads are not counted: everything is installed and the
wheels are cached by `make build`. Goals: first run at most 15 minutes, second at most a third of it, at most 1.5 GB
resident when idle.
"""

import json
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.report import arguments, finish, show
from cli.project import ROOT

SETTLE_SECONDS = 20


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--reviews", type=Path, help="a CSV of reviews; the generated sample when left out")
    options = parser.parse_args()
    given = ["--reviews", str(options.reviews)] if options.reviews else []
    with tempfile.TemporaryDirectory() as home, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        environment = {**os.environ, "EARSHOT_HOME": home, "EARSHOT_PORT": str(probe.getsockname()[1])}
        probe.close()
        try:
            first, second = (earshot(environment, "demo", *given) for _ in range(2))
            time.sleep(SETTLE_SECONDS)
            resident = earshot(environment, "status")["local"]["rss_bytes"]
        finally:
            subprocess.run([ROOT / ".venv/bin/earshot", "down"], env=environment, check=True, capture_output=True)
    names = [step["step"] for step in first["steps"]]
    again = {step["step"]: step["seconds"] for step in second["steps"]}
    taken = {step["step"]: step["seconds"] for step in first["steps"]}
    rows = [{"step": name, "first s": taken[name], "second s": again[name]} for name in names]
    show(
        "make demo",
        [*rows, {"step": "all", "first s": first["seconds"], "second s": second["seconds"]}],
        note="goals: first <= 900 s, second <= a third, resident <= 1.5 GB",
    )
    result = {
        "rows": first["rows"],
        "first_seconds": first["seconds"],
        "second_seconds": second["seconds"],
        "second_to_first": second["seconds"] / first["seconds"],
        "macro_f1": first["model"]["evaluation"]["macro_f1"],
        "resident_gb": resident / 1e9,
    }
    show("summary", [result])
    finish(options.json, result)


def earshot(environment: dict[str, str], *command: str) -> Any:
    """What one command prints as JSON."""
    done = subprocess.run(
        [ROOT / ".venv/bin/earshot", *command, "--json"], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
