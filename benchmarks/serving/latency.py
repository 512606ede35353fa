"""The median time of one request of 128 tokens, against PyTorch eager in fp32.

Ours is the whole way, three containers over HTTP; beside it the same code in one process. Knows nothing of load.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.report import percentile
from benchmarks.serving.bench import Bench
from benchmarks.serving.measures import Goal, Measure
from benchmarks.serving.models import BERT, MINILM
from benchmarks.serving.sides import Ours

REQUESTS = {BERT: 10, MINILM: 30}
GOALS = {BERT: 5.5, MINILM: 4.5}


def measure(bench: Bench) -> list[Measure]:
    measures = []
    for shape, served in bench.models.plain.items():
        bench.say(f"one request of 128 tokens, {shape}")
        torch, hosted, joined = bench.torch(shape), bench.hosted(served), bench.joined(served)
        texts = bench.long_texts(bench.thoroughness.items(REQUESTS[shape]))

        sides: dict[str, Callable[[], list[float]]] = {
            "eager": lambda torch=torch, texts=texts: torch.ask("eager", texts),  # type: ignore[misc]
            "ours": lambda hosted=hosted, texts=texts: _milliseconds(hosted, texts),  # type: ignore[misc]
            "joined": lambda joined=joined, texts=texts: joined.ask("single", texts),  # type: ignore[misc]
        }
        medians: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(bench.thoroughness.rounds + 1):
            for name, work in sides.items():
                medians[name].append(percentile(work(), 0.5))
            if number:
                bench.say("  " + ", ".join(f"{name} {found[-1]:.1f} ms" for name, found in medians.items()))
        best = {name: min(found[1:]) for name, found in medians.items()}
        for name, title, goal in (
            ("ours", "eager fp32", Goal.times(GOALS[shape])),
            ("joined", "eager fp32, ours in one process", None),
        ):
            measures.append(
                Measure(
                    name=f"{shape}: p50 of one request, {title}",
                    unit="ms",
                    baseline=best["eager"],
                    ours=best[name],
                    ratio=best["eager"] / best[name],
                    goal=goal,
                )
            )
    return measures


def _milliseconds(ours: Ours, texts: list[str]) -> list[float]:
    taken = []
    for text in texts:
        started = time.perf_counter()
        ours.ask([text])
        taken.append((time.perf_counter() - started) * 1000)
    return taken
