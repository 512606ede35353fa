from __future__ import annotations

import io
import re
from contextlib import redirect_stdout

import pytest

from training_code import progress


def test_every_metric_line_is_found_by_its_sagemaker_expression() -> None:
    values = {name: (index + 1) / 7 for index, name in enumerate(progress.METRICS)}
    with redirect_stdout(io.StringIO()) as output:
        progress.report_metrics(values, epoch=1, step=20)
    for definition in progress.METRIC_DEFINITIONS:
        found = re.findall(definition["Regex"], output.getvalue())
        assert [float(number) for number in found] == [round(values[definition["Name"]], 6)]


def test_a_metric_without_an_expression_is_a_defect() -> None:
    with pytest.raises(KeyError, match="train:f1"):
        progress.report_metrics({"train:f1": 1.0}, epoch=1, step=1)


def test_the_lines_tell_where_it_is_and_how_long_it_takes() -> None:
    now, said = [0.0], list[str]()
    followed = progress.Progress(total_steps=100, epochs=2, clock=lambda: now[0], say=said.append)
    for step in range(1, 101):
        now[0] += 0.5
        followed.step_done(epoch=1 + step // 51, step=step, samples=16, loss=0.7)
    assert said[0] == "epoch 1/2 step 10/100 loss 0.700 32 samples/s eta 45 s"
    assert said[-1] == "epoch 2/2 step 100/100 loss 0.700 32 samples/s eta 0 s"
    assert len(said) == 10
