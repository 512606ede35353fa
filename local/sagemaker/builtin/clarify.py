"""What SageMaker Clarify's container does for bias analyses, here: reads its inputs, writes analysis.json and a report.

    python3 -m local.sagemaker.builtin.clarify

Finds its folders as AWS's container does, in the processing job's own description: the inputs `analysis_config` and
`dataset`, the output `analysis_result`. What Clarify does beyond bias (SHAP, partial dependence, asking a model) ends
the job with a sentence in /opt/ml/output/message. Knows nothing of S3.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training_code.bias import analysis, dataset
from training_code.failures import JobError, run_job
from training_code.progress import say

JOB_DESCRIPTION = Path("config", "processingjobconfig.json")
CONFIG_FILE = "analysis_config.json"
_METHODS = {analysis.PRETRAINING, analysis.POSTTRAINING, "report"}
_ELSEWHERE = ("dataset_uri", "facet_dataset_uri", "predicted_label_dataset_uri")
_VERSIONS = (None, "1.0")


def run(opt_ml: Path) -> None:
    """The analysis of one job whose /opt/ml is this folder."""
    description = _json(opt_ml / JOB_DESCRIPTION, "job description")
    config_file = _input(opt_ml, description, "analysis_config") / CONFIG_FILE
    config = _json(config_file, "analysis configuration")
    _refuse_what_is_not_here(config)
    data = dataset.read_csv(_input(opt_ml, description, "dataset"), headers=config.get("headers"))
    say(f"{data.rows} rows, {len(config.get('facet', []))} facets")
    document = analysis.analyse(config, data)
    output = _output(opt_ml, description)
    output.mkdir(parents=True, exist_ok=True)
    (output / "analysis.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    # Here, because pages need jinja2, and a refused job needs no page.
    from training_code.bias.analysis_report import analysis_page

    report = config["methods"].get("report", {})
    page = analysis_page(document, title=report.get("title", "Bias analysis"))
    (output / f"{report.get('name', 'report')}.html").write_text(page, encoding="utf-8")
    say("the analysis is written")


def _json(path: Path, what: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise JobError(f"There is no {what} {path.name}.") from error
    except ValueError as error:
        raise JobError(f"The {what} {path.name} is no JSON in UTF-8: {error}.") from error


def _input(opt_ml: Path, description: Mapping[str, Any], name: str) -> Path:
    for given in description.get("ProcessingInputs", []):
        if given["InputName"] == name:
            return _place(opt_ml, given["S3Input"]["LocalPath"])
    raise JobError(f"The processing job has no input named {name!r}.")


def _output(opt_ml: Path, description: Mapping[str, Any]) -> Path:
    outputs = description.get("ProcessingOutputConfig", {}).get("Outputs", [])
    if len(outputs) != 1:
        raise JobError(f"The processing job must have exactly one output, and has {len(outputs)}.")
    return _place(opt_ml, outputs[0]["S3Output"]["LocalPath"])


def _place(opt_ml: Path, container_path: str) -> Path:
    return opt_ml / Path(container_path).relative_to("/opt/ml")


def _refuse_what_is_not_here(config: Any) -> None:
    if not isinstance(config, dict) or not isinstance(config.get("methods"), dict):
        raise JobError("The analysis configuration has no 'methods'.")
    if config.get("version") not in _VERSIONS:
        raise JobError(f"The analysis configuration has the version {config['version']!r}; there is only '1.0'.")
    if config.get("dataset_type") != "text/csv":
        raise JobError(f"The dataset_type {config.get('dataset_type')!r} is not read here; text/csv is.")
    for key in _ELSEWHERE:
        if key in config:
            raise JobError(f"{key!r} is not read here: give the rows as the processing input 'dataset'.")
    unknown = sorted(set(config["methods"]) - _METHODS)
    if unknown:
        raise JobError(f"The method {unknown[0]!r} is not computed here; there are {', '.join(sorted(_METHODS))}.")
    if not {analysis.PRETRAINING, analysis.POSTTRAINING} & set(config["methods"]):
        raise JobError("The analysis configuration asks for no bias method.")
    if analysis.POSTTRAINING in config["methods"] and "predicted_label" not in config:
        raise JobError("Post-training bias needs 'predicted_label' here: no model is asked.")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="local.sagemaker.builtin.clarify", description=__doc__.partition("\n")[0])
    here = Path("opt/ml")
    default = here if here.is_dir() else Path("/opt/ml")
    parser.add_argument("--opt-ml", type=Path, default=default, help="the folder that stands for /opt/ml")
    opt_ml = parser.parse_args(argv).opt_ml
    return run_job(lambda: run(opt_ml), failure_file=opt_ml / "output" / "message")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
