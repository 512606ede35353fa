"""Messages per second: our containers against the course's handler and against the toolkit's default one.

And what follows from it: dollars per million messages, and how far a small model behind a gate outruns BERT-base served
the course's way. Knows nothing of accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from benchmarks.serving.bench import Bench
from benchmarks.serving.measures import Goal, Measure
from benchmarks.serving.models import BERT, MINILM, Served
from benchmarks.serving.rounds import Best, Side, interleaved
from cli.prices import price_table
from stacks.settings import DEV

COURSE, PIPELINE, HOSTED, JOINED, GATED = "course", "toolkit default", "ours", "ours in one process", "with gate"
# So many texts that every side works for a second or two in a round.
TEXTS: Mapping[str, Mapping[str, int]] = {
    BERT: {COURSE: 8, PIPELINE: 8, HOSTED: 96, JOINED: 64},
    MINILM: {COURSE: 32, PIPELINE: 32, HOSTED: 512, JOINED: 256},
}
GATED_TEXTS = 1024
DOLLAR_GOALS = {BERT: 0.70, MINILM: 0.11}
SECONDS_PER_HOUR = 3600


def measure(bench: Bench) -> list[Measure]:
    measures: list[Measure] = []
    for shape, served in bench.models.plain.items():
        bench.say(f"messages per second, {shape}")
        found = interleaved(_sides(bench, shape, served), bench.thoroughness.rounds, bench.say)
        measures += [
            _compared(f"{shape}: messages/s, course's handler", found[COURSE], found[HOSTED], Goal.times(10)),
            _compared(f"{shape}: messages/s, toolkit's default", found[PIPELINE], found[HOSTED], Goal.times(6)),
            _compared(f"{shape}: messages/s, course's, ours in one process", found[COURSE], found[JOINED], None),
            _dollars(shape, found[HOSTED]),
        ]
        if shape == BERT and bench.models.cascade is not None:
            measures.append(
                _compared(
                    "MiniLM-L6 with gate: messages/s, BERT-base course's way",
                    found[COURSE],
                    found[GATED],
                    Goal.times(100),
                )
            )
    return measures


def _sides(bench: Bench, shape: str, served: Served) -> dict[str, Side]:
    torch = bench.torch(shape)
    sides = {}
    for name, command in ((COURSE, "course"), (PIPELINE, "pipeline")):
        texts = bench.texts(bench.thoroughness.items(TEXTS[shape][name]))
        sides[name] = Side(items=len(texts), work=partial(torch.ask, command, texts), pids=lambda: torch.pids)
    sides[HOSTED] = _hosted(bench, served, TEXTS[shape][HOSTED])
    joined, texts = bench.joined(served), bench.texts(bench.thoroughness.items(TEXTS[shape][JOINED]))
    sides[JOINED] = Side(items=len(texts), work=partial(joined.ask, "batch", texts), pids=lambda: joined.pids)
    if shape == BERT and bench.models.cascade is not None:
        sides[GATED] = _hosted(bench, bench.models.cascade, GATED_TEXTS)
    return sides


def _hosted(bench: Bench, served: Served, count: int) -> Side:
    ours, texts = bench.hosted(served), bench.texts(bench.thoroughness.items(count))
    return Side(items=len(texts), work=partial(ours.ask, texts), pids=lambda: ours.pids)


def _compared(name: str, baseline: Best, ours: Best, goal: Goal | None) -> Measure:
    return Measure(
        name=name,
        unit="/s",
        baseline=baseline.per_second,
        ours=ours.per_second,
        ratio=ours.times(baseline),
        cpu_ratio=ours.cpu_times(baseline),
        goal=goal,
    )


def _dollars(shape: str, ours: Best) -> Measure:
    """At full load on the instance that the settings name, which has as many cores as this comparison is meant for."""
    table = price_table()
    instance = DEV.endpoint.instance_type
    per_million = table["instance_hour"][instance] * 1e6 / ours.per_second / SECONDS_PER_HOUR
    return Measure(
        name=f"{shape}: dollars per million messages, {instance}",
        unit="$",
        ours=per_million,
        goal=Goal.at_most(DOLLAR_GOALS[shape], "$"),
        note=f"list price of {table['region']}, {table['as_of']}, and this machine's throughput",
    )
