"""The built serving code installs the way AWS's toolkits install it, without any package index.

Needs what `make build` leaves, and takes a few seconds for each container.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from bundles.serving import BUILT_BY_PIP
from bundles.sources import ROOT
from training_code.artifacts import CONTAINERS, unpack

SERVING = ROOT / ".build" / "serving" / "serving.tar.gz"
pytestmark = pytest.mark.skipif(not SERVING.is_file(), reason="the bundles are not built: run make build")

# What sagemaker-containers writes beside the code before it runs `pip install .`:
# https://github.com/aws/sagemaker-containers/blob/master/src/sagemaker_containers/_modules.py
SETUP = (
    "from setuptools import setup\nsetup(packages=[''], name='inference', version='1.0.0', include_package_data=True)\n"
)
MANIFEST = "recursive-include . *\nrecursive-exclude . __pycache__*\nrecursive-exclude . *.pyc\n"
IMPORTED = {"transform": "tokenizers", "classify": "openvino", "label": None}


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serving")
    unpack(SERVING, folder)
    return folder


@pytest.fixture(scope="module")
def numpy_folder() -> Path:
    """The image has numpy; here this environment's stands for it."""
    import numpy

    return Path(numpy.__file__).parent.parent


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_container_installs_and_imports_its_code_without_an_index(
    container: str, code: Path, numpy_folder: Path, tmp_path: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_CACHE_DIR": "1"}
    venv.create(tmp_path / "image", with_pip=True)
    python = tmp_path / "image" / "bin" / "python"
    site = tmp_path / "image" / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    for part in ("numpy", "numpy.libs", next(numpy_folder.glob("numpy-*.dist-info")).name):
        if (numpy_folder / part).exists():
            (site / part).symlink_to(numpy_folder / part)
    place = code / container / "code"
    if container in BUILT_BY_PIP:
        (place / "setup.py").write_text(SETUP)
        (place / "MANIFEST.in").write_text(MANIFEST)
        command = [str(python), "-m", "pip", "install", ".", "-r", "requirements.txt"]
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (place / "requirements.txt").exists() == (container in BUILT_BY_PIP)
    module = IMPORTED[container]
    program = "from pathlib import Path\nfrom training_code.containers import vendored\n"
    program += f"vendored.put_on_path(Path({str(place)!r}) / vendored.FOLDER)\n"
    program += f"import {module}\nassert 'earshot-libraries' in {module}.__file__\n" if module else ""
    program += "import inference\nprint(inference.model_fn.__name__)"
    environment["PYTHONPATH"] = str(place)
    done = subprocess.run([str(python), "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "model_fn", done.stderr
