"""The models that are served: trained once on the reviews, kept in `.build/benchmarks`, packed by the jobs themselves.

Two shapes with one behaviour. MiniLM-L6 is fine-tuned on the reviews; BERT-base is the same model copied into
BERT-base's shape (`programs/widen.py`), since no BERT-base weights can be fetched here: its speed is that of any
BERT-base, its accuracy that of MiniLM. Fine-tuning depends on the reviews alone and is kept; export, quantisation and
packing follow the code and are done anew when it changes. Knows nothing of serving.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.serving.rounds import Say
from bundles.serving import build_serving
from bundles.sources import files_below
from cli.project import ROOT, Project
from cli.reviews import read_reviews
from cli.sample import write_sample
from training_code.artifacts import CONTAINERS
from training_code.examples import Rows, read_rows

PROGRAMS = Path(__file__).with_name("programs")
MINILM, BERT = "MiniLM-L6", "BERT-base"
FINE_TUNING = {
    "epochs": "2",
    "batch-size": "32",
    "learning-rate": "1e-4",
    "max-length": "128",
    "max-train-rows": "6000",
    "quantize": "never",
}
# One step too small to change a weight: what follows training (export, quantisation, calibration, gate) is wanted.
EXPORT_ONLY = {
    "epochs": "1",
    "max-steps": "1",
    "learning-rate": "1e-12",
    "head-learning-rate": "1e-12",
    "max-length": "128",
    "max-train-rows": "2000",
}
BERT_VALIDATION_ROWS, BERT_TEST_ROWS = 400, 300
GATE_FILES = ("cascade.json", "cascade.safetensors")


class BenchmarkError(Exception):
    """What keeps the benchmark from running, in one sentence."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """A model on both sides: a folder as `transformers` writes it, and the three artifacts packed from it."""

    name: str
    folder: Path
    artifacts: tuple[Path, ...]
    evaluation: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Models:
    """Everything that is served, and the frozen test rows that it is asked about."""

    plain: Mapping[str, Served]
    cascade: Served | None
    """MiniLM behind its gate; None where the gate could not keep its promise on the validation rows."""
    test: Rows
    source: str


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """The folders and interpreters of the preparation."""

    cache: Path
    training_python: Path
    say: Say

    def prepared(self, reviews: Path | None) -> Models:
        """All models, made where they are not there yet."""
        self.cache.mkdir(parents=True, exist_ok=True)
        source = reviews or self.cache / "sample.csv"
        if reviews is None:
            write_sample(source)
        features = self._features(source)
        small = self._fine_tuned(features)
        large = self._widened(small)
        serving = self.cache / "serving.tar.gz"
        build_serving(serving, cache=ROOT / ".build" / "wheels")
        exported = self._exported(MINILM, small, features, {"cascade": "auto"})
        plain = {
            MINILM: self._packed(MINILM, exported, features, serving, gate=False),
            BERT: self._packed(BERT, self._exported(BERT, large, features, {}), features, serving, gate=False),
        }
        has_gate = all((exported / name).is_file() for name in GATE_FILES)
        cascade = self._packed(MINILM, exported, features, serving, gate=True) if has_gate else None
        return Models(
            plain=plain,
            cascade=cascade,
            test=read_rows(features / "test", split="test"),
            source="the generated sample" if reviews is None else reviews.name,
        )

    def _features(self, source: Path) -> Path:
        code = {path.name: path for path in sorted((ROOT / "training_code" / "features").glob("*.py"))}
        target = self.cache / f"features-{_digest([source.read_bytes(), *_contents(code)])}"
        if not (target / "features.json").is_file():
            self.say(f"reviews of {source.name} to features")
            raw = target / "raw"
            raw.mkdir(parents=True, exist_ok=True)
            found = read_reviews(source, named={}, skip_bad=True)
            rows = pa.Table.from_pylist([asdict(review) for review in found.reviews])
            pq.write_table(rows, raw / "reviews.parquet")
            self._python(["-m", "training_code.features", "--input", str(raw), "--output", str(target)])
            shutil.rmtree(raw)
        for split, rows in (("validation", BERT_VALIDATION_ROWS), ("test", BERT_TEST_ROWS)):
            few = target / "few" / split / "part-0.parquet"
            few.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pq.read_table(target / split / "part-0.parquet").slice(0, rows), few)
        return target

    def _fine_tuned(self, features: Path) -> Path:
        target = self.cache / f"fine-tuned-{_digest([features.name.encode(), _json(FINE_TUNING)])}"
        if not (target / "training.json").is_file():
            self.say("fine-tuning MiniLM-L6 on the reviews, once; about 5 minutes on 2 cores")
            self._train(target, features / "train", features / "validation", FINE_TUNING)
        return target

    def _widened(self, small: Path) -> Path:
        program = PROGRAMS / "widen.py"
        target = self.cache / f"widened-{_digest([small.name.encode(), program.read_bytes()])}"
        if not (target / "model.safetensors").is_file():
            self.say("copying it into BERT-base's shape")
            self._python([str(program), str(small), str(target)])
        return target

    def _exported(self, shape: str, base: Path, features: Path, further: Mapping[str, str]) -> Path:
        code = _contents(files_below(ROOT / "training_code"))
        wanted = {**EXPORT_ONLY, "base": str(base), **further}
        target = self.cache / f"exported-{_digest([base.name.encode(), _json(wanted), *code])}"
        if not (target / "training.json").is_file():
            self.say(f"{shape}: export, quantisation and calibration by the training job")
            validation = features / "few" / "validation" if shape == BERT else features / "validation"
            self._train(target, features / "train", validation, wanted)
        return target

    def _packed(self, shape: str, model: Path, features: Path, serving: Path, *, gate: bool) -> Served:
        key = _digest([model.name.encode(), serving.read_bytes(), str(gate).encode()])
        target = self.cache / f"release-{key}"
        if not (target / "evaluation.json").is_file():
            kind = "with its gate" if gate else "alone"
            self.say(f"{shape} {kind}: packed and measured on the test rows by the evaluation job")
            source = target / "model"
            left_out = () if gate else GATE_FILES
            shutil.copytree(model, source, ignore=shutil.ignore_patterns(*left_out), dirs_exist_ok=True)
            test = features / "few" / "test" if shape == BERT else features / "test"
            arguments = {"model": source, "test": test, "serving": serving, "output": target, "release": target}
            command = ["-m", "training_code.evaluate", "--run", "benchmark"]
            for name, path in arguments.items():
                command += [f"--{name}", str(path)]
            self._python(command)
            shutil.rmtree(source)
        return Served(
            name=f"{shape} with its gate" if gate else shape,
            folder=model,
            artifacts=tuple(target / f"{container}.tar.gz" for container in CONTAINERS),
            evaluation=json.loads((target / "evaluation.json").read_text(encoding="utf-8")),
        )

    def _train(self, target: Path, train: Path, validation: Path, hyperparameters: Mapping[str, str]) -> None:
        """Into a folder beside `target`, which gets its name when all is there."""
        draft = target.with_suffix(".part")
        shutil.rmtree(draft, ignore_errors=True)
        places = {
            "SM_CHANNEL_TRAIN": str(train),
            "SM_CHANNEL_VALIDATION": str(validation),
            "SM_MODEL_DIR": str(draft),
            "SM_OUTPUT_DATA_DIR": str(draft / "output" / "data"),
        }
        flags = [text for name, value in hyperparameters.items() for text in (f"--{name}", value)]
        self._python([str(ROOT / "training_code" / "train.py"), *flags], places)
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)

    def _python(self, command: Sequence[str], settings: Mapping[str, str] | None = None) -> None:
        """Run in the training environment; what it says goes on, its failure is ours."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", **(settings or {})}
        with subprocess.Popen(
            [self.training_python, *command],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            last = ""
            for line in process.stdout or ():
                last = line.strip() or last
                if not line.startswith("{"):
                    self.say(f"    {line.rstrip()}")
        if process.returncode:
            raise BenchmarkError(f"{' '.join(command[:2])} failed: {last}")


def workshop(say: Say) -> Workshop:
    project = Project.from_env()
    return Workshop(cache=project.build / "benchmarks", training_python=project.python(".venv-training"), say=say)


def _contents(files: Mapping[str, Path]) -> list[bytes]:
    return [files[name].read_bytes() for name in sorted(files)]


def _json(value: Mapping[str, str]) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _digest(parts: Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:12]
