"""What TF-IDF teaches a network: the truth, and in part what it says of a row without having seen that row's own."""

from __future__ import annotations

import json

from tests.unit.training_code.model_kit import run_training_python

TEACH = """
import json
import numpy as np
from training_code.teacher import taught

texts = [f"{word} number {place}" for place in range(60) for word in ("awful", "fine", "lovely")]
targets = np.arange(180) % 3
targets[0] = 2  # A slip: everything else that is awful is in the first class.
mixed = taught(texts, targets, of=4, share=0.5, seed=7)
alone = taught(texts, targets, of=4, share=0.0, seed=7)
print(json.dumps({
    "type": str(mixed.dtype),
    "sums": [float(mixed.sum(axis=1).min()), float(mixed.sum(axis=1).max())],
    "slip": mixed[0].tolist(),
    "of_nobody": float(mixed[:, 3].max()),
    "truth": bool((alone == np.eye(4)[targets]).all()),
}))
"""


def test_a_row_that_others_contradict_is_taught_as_doubtful() -> None:
    done = run_training_python("-c", TEACH)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["type"] == "float32"
    assert [round(total, 5) for total in said["sums"]] == [1, 1]
    # Half of the first class, which the words say, and half of the third, which the rating says.
    assert said["slip"][0] > 0.4
    assert 0.5 < said["slip"][2] < 0.6
    assert said["of_nobody"] == 0
    assert said["truth"]
