from __future__ import annotations

from tests.unit.training_code.model_kit import run_training_python


def test_whole_columns_are_cleaned_told_and_signed_as_each_text_alone() -> None:
    done = run_training_python("-m", "tests.unit.training_code.features.in_training_environment")
    assert done.returncode == 0, done.stderr
