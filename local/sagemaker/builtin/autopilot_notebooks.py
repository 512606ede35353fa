"""The two notebooks that a job leaves: the data as it was found, and the candidates as they were tried.

They are files of nbformat 4, with tables as Markdown and cells that a person can run further. No cell of the table
comes into them. Knows no models.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from local.sagemaker.builtin.autopilot_table import Column, Table

DATA_EXPLORATION = "SageMakerAutopilotDataExplorationNotebook.ipynb"
CANDIDATE_DEFINITION = "SageMakerAutopilotCandidateDefinitionNotebook.ipynb"


def data_exploration(job: str, tables: Mapping[str, Table], columns: Sequence[Column], *, target: str) -> str:
    """The data by channel, label and column."""
    training = tables["training"]
    counts = Counter(training.targets)
    read = (
        "import pandas as pd\n\ntraining = pd.read_csv(TRAINING_URI)  # s3fs or awswrangler is needed\ntraining.head()"
    )
    return _notebook(
        _markdown(f"# Data exploration of {job}\n\nWhat the job's channels hold, before anything was learned from it."),
        _markdown(_table(["channel", "rows"], [[name, len(table)] for name, table in tables.items()])),
        _markdown(
            f"## The target column `{target}`\n\n"
            + _table(
                ["label", "rows", "share"],
                [[label, count, f"{count / len(training):.1%}"] for label, count in counts.most_common()],
            )
        ),
        _markdown(
            "## The other columns\n\n"
            + _table(
                ["column", "taken as", "distinct values", "empty cells", "words of a cell"],
                [[each.name, each.kind, each.distinct, each.empty, each.mean_words] for each in columns],
            )
            + "\n\nA column that never varies, or whose values are too many to be categories and too short to be text, "
            "is not used."
        ),
        _code(f'TRAINING_URI = "s3://..."  # the training channel\n{read}'),
        _code(f"training[{target!r}].value_counts(normalize=True)"),
    )


def candidate_definition(job: str, leaderboard: Sequence[Mapping[str, Any]], *, objective: str) -> str:
    """The candidates, best first: each with ``name``, ``status``, ``value``, ``seconds`` and ``recipe``."""
    rows = [
        [
            place,
            each["name"],
            each["status"],
            "" if each["value"] is None else f"{each['value']:.4f}",
            f"{each['seconds']:.1f}",
            ", ".join(f"{name} {value}" for name, value in each["recipe"].items()),
        ]
        for place, each in enumerate(leaderboard, start=1)
    ]
    deploy = (
        "import boto3\n\n"
        'sagemaker = boto3.client("sagemaker")\n'
        f"job = sagemaker.describe_auto_ml_job_v2(AutoMLJobName={job!r})\n"
        'sagemaker.create_model(ModelName="MODEL", ExecutionRoleArn="ROLE", '
        'Containers=job["BestCandidate"]["InferenceContainers"])'
    )
    return _notebook(
        _markdown(f"# Candidates of {job}\n\nEach was fitted on the training channel and scored on validation rows."),
        _markdown(
            f"## Leaderboard by {objective}\n\n"
            + _table(["", "candidate", "status", objective, "seconds", "recipe"], rows)
        ),
        _markdown("## The best one as it is\n\nThree containers: features, the algorithm, and labels."),
        _code(deploy),
    )


def _notebook(*cells: Mapping[str, Any]) -> str:
    numbered = [{**cell, "id": f"cell-{number}"} for number, cell in enumerate(cells, start=1)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {
        "cells": numbered,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1) + "\n"


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(text: str) -> dict[str, Any]:
    lines = text.splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": lines}


def _table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: object) -> str:
    """Column names and labels come from the data: they must not break the table or bring markup."""
    text = str(value).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
    return text[:200]
