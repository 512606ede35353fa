"""Reads the small JSON files of a served artifact. Knows nothing of tar files or of how an artifact was built."""

from __future__ import annotations

import json
from pathlib import Path


def read_json(model_dir: str, name: str) -> dict[str, object]:
    """An object from the artifact's root; RuntimeError in one sentence when it is missing or no object."""
    path = Path(model_dir) / name
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RuntimeError(f"The model artifact has no {name}.") from None
    except ValueError:
        raise RuntimeError(f"{name} in the model artifact is not JSON.") from None
    if not isinstance(value, dict):
        raise RuntimeError(f"{name} in the model artifact is not an object.")
    return value
