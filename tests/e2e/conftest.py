"""One deployed Earshot for the whole session: the demo is told once, and each test looks at what came of it."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.sample import write_sample
from tests.e2e.product import Product

SAMPLE_ROWS = 2500
TEST_SECONDS = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The limit is a test's own: whichever comes first waits for a whole deployment, whose commands have limits."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(TEST_SECONDS, func_only=True))


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product, not started yet; whatever runs at the end is stopped."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    product = Product(home=tmp_path_factory.mktemp("earshot"), port=port)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EARSHOT_HOME", str(product.home))
        patch.setenv("EARSHOT_PORT", str(port))
        yield product
    product.run("down")


@pytest.fixture(scope="session")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample small enough that a model is trained in about a minute."""
    path = tmp_path_factory.mktemp("reviews") / "reviews.csv"
    write_sample(path, rows=SAMPLE_ROWS)
    return path


@pytest.fixture(scope="session")
def told(product: Product, reviews: Path) -> dict[str, Any]:
    """What the demo says it did, from nothing to the Athena query."""
    document: dict[str, Any] = product.json("demo", "--reviews", str(reviews))
    return document
