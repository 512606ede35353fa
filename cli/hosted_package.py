"""A registered model, hosted on this machine for as long as it is asked something.

Responsible for fetching its artifacts and for the three containers' life. The artifacts are exactly those that the
endpoint would serve. It does not know what is asked.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.connection import Connection
from cli.errors import Problem
from cli.models import Package
from cli.project import Project

CONTENT_TYPE = "application/jsonlines"
ENVIRONMENT = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}


@contextmanager
def hosted(connection: Connection, package: Package) -> Iterator[Callable[[bytes], bytes]]:
    """Yields a function from a request of JSON Lines to the answer's JSON Lines."""
    from local.sagemaker.hosting import Chain, ChainError, ContainerError

    python = Project.from_env().python(".venv-serving")
    with tempfile.TemporaryDirectory(prefix="earshot-model-") as name:
        folder = Path(name)
        archives = _download(connection, package, folder)
        try:
            chain = Chain.from_archives(
                archives, python=python, folder=folder / "hosted", environments=[ENVIRONMENT] * len(archives)
            )
        except (ContainerError, ValueError) as error:
            raise Problem(f"Model package version {package.version} does not start: {error}") from None
        with chain:

            def invoke(body: bytes) -> bytes:
                try:
                    return chain.invoke(body, content_type=CONTENT_TYPE, accept=CONTENT_TYPE).body
                except ChainError as error:
                    raise Problem(f"Model package version {package.version} failed: {error}") from None

            yield invoke


def _download(connection: Connection, package: Package, folder: Path) -> list[Path]:
    client = connection.client("s3")
    archives: list[Path] = []
    for position, address in enumerate(package.artifacts):
        bucket, _, key = address.removeprefix("s3://").partition("/")
        archive = folder / f"{position}.tar.gz"
        with archive.open("wb") as file:
            client.download_fileobj(bucket, key, file)
        archives.append(archive)
    return archives
