"""No library reports to its makers what happens in a job or a container."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
from training_code.containers.classify.runtime import load_forward
import openvino.tools.ovc
try:
    import nncf
except ImportError:
    pass
print(sys.modules["openvino_telemetry"], "openvino_telemetry.main" in sys.modules)
"""


def test_openvino_and_nncf_are_loaded_without_their_telemetry() -> None:
    python = ROOT / ".venv-training" / "bin" / "python"
    done = subprocess.run([str(python), "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["None False"], done.stderr
