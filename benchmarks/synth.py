"""`app.synth()` of all stages: the project's settings against the CDK's defaults, interleaved.

    .venv/bin/python -m benchmarks.synth [--rounds 5] [--json]

Both sides run the same `app.py` in a fresh process and write to a folder of their own. The defaults are those of
aws-cdk-lib and jsii; the project's settings are those that `make synth` and `earshot up` run with. The quickest run of
each side counts, since the machine is shared. Goal: at least 2.5 times faster.
"""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.report import arguments, finish, show
from cli.project import LOCAL_ACCOUNT, LOCAL_REGION, Project
from stacks.launch import QUICK_SYNTH

# What the app sets for itself, set back to what aws-cdk-lib and Node do when nobody says anything.
CDK_DEFAULTS = {"CDK_VALIDATION": "true", "NODE_DISABLE_COMPILE_CACHE": "1"}


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sides: dict[str, dict[str, str]] = {"CDK defaults": CDK_DEFAULTS, "project": {}}
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(options.rounds + 1):
        for side, settings in sides.items():
            seconds[side].append(synth(settings))
    best = {side: min(taken[1:]) for side, taken in seconds.items()}  # the first round only warms the caches
    ratio = best["CDK defaults"] / best["project"]
    show(
        f"synth of all stages, best of {options.rounds}",
        [{"settings": side, "seconds": taken, "ratio": best["CDK defaults"] / taken} for side, taken in best.items()],
        note="goal: ratio >= 2.5",
    )
    finish(options.json, {"rounds": options.rounds, "seconds": best, "ratio": ratio})


def synth(settings: Mapping[str, str]) -> float:
    """Seconds of one synth in a process of its own."""
    project = Project.from_env()
    dropped = (*QUICK_SYNTH, *CDK_DEFAULTS, "CDK_OUTDIR")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    with tempfile.TemporaryDirectory() as folder:
        environment |= {
            **settings,
            "CDK_OUTDIR": folder,
            "CDK_CONTEXT_JSON": json.dumps(json.loads((project.root / "cdk.json").read_text())["context"]),
            "CDK_DEFAULT_ACCOUNT": LOCAL_ACCOUNT,
            "CDK_DEFAULT_REGION": LOCAL_REGION,
        }
        started = time.perf_counter()
        subprocess.run(
            [project.python(".venv"), "app.py"], cwd=project.root, env=environment, check=True, capture_output=True
        )
        taken = time.perf_counter() - started
        if not (Path(folder) / "manifest.json").exists():
            raise RuntimeError("the synth wrote nothing")
    return taken


if __name__ == "__main__":
    main()
