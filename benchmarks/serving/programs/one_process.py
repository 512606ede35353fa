"""The three containers in one process, without a server, in the serving environment: a JSON command a line, one answer.

    python one_process.py FOLDER

FOLDER holds the three artifacts, unpacked; the code is the product's own (`training_code.containers.serve_all`). Times
are taken here, so that reading commands does not count.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

JSON_LINES = "application/jsonlines"


def main(folder: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    from training_code.containers import serve_all

    model = serve_all.model_fn(folder)

    def answer(texts: list[str]) -> float:
        """Seconds of one request."""
        body = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
        started = time.perf_counter()
        serve_all.output_fn(serve_all.predict_fn(serve_all.input_fn(body, JSON_LINES), model), JSON_LINES)
        return time.perf_counter() - started

    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        command, texts = json.loads(line)
        result: Any = answer(texts) if command == "batch" else [1000 * answer([text]) for text in texts]
        print(json.dumps(result), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
