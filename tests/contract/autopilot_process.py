"""Run by the training environment: fits a candidate of each estimator, and says what scikit-learn answers to rows.

Rows come as JSON on stdin; tables lie in the folder of the command line, and candidates go there. Not imported by a
test.
"""

import json
import sys
import warnings
from pathlib import Path

from local.sagemaker.builtin import autopilot_estimators as estimators
from local.sagemaker.builtin.autopilot_candidates import Material
from local.sagemaker.builtin.autopilot_features import FittedFeatures
from local.sagemaker.builtin.autopilot_space import Features, Recipe
from local.sagemaker.builtin.autopilot_table import check, columns_of, read_table

RECIPES = (
    Recipe(Features(2, 4, 2, True, 5000), "logistic", {"balanced": True, "c": 2.0}),
    Recipe(Features(3, 0, 1, False, 400), "naive-bayes", {"alpha": 0.3}),
    Recipe(Features(1, 5, 3, True, 5000), "svm", {"balanced": False, "c": 0.2}),
    Recipe(
        Features(1, 0, 3, False, 1000),
        "trees",
        {"balanced": True, "trees": 30, "leaves": 7, "rate": 0.1, "least_rows_of_a_leaf": 5},
    ),
)


def main(folder: Path) -> None:
    """Fit, write and answer."""
    warnings.simplefilter("ignore")
    cells = json.load(sys.stdin)
    answers = {}
    for path in sorted(folder.glob("*.csv")):
        place = folder / "channels" / path.stem
        place.mkdir(parents=True)
        (place / path.name).write_bytes(path.read_bytes())
        table = read_table(place, target="sentiment", only=None, channel="training")
        labels = check(table, None, target="sentiment")
        material = Material(training=table, validation=table, columns=columns_of(table), labels=labels)
        assert {column.kind for column in material.columns} == {"text", "category", "number"}
        for recipe in RECIPES:
            fitted = FittedFeatures(recipe.features, material.columns, table.cells)
            features = fitted.transform(table.cells)
            estimator = estimators.fit(recipe, features, material.classes(table))
            made = folder / f"{recipe.estimator}-{path.stem}"
            fitted.write(made / "processor", labels)
            estimators.write(made / "algorithm", estimator, features=features.shape[1])
            answers[made.name] = estimators.probabilities(estimator, fitted.transform(cells)).tolist()
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
