"""Tells a harmless model artifact from one that could run code, hide something or fill a disk, before it is loaded.

Three questions: is this archive safe to unpack and to load (`inspect_archive`, which writes nothing), is this folder
(`inspect_folder`), and does this folder hold what its manifest lists (`verify_folder`). A refusal is one
`UnsafeArtifactError` with a code and a sentence that names the member.

Standard library alone, Python 3.10 or newer, so that the containers, the functions and the local AWS ask the same code.
Knows the formats of data; nothing of S3, of how an artifact is built or of what a model answers.
"""

from model_artifact.archive import inspect_archive
from model_artifact.errors import UnsafeArtifactError
from model_artifact.folder import inspect_folder, verify_folder
from model_artifact.inspection import Inspection, Member
from model_artifact.limits import DEFAULT_LIMITS, Limits
from model_artifact.manifest import MANIFEST, manifest_files

__all__ = [
    "DEFAULT_LIMITS",
    "MANIFEST",
    "Inspection",
    "Limits",
    "Member",
    "UnsafeArtifactError",
    "inspect_archive",
    "inspect_folder",
    "manifest_files",
    "verify_folder",
]
