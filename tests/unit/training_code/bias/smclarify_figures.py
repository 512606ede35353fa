"""Run by the Spark environment, which has smclarify: data sets as JSON on stdin, its bias reports on stdout.

Not imported by a test; knows nothing of this product.
"""

import json
import logging
import sys
import warnings

import pandas as pd
from smclarify.bias import report


def figures(case: dict[str, list[str]]) -> dict[str, dict[str, dict[str, float | str | None]]]:
    """By stage, value and metric: the figure, or None where smclarify has none."""
    # smclarify 0.5 fails on the string columns of pandas 3.
    frame = pd.DataFrame({name: pd.Series(values).astype("category") for name, values in case.items()})
    label = report.LabelColumn("label", frame["label"], ["negative"])
    answer = report.LabelColumn("answer", frame["answer"], ["negative"])
    features = frame[["facet", "label"]]
    stages = {
        "pretraining": report.bias_report(
            features, report.FacetColumn("facet"), label, report.StageType.PRE_TRAINING, group_variable=frame["group"]
        ),
        "posttraining": report.bias_report(
            features,
            report.FacetColumn("facet"),
            label,
            report.StageType.POST_TRAINING,
            answer,
            group_variable=frame["group"],
        ),
    }
    return {
        stage: {
            entry["value_or_threshold"]: {metric["name"]: metric["value"] for metric in entry["metrics"]}
            for entry in entries
        }
        for stage, entries in stages.items()
    }


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    json.dump([figures(case) for case in json.load(sys.stdin)], sys.stdout)
