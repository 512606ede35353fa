"""All that is fuzzed, in one list. Knows where the tiny model of the container targets is written."""

from __future__ import annotations

from pathlib import Path

from benchmarks.fuzz.artifact_targets import artifact_targets
from benchmarks.fuzz.container_targets import container_targets
from benchmarks.fuzz.feedback_targets import feedback_targets
from benchmarks.fuzz.target import Target


def targets(scratch: Path) -> list[Target]:
    """Every parser of the endpoint and of the channels. `scratch` is a folder for what they write and read."""
    return [*container_targets(scratch), *artifact_targets(), *feedback_targets()]
