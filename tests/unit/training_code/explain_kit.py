"""A release of the three-word model, features and bias analyses around it, for the tests of the explanation job."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.unit.training_code.model_kit import write_model, write_serving_code
from training_code.artifacts import build_release
from training_code.bias import analysis, clarify_config, length_band, write_posttraining, write_pretraining
from training_code.bias.dataset import read_csv

TEXTS = {-1: "it was bad, <b>really</b> bad", 0: "the skirt is okay I think", 1: "such a good coat, so good"}


def write_release(folder: Path) -> Path:
    build_release(
        write_model(folder / "model"), write_serving_code(folder / "code"), folder / "release", version_prefix="test"
    )
    return folder / "release"


def write_features(folder: Path, *, rows: int = 240) -> Path:
    table = pa.Table.from_pylist(
        [
            {
                "text_id": f"t{number:04d}",
                "text": f"{TEXTS[number % 3 - 1]} number{number}",
                "sentiment": number % 3 - 1,
                "category": "Dresses" if number % 2 else "Knits",
                "words": number % 90 + 1,
            }
            for number in range(rows)
        ]
    )
    (folder / "test").mkdir(parents=True)
    pq.write_table(table, folder / "test" / "part-0.parquet")
    write_pretraining(folder, folder / "views" / "bias")
    return folder


def write_bias(folder: Path, features: Path, comparison: Path) -> Path:
    """Both analyses as Clarify leaves them; the data of the second as the comparison leaves it."""
    rows = pq.read_table(features / "test" / "part-0.parquet").to_pylist()
    truth = [row["sentiment"] for row in rows]
    write_posttraining(
        comparison / "posttraining",
        facets={
            "category": [row["category"] for row in rows],
            "length": [length_band(row["words"]) for row in rows],
        },
        truth=truth,
        answers=[1 if number % 7 == 0 else answer for number, answer in enumerate(truth)],
        text_ids=[row["text_id"] for row in rows],
    )
    for name, data in (("pretraining", features / "views" / "bias"), ("posttraining", comparison / "posttraining")):
        config = json.loads((data / clarify_config.CONFIG_FILE).read_text())
        found = analysis.analyse(config, read_csv(data / clarify_config.DATASET_FILE, headers=config["headers"]))
        (folder / name).mkdir(parents=True)
        (folder / name / "analysis.json").write_text(json.dumps(found))
    return folder
