"""What tests of several folders share: one synthesis of the app per session."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import synthesis
from tests.synthesis import Assembly, stand_in_assets

if TYPE_CHECKING:
    from aws_cdk import App


@pytest.fixture(scope="session")
def synthesised_app(tmp_path_factory: pytest.TempPathFactory) -> "App":
    """The app of all stages, synthesised."""
    folder = tmp_path_factory.mktemp("app")
    return synthesis.synthesised_app(stand_in_assets(folder / "build"), folder / "cdk.out", validate=False)


@pytest.fixture(scope="session")
def assembly(synthesised_app: "App") -> Path:
    """The folder of the synthesised cloud assembly of all stages."""
    return Path(synthesised_app.outdir)


@pytest.fixture(scope="session")
def app(assembly: Path) -> Assembly:
    """The same by stage, stack and type of resource."""
    return Assembly(assembly)
