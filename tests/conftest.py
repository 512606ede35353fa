"""What tests of several folders share: one synthesis of the app per session, and no property judged by the clock."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests import synthesis
from tests.synthesis import Assembly, stand_in_assets

if TYPE_CHECKING:
    from aws_cdk import App

# How long an example takes says how busy the machine is; what is to be quick is measured in `benchmarks/`.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


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
