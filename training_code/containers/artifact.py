"""Opens the artifact that a container was started with: whole, made for this container, its libraries importable.

Until that is done nothing is imported that came as a wheel. Knows nothing of what the files mean.
"""

from __future__ import annotations

from pathlib import Path

from model_artifact import UnsafeArtifactError, verify_folder
from training_code.containers import vendored


def open_artifact(model_dir: str, *, container: str) -> str:
    """The model version that the manifest states.

    RuntimeError in one sentence when a file is missing, changed or not listed, or the artifact is another container's.
    """
    try:
        manifest = verify_folder(model_dir, container=container)
    except UnsafeArtifactError as error:
        raise RuntimeError(str(error)) from None
    vendored.put_on_path(Path(model_dir) / "code" / vendored.FOLDER)
    return str(manifest["model_version"])
