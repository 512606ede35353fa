"""The code of the training and processing jobs, as SageMaker's script mode takes it: `sourcedir.tar.gz`.

Knows which packages AWS's PyTorch images lack. torch, transformers, tokenizers and numpy are the image's own and are
not touched, since its toolkits rely on them. Does not know what a job does.
"""

from pathlib import Path

from bundles.locks import TRAINING, pinned_for_each
from bundles.sources import ROOT, files_below
from training_code.artifacts import write_archive

LIBRARIES = (
    *("duckdb", "ibis-framework", "nncf", "onnx", "onnxscript", "openvino", "pyarrow", "pyarrow-hotfix"),
    *("scikit-learn", "scipy", "sqlglot"),
    # The reports, and what they tell.
    *("jinja2", "markupsafe", "matplotlib", "numba", "shap"),
    # Reads what BlazingText writes.
    "fasttext-numpy2-wheel",
)


def sources() -> dict[str, Path]:
    """Every file that goes in, by name."""
    return files_below(ROOT / "feedback") | files_below(ROOT / "model_artifact") | files_below(ROOT / "training_code")


def pins() -> tuple[str, ...]:
    """The requirements of a job, a line for each range of Pythons.

    The local environment has the same, so pip finds nothing to do there.
    """
    return tuple(pin.requirement for name in LIBRARIES for pin in pinned_for_each(name, TRAINING))


def build_jobs(target: Path) -> None:
    """Write the archive with our packages and `requirements.txt` at its root."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    write_archive(partial, sources(), {"requirements.txt": "".join(f"{line}\n" for line in pins()).encode("ascii")})
    partial.replace(target)
