"""What every measurement shares: the models, both sides opened once and closed together, and how thorough to be.

Knows nothing of what is measured.
"""

from __future__ import annotations

import random
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.serving.models import Models, Served
from benchmarks.serving.rounds import Say
from benchmarks.serving.sides import Ours, Program, one_process
from cli.project import Project

SEED = 7
JOINED_FOR_LENGTH = 4


@dataclass(frozen=True, kw_only=True)
class Thoroughness:
    """Rounds per comparison, and how large the rounds are."""

    rounds: int
    scale: float

    def items(self, full: int) -> int:
        return max(4, round(full * self.scale))


FULL, QUICK = Thoroughness(rounds=5, scale=1.0), Thoroughness(rounds=2, scale=0.25)


@dataclass(frozen=True, kw_only=True)
class Bench:
    models: Models
    project: Project
    scratch: Path
    thoroughness: Thoroughness
    say: Say
    stack: ExitStack
    _programs: dict[str, Program] = field(default_factory=dict)
    _hosted: dict[str, Ours] = field(default_factory=dict)

    def torch(self, shape: str) -> Program:
        """The usual handlers over a shape's fp32 weights."""
        if shape not in self._programs:
            self.say(f"  starting the PyTorch handlers with {shape}")
            program = Program(self.training_python, "pytorch.py", str(self.models.plain[shape].folder))
            self.stack.callback(program.close)
            self._programs[shape] = program
        return self._programs[shape]

    def hosted(self, served: Served) -> Ours:
        """Our three containers."""
        if served.name not in self._hosted:
            self.say(f"  starting our containers with {served.name}")
            ours = Ours(served, python=self.serving_python, folder=self.folder("hosted", served))
            self.stack.callback(ours.close)
            self._hosted[served.name] = ours
        return self._hosted[served.name]

    def joined(self, served: Served) -> Program:
        """Our three containers' code in one process."""
        name = f"joined {served.name}"
        if name not in self._programs:
            program = one_process(served, python=self.serving_python, folder=self.folder("joined", served))
            self.stack.callback(program.close)
            self._programs[name] = program
        return self._programs[name]

    def folder(self, purpose: str, served: Served) -> Path:
        return self.scratch / f"{purpose}-{served.name.replace(' ', '-')}"

    def texts(self, count: int) -> list[str]:
        """Test texts, evenly over all lengths, in an order of no meaning: few have the same mean length as many."""
        ordered = sorted(self.models.test.texts, key=len)
        chosen = [ordered[int((place + 0.5) * len(ordered) / count)] for place in range(count)]
        random.Random(SEED).shuffle(chosen)  # noqa: S311
        return chosen

    def long_texts(self, count: int) -> list[str]:
        """Texts beyond 128 tokens, so that every handler cuts them there."""
        texts = self.texts(JOINED_FOR_LENGTH * count)
        return [" ".join(texts[place::count]) for place in range(count)]

    @property
    def training_python(self) -> Path:
        return self.project.python(".venv-training")

    @property
    def serving_python(self) -> Path:
        return self.project.python(".venv-serving")
