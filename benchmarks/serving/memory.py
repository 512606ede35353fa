"""What each container holds in memory after it has worked, and whether the chain fits a 4 GB instance with BERT-base.

Knows the processes of a chain; knows nothing of speed.
"""

from __future__ import annotations

from benchmarks.serving.bench import Bench
from benchmarks.serving.measures import Goal, Measure
from benchmarks.serving.models import BERT
from benchmarks.serving.rounds import resident_megabytes
from training_code.artifacts import CONTAINERS

TEXTS = 256
# Of 4 GB, what is left beside the system and the serving toolkits' own front ends.
ROOM_MEGABYTES = 3000


def measure(bench: Bench) -> list[Measure]:
    measures = []
    for shape, served in bench.models.plain.items():
        bench.say(f"memory, {shape}")
        ours = bench.hosted(served)
        ours.ask(bench.long_texts(bench.thoroughness.items(TEXTS)))
        sizes = [resident_megabytes(pid) for pid in ours.pids]
        each = ", ".join(f"{name} {size:.0f}" for name, size in zip(CONTAINERS, sizes, strict=True))
        measures.append(
            Measure(
                name=f"{shape}: memory of {each} MB",
                unit="MB",
                ours=sum(sizes),
                goal=Goal.at_most(ROOM_MEGABYTES, "MB") if shape == BERT else None,
                note="resident after 256 texts of 128 tokens",
            )
        )
    return measures
