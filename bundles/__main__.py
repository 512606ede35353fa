"""`python -m bundles`: builds everything that changed, says what it does, and ends with one line when it cannot.

Knows the steps and their order. How each is built is in its own module.
"""

import argparse
import sys
from importlib.metadata import version
from pathlib import Path

from bundles import functions, jobs, serving
from bundles.errors import BuildError
from bundles.sources import ROOT, files_below
from bundles.starter import build_starter
from bundles.steps import Step, run_step
from bundles.wheels import LOCAL
from cli.sample import write_sample
from training_code.artifacts import CONTAINERS


def steps(build: Path) -> list[Step]:
    """In order: the starter is packed with the serving code."""
    cache = build / "wheels"
    functions_folder = build / "lambda"
    jobs_archive = build / "jobs" / "sourcedir.tar.gz"
    serving_archive = build / "serving" / "serving.tar.gz"
    starter = build / "starter"
    how = {name: path for name, path in files_below(ROOT / "bundles").items() if "starter" not in name}
    return [
        Step(
            name="functions",
            inputs=how | functions.sources(),
            settings=functions.pins(),
            outputs=(functions_folder,),
            build=lambda: functions.build_functions(functions_folder, cache=cache),
        ),
        Step(
            name="jobs",
            inputs=how | jobs.sources(),
            settings=jobs.pins(),
            outputs=(jobs_archive,),
            build=lambda: jobs.build_jobs(jobs_archive),
        ),
        Step(
            name="serving",
            inputs=how | serving.sources(),
            settings=(*serving.pins(), LOCAL.name),
            outputs=(serving_archive,),
            build=lambda: serving.build_serving(serving_archive, cache=cache),
        ),
        Step(
            name="starter",
            inputs=_starter_sources() | {"serving.tar.gz": serving_archive},
            settings=tuple(f"{name}=={version(name)}" for name in ("numpy", "onnx", "tokenizers")),
            outputs=tuple(starter / f"{container}.tar.gz" for container in CONTAINERS),
            build=lambda: _build_starter(serving_archive, starter, build / "sample" / "reviews.csv"),
        ),
    ]


def _starter_sources() -> dict[str, Path]:
    bundles = {name: path for name, path in files_below(ROOT / "bundles").items() if "starter" in name}
    sample = {name: path for name, path in files_below(ROOT / "cli").items() if "sample" in name}
    found = bundles | sample
    for package in ("feedback", "model_artifact", "training_code"):
        found |= files_below(ROOT / package)
    return found


def _build_starter(serving_archive: Path, starter: Path, reviews: Path) -> None:
    reviews.parent.mkdir(parents=True, exist_ok=True)
    write_sample(reviews)
    build_starter(reviews, serving_archive, starter)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bundles", description="Builds what the stacks deploy.")
    parser.add_argument("--build", type=Path, default=ROOT / ".build", help="where to (default: .build)")
    build = parser.parse_args(arguments).build
    try:
        for step in steps(build):
            run_step(step, stamps=build / "stamps", say=_say)
    except BuildError as error:
        print(f"Cannot build: {error}", file=sys.stderr)
        return 1
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
