"""What tests of several folders share: one synthesis of the app per session."""

from pathlib import Path

import pytest

from tests.synthesis import Assembly, stand_in_assets, synthesise


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the synthesised cloud assembly of all stages."""
    folder = tmp_path_factory.mktemp("app")
    return synthesise(stand_in_assets(folder / "build"), folder / "cdk.out", validate=False)


@pytest.fixture(scope="session")
def app(assembly: Path) -> Assembly:
    """The same by stage, stack and type of resource."""
    return Assembly(assembly)
