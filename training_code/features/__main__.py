"""The features job: reviews from the lake to training, validation and test rows, and a report of what was dropped.

    python3 -m training_code.features --input DIR --output DIR [--balance undersample|weights] [--max-rows N] [--seed N]
        [--empty keep] [--near-duplicates keep] [--columns text=Review,rating=Stars] [--engine spark] [--views]

The same input gives the same rows, the same files and the same fingerprint, on either engine.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from training_code.failures import JobError, run_job
from training_code.features.job import BALANCES, ENGINES, NEAR_DUPLICATES, Report, Settings, build_features
from training_code.features.selection import EMPTY_RULES, OPTIONAL, REQUIRED


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="training_code.features", description=(__doc__ or "").partition("\n")[0])
    option = parser.add_argument
    option("--input", type=Path, required=True, help="folder with reviews as parquet, csv, tsv or jsonl, packed or not")
    option("--output", type=Path, required=True, help="folder for train/, validation/, test/, features.json and .html")
    option(
        "--balance", choices=BALANCES, default="none", help="cut the training classes to the smallest, or weigh them"
    )
    option("--max-rows", type=int, default=0, help="keep at most so many reviews; 0 keeps all")
    option("--seed", type=int, default=7, help="which rows a limit or a balance keeps")
    option("--empty", choices=EMPTY_RULES, default="drop", help="what becomes of a rating without a text")
    option("--near-duplicates", choices=NEAR_DUPLICATES, default="drop", help="texts all but equal to another")
    option("--columns", default="", help="columns of other names, as text=Review,rating=Stars")
    option("--engine", choices=ENGINES, default="duckdb", help="what runs it")
    option("--views", action="store_true", help="also write what the built-in algorithms and Clarify read")
    option("--message", type=Path, help="file that becomes the job's exit message on failure")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    arguments = _arguments(argv)

    def job() -> None:
        settings = Settings(
            balance=arguments.balance,
            max_rows=arguments.max_rows or None,
            seed=arguments.seed,
            empty=arguments.empty,
            near_duplicates=arguments.near_duplicates,
            columns=_named(arguments.columns),
        )
        if settings.max_rows is not None and settings.max_rows < 0:
            raise JobError(f"--max-rows is a number of rows, not {settings.max_rows}.")
        report = build_features(arguments.input, arguments.output, settings, engine=arguments.engine)
        print(f"read {report.rows_read} reviews from {report.files} files, kept {report.rows}", flush=True)
        for reason, count in report.dropped.items():
            print(f"dropped {count} for {reason}", flush=True)
        for split, counts in report.splits.items():
            print(f"{split}: " + ", ".join(f"{count} {label}" for label, count in counts.items()), flush=True)
        print(f"fingerprint {report.fingerprint}", flush=True)
        _write_page(report, arguments.output / "features.html")
        if arguments.views:
            from training_code.candidates.views import write_views

            write_views(arguments.output)

    return run_job(job, failure_file=arguments.message)


def _write_page(report: Report, path: Path) -> None:
    try:
        from training_code.features.page import page_of
    except ModuleNotFoundError as error:
        # Spark's container draws no figures; the numbers are in features.json.
        print(f"no features.html: there is no {error.name} here", flush=True)
        return
    path.write_text(page_of(report), encoding="utf-8")


def _named(text: str) -> dict[str, str]:
    """`text=Review,rating=Stars` as canonical name -> name in the files."""
    named: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        canonical, sign, column = part.partition("=")
        if not sign or not column or canonical not in (*REQUIRED, *OPTIONAL):
            names = ", ".join((*REQUIRED, *OPTIONAL))
            raise JobError(f"--columns has '{part}' where it takes NAME=COLUMN with NAME one of {names}.")
        named[canonical] = column
    return named


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
