"""The features job gives the same rows on Spark as on DuckDB, file for file."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.training_code.features.feature_rows import long_text, reviews, write_csv, write_lines
from tests.unit.training_code.model_kit import ROOT, TRAINING_PYTHON

SPARK_PYTHON = ROOT / ".venv-spark" / "bin" / "python"


def has_java_17() -> bool:
    java = shutil.which("java")
    if java is None:
        return False
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    return '"17.' in told


needs_spark = pytest.mark.skipif(
    not SPARK_PYTHON.exists() or not has_java_17(), reason="Spark needs .venv-spark and Java 17, and one is not here"
)


def run(python: Path, source: Path, target: Path, *options: str) -> None:
    done = subprocess.run(
        [str(python), "-m", "training_code.features", "--input", str(source), "--output", str(target), *options],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@needs_spark
def test_spark_and_duckdb_give_equal_files(tmp_path: Path) -> None:
    rows = reviews(280)
    odd = [
        rows[0]
        | {"review_id": "html", "text": "<b>Bold</b> &amp; <br>loose  \n text, e\u0301", "title": "<script>x</script>"},
        rows[1] | {"review_id": "emoji", "text": "😀🎉", "title": None},
        rows[1] | {"review_id": "emoji-again", "text": " 😀🎉 ", "rating": 1, "title": None},
        rows[2]
        | {"review_id": "german", "text": "Das ist nicht der Mantel, den ich wollte, und die Größe passt nicht"},
        rows[2] | {"review_id": "dots", "text": "İSTANBUL Σίσυφος STRASSE ß", "title": None},
        rows[3] | {"review_id": "again", "text": rows[3]["text"].upper() + "!!"},
        *(
            rows[4] | {"review_id": f"bad-{rating}", "rating": rating}
            for rating in ("4d", "six", "", "3.5", "NaN", "0")
        ),
        *(
            rows[5] | {"review_id": f"good-{rating}", "rating": rating, "text": f"rated {rating} and fine"}
            for rating in ("4.0", " 05 ")
        ),
        rows[6] | {"review_id": "empty", "text": " &nbsp; ", "title": None},
        rows[6] | {"review_id": "long", "text": "so it goes " * 9_091},
        *(rows[7] | {"review_id": f"near-{n}", "text": long_text(n // 2) + " indeed" * (n % 2)} for n in range(20)),
    ]
    write_csv(tmp_path / "in" / "a.csv", rows[:100] + odd)
    write_lines(tmp_path / "in" / "b.jsonl.gz", rows[100:200])
    pq.write_table(pa.Table.from_pylist(rows[200:]), tmp_path / "in" / "c.parquet")
    options = ("--balance", "undersample", "--max-rows", "290", "--seed", "3")
    run(TRAINING_PYTHON, tmp_path / "in", tmp_path / "duck", *options)
    run(SPARK_PYTHON, tmp_path / "in", tmp_path / "spark", *options, "--engine", "spark")
    for name in ("features.json", *(f"{split}/part-0.parquet" for split in ("train", "validation", "test"))):
        assert (tmp_path / "duck" / name).read_bytes() == (tmp_path / "spark" / name).read_bytes(), name
