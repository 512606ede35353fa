"""Which of our files a program needs."""

from pathlib import Path

import pytest

from bundles.errors import BuildError
from bundles.serving import OUR_PACKAGES, program
from bundles.sources import files_below, imported_files
from training_code.artifacts import CONTAINERS


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        "ours/__init__.py": "",
        "ours/used.py": "from ours.inner import deep\nimport json\n",
        "ours/inner/__init__.py": "",
        "ours/inner/deep.py": "import numpy\n",
        "ours/unused.py": "import ours.used\n",
        "ours/__pycache__/used.cpython-311.pyc": "",
        "program.py": "from ours import used\nfrom theirs import thing\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_imports_are_followed_through_our_packages_only(project: Path) -> None:
    found = imported_files(project / "program.py", packages=("ours",), root=project)
    assert list(found) == ["ours/__init__.py", "ours/inner/__init__.py", "ours/inner/deep.py", "ours/used.py"]


def test_what_python_leaves_behind_is_no_source(project: Path) -> None:
    assert "ours/__pycache__/used.cpython-311.pyc" not in files_below(project / "ours", root=project)


def test_a_missing_folder_or_program_is_named(project: Path) -> None:
    with pytest.raises(BuildError, match="nowhere"):
        files_below(project / "nowhere", root=project)
    with pytest.raises(BuildError, match=r"nothing\.py"):
        imported_files(project / "nothing.py", packages=("ours",), root=project)


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_container_carries_no_training_code(container: str) -> None:
    """A change of the training must not change what is served, nor may torch be asked for."""
    found = imported_files(program(container), packages=OUR_PACKAGES)
    assert "training_code/containers/manifest.py" in found
    assert all(
        name.startswith(("training_code/containers/", "feedback/", "model_artifact/"))
        or name == "training_code/__init__.py"
        for name in found
    )
