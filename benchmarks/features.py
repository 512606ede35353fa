"""From a CSV of reviews to labelled, deduplicated Parquet: the features job against a plain pandas program.

    .venv/bin/python -m benchmarks.features [--rows 470000] [--rounds 2] [--tenfold] [--json]

The rows are those of shared/data/womens_clothing_reviews.csv again and again, with a number in each copy's text so
that it is another text, and every twentieth copy without it, so that there are duplicates. Both sides read all columns,
compose title and text as serving does, label, give each text its id, drop what has no rating or text, keep one row of
each text and write Parquet in three splits. pandas calls the same functions once a row, as a notebook does. Near
duplicates, languages and the report are the job's own: it is timed as it is (and printed) and, for the ratio, with near
duplicates kept. Each side is a process of its own; the quickest of the rounds counts, and its peak of memory.

Goals: 2.5 times as fast, half the memory; with ten times the rows no more memory.
"""

import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import Value, arguments, finish, show

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT.parent / "shared" / "data" / "womens_clothing_reviews.csv"
PYTHON = ROOT / ".venv-training" / "bin" / "python"
NAMES = {
    "text": "Review Text",
    "rating": "Rating",
    "title": "Title",
    "product_id": "Clothing ID",
    "category": "Department Name",
    "customer_age": "Age",
}

PANDAS = """
import hashlib, re, sys
import pandas as pd
from feedback.text import compose
from feedback.sentiment import from_stars
source, target = sys.argv[1:]
rows = pd.read_csv(source, dtype=str, keep_default_na=False)
rows["text"] = [compose(title, text) for title, text in zip(rows["title"], rows["text"])]
rows["stars"] = pd.to_numeric(rows["rating"], errors="coerce")
rows = rows[rows["stars"].isin([1, 2, 3, 4, 5]) & (rows["text"] != "")].copy()
rows["stars"] = rows["stars"].astype("int64")
rows["sentiment"] = rows["stars"].map(lambda stars: int(from_stars(stars)))
def text_id(text):
    words = re.sub(r"[\\W_]+", " ", text.lower()).strip() or text
    return hashlib.sha256(words.encode()).hexdigest()
rows["text_id"] = rows["text"].map(text_id)
rows["words"] = rows["text"].str.split().str.len()
rows["copies"] = rows.groupby(["text_id", "sentiment"])["text"].transform("size")
rows = rows.sort_values(["text_id", "copies", "text"], ascending=[True, False, True]).drop_duplicates("text_id")
bucket = rows["text_id"].str[:4]
rows["split"] = "train"
rows.loc[bucket >= f"{int(0.8 * 65536):04x}", "split"] = "validation"
rows.loc[bucket >= f"{int(0.9 * 65536):04x}", "split"] = "test"
for split, part in rows.groupby("split"):
    kept = part.drop(columns=["copies", "split", "title", "rating"])
    kept.to_parquet(f"{target}/{split}.parquet", compression="zstd")
print("kept", len(rows))
"""


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--rows", type=int, default=470_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--tenfold", action="store_true", help="also the job's memory at ten times the rows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="earshot-benchmark-") as folder:
        work = Path(folder)
        write_reviews(work / "in" / "reviews.csv", options.rows)
        job = [str(PYTHON), "-m", "training_code.features", "--input", str(work / "in"), "--output", str(work / "out")]
        (work / "plain").mkdir()
        plain = [str(PYTHON), "-c", PANDAS, str(work / "in" / "reviews.csv"), str(work / "plain")]
        sides = {"pandas": plain, "job, near duplicates kept": [*job, "--near-duplicates", "keep"], "job": job}
        best = {side: min(measured(command) for _ in range(options.rounds)) for side, command in sides.items()}
        seconds, megabytes, work_done = best["pandas"]
        rows: list[dict[str, Value]] = [
            {
                "side": side,
                "seconds": took,
                "peak MB": peak,
                "CPU seconds": cpu,
                "times as fast": seconds / took,
                "times less CPU": work_done / cpu,
                "share of memory": peak / megabytes,
            }
            for side, (took, peak, cpu) in best.items()
        ]
        show(
            f"{options.rows:,} reviews of CSV to Parquet, best of {options.rounds}",
            rows,
            note="goals: 2.5 times as fast with at most half the memory (near duplicates kept on both sides)",
        )
        result: dict[str, object] = {"rows": options.rows, "sides": rows}
        if options.tenfold:
            write_reviews(work / "in" / "reviews.csv", 10 * options.rows)
            took, peak, _ = measured(job)
            grown = peak / best["job"][1]
            show(
                "ten times the rows",
                [{"rows": 10 * options.rows, "seconds": took, "peak MB": peak, "times the memory": grown}],
                note="goal: flat",
            )
            result |= {"tenfold": {"seconds": took, "megabytes": peak, "times_the_memory": grown}}
        finish(options.json, result)


def write_reviews(path: Path, count: int) -> None:
    """The clothing reviews again and again, every copy another text but for one in twenty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with SOURCE.open(encoding="utf-8", newline="") as file:
        found = [{name: row[column] for name, column in NAMES.items()} for row in csv.DictReader(file)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=["review_id", *NAMES])
        writer.writeheader()
        for number in range(count):
            row = found[number % len(found)]
            copy = number // len(found)
            text = row["text"]
            if copy and number % 20:
                # A number after every fifth word: a text of its own, and no near duplicate of another copy.
                words = text.split(" ")
                text = " ".join(f"{word} {copy}" if place % 5 == 0 else word for place, word in enumerate(words))
            writer.writerow(row | {"review_id": f"r{number}", "text": text})


def measured(command: list[str]) -> tuple[float, float, float]:
    """Seconds, megabytes at the peak, and seconds of CPU, of a process of its own."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    errors = process.stderr.read().decode() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(errors[-1000:])
    return took, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6, usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
