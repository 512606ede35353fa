"""The file that `smspark-submit` takes in SageMaker's Spark container: the features job on Spark.

    smspark-submit training_code/features/submit.py --input DIR --output DIR ...

The project's code must lie at the same place on every node. Knows nothing of rows.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main(argv: list[str]) -> int:
    # A file's own folder comes first in sys.path, where `files` or `page` could stand for another's module.
    sys.path[0] = str(ROOT)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    from training_code.features.__main__ import main as features

    return features([*argv, *(() if "--engine" in argv else ("--engine", "spark"))])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
