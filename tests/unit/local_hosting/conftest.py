"""A hosting for each test, ended with all its containers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.local_hosting.hosting_kit import HostingKit


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[HostingKit]:
    """Hosting over an S3, logs and events in memory."""
    made = HostingKit(tmp_path)
    yield made
    made.hosting.close()
    made.store.close()
