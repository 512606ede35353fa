"""The training loop against a plain one: samples a second, validation loss, and what a step costs beside the model.

    .venv/bin/python -m benchmarks.training [--rows 1024] [--rounds 2] [--json]

Both train all-MiniLM-L6-v2 on the first rows of shared/data/womens_clothing_reviews.csv as the features job splits
them, one epoch in batches of 32, at most 192 tokens, AdamW, the same seed and schedule. The plain loop pads every text
to all 192 and computes in float32, as notebooks do; ours pads to the longest of a batch of like lengths, in the
precision that the machine multiplies best, with the fused optimiser and `training_code/lean_encoder.py`, which also
leaves the dropout of attention out. The sides take turns; the quickest round of each counts.
The cost of a step is of a model of almost nothing: our whole loop against forward, backward, clipping and the optimiser
alone on the same tensors, made before, with the same encoder.

Goals: 4 times the samples a second at equal validation loss; 0.3 ms a step.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.features import write_reviews
from benchmarks.report import arguments, finish, show

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-training" / "bin" / "python"
REVIEWS = 20_000


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--rows", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="earshot-benchmark-") as folder:
        reviews, features = Path(folder) / "in" / "reviews.csv", Path(folder) / "features"
        write_reviews(reviews, REVIEWS)
        run("-m", "training_code.features", "--input", str(reviews.parent), "--output", str(features))
        rounds = [
            {side: measured(side, features, options.rows) for side in ("plain", "ours")} for _ in range(options.rounds)
        ]
        step = measured("step", features, options.rows)
    best = {
        side: max((found[side] for found in rounds), key=lambda one: one["samples_per_second"]) for side in rounds[0]
    }
    ratio = best["ours"]["samples_per_second"] / best["plain"]["samples_per_second"]
    show(
        f"One epoch of {options.rows} reviews, best of {options.rounds}",
        [{"side": side, **found} for side, found in best.items()],
        note=f"{ratio:.2f} times as many samples a second (goal: 4 at equal validation loss)",
    )
    show(
        "A step of a model of almost nothing",
        [step],
        note=f"{step['loop_ms'] - step['bare_ms']:.2f} ms beside the model (goal: 0.3)",
    )
    finish(options.json, {"sides": best, "ratio": ratio, "step": step})


def measured(side: str, features: Path, rows: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("-m", "benchmarks.training.side", side, str(features), str(rows)))
    return found


def run(*command: str) -> str:
    """The last line that a program of the training environment prints."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run([str(PYTHON), *command], cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr[-2000:])
    return done.stdout.rstrip().rpartition("\n")[2]


if __name__ == "__main__":
    main()
