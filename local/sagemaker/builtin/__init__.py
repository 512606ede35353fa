"""Which of AWS's own images have a stand-in here, known by their repository: a program and the interpreter it needs.

A stand-in runs as `PYTHON -m MODULE` in a job's folder, which stands for the container; Spark's is a command that the
job's own entrypoint calls. Knows nothing of jobs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

# For PYTHONPATH: where these modules are found.
ROOT = Path(__file__).resolve().parents[3]

# registry.host/repository:tag, or @sha256:digest in the tag's place.
_IMAGE = re.compile(r"(?:.*/)?(?P<repository>[^/:@]+)(?:[:@].*)?")


@dataclass(frozen=True)
class Program:
    """A stand-in's module, and the environment whose interpreter runs it.

    ``metrics`` are what a built-in algorithm publishes, by name the expressions that find them in its log; ``command``
    is the name by which an image's entrypoints call it; ``is_cluster`` where it makes one cluster of all instances.
    """

    module: str
    python: Literal["training", "spark"]
    metrics: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    is_cluster: bool = False


PROGRAMS: Mapping[str, Program] = MappingProxyType(
    {
        "blazingtext": Program(
            "local.sagemaker.builtin.blazingtext",
            "training",
            # https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext-tuning.html
            metrics=MappingProxyType(
                {
                    "train:accuracy": r"#train_accuracy: ([0-9.eE+-]+)",
                    "validation:accuracy": r"#validation_accuracy: ([0-9.eE+-]+)",
                }
            ),
        ),
        "sagemaker-clarify-processing": Program("local.sagemaker.builtin.clarify", "training"),
        "sagemaker-spark-processing": Program(
            "local.sagemaker.builtin.spark", "spark", command="smspark-submit", is_cluster=True
        ),
    }
)


def program_for(image: str) -> Program | None:
    """The stand-in for an image; None where the image has none, or is no image's address."""
    found = _IMAGE.fullmatch(image)
    return PROGRAMS.get(found["repository"]) if found else None
