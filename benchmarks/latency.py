"""API call to sentiment through three containers, one client, after warm-up.

    .venv/bin/python -m benchmarks.latency [--requests 200] [--json]

Posts sample reviews one by one to the deployed local API (`earshot up` first) and times each from the request's first
byte to the parsed answer, signing included. Goal: p50 at most 25 ms, p99 at most 100 ms.
"""

import tempfile
import time
from pathlib import Path
from uuid import uuid4

from benchmarks.report import arguments, finish, percentile, show
from cli.api import FeedbackApi
from cli.connection import connect
from cli.reviews import read_reviews
from cli.sample import write_sample

WARM_UP = 20


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--requests", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reviews.csv"
        write_sample(path, rows=2 * (options.requests + WARM_UP), seed=11)
        texts = [review.text for review in read_reviews(path, named={}, skip_bad=True).reviews if review.text]
    api = FeedbackApi(connect("local"))
    run = uuid4().hex[:12]
    milliseconds: list[float] = []
    answered_at_once = 0
    for number, text in enumerate(texts[: options.requests + WARM_UP]):
        started = time.perf_counter()
        answer = api.send({"id": f"latency-{run}-{number}", "channel": "web", "text": text})
        taken = (time.perf_counter() - started) * 1000
        if number >= WARM_UP:
            milliseconds.append(taken)
            answered_at_once += answer.status == 200
    result = {
        "requests": len(milliseconds),
        "answered at once": answered_at_once,
        "p50 ms": percentile(milliseconds, 0.5),
        "p90 ms": percentile(milliseconds, 0.9),
        "p99 ms": percentile(milliseconds, 0.99),
        "max ms": max(milliseconds),
    }
    show("API to sentiment, three containers, one client", [result], note="goal: p50 <= 25, p99 <= 100")
    finish(options.json, result)


if __name__ == "__main__":
    main()
