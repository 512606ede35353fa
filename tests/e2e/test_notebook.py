"""The notebook in docs/ is run as a reader would run it, against the deployed product."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.product import ROOT, Product

JUPYTER = ROOT / ".venv-notebook" / "bin" / "jupyter"


@pytest.mark.usefixtures("told")
def test_the_exploration_notebook_runs_to_its_end_and_draws_its_figures(product: Product, tmp_path: Path) -> None:
    notebook = tmp_path / "exploration.ipynb"
    notebook.write_bytes((ROOT / "docs" / "exploration.ipynb").read_bytes())
    done = subprocess.run(
        [JUPYTER, "execute", notebook, "--inplace"],
        env=product.client_environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    outputs: list[dict[str, Any]] = [
        output
        for cell in json.loads(notebook.read_text("utf-8"))["cells"]
        if cell["cell_type"] == "code"
        for output in cell["outputs"]
    ]
    figures = [output for output in outputs if "image/png" in output.get("data", {})]
    tables = [output for output in outputs if "text/html" in output.get("data", {})]
    assert len(figures) == 5
    assert len(tables) >= 6
