"""Every parser of the endpoint and of the channels, briefly: whatever the bytes, an answer or a refusal.

At full size: `python -m benchmarks.fuzz --executions 1000000`.
"""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz.container_targets import Containers, check_matches, parse_answers
from benchmarks.fuzz.engine import fuzz
from benchmarks.fuzz.mutation import mutate
from benchmarks.fuzz.target import Outcome, Target
from benchmarks.fuzz.targets import targets
from training_code.containers.content_types import JSON_LINES

EXECUTIONS_PER_SHARE = 3
EXAMPLES = 25
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=8) | JSON_VALUES,
        "text": st.text(max_size=60) | JSON_VALUES,
        "title": st.text(max_size=20) | JSON_VALUES,
        "explain": st.booleans() | JSON_VALUES,
    },
)
briefly = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def parsers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Target]:
    return {target.name: target for target in targets(tmp_path_factory.mktemp("fuzz"))}


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Containers:
    return Containers(tmp_path_factory.mktemp("containers"))


def test_no_broken_form_of_a_good_input_crashes_a_parser(parsers: dict[str, Target]) -> None:
    crashes = {}
    for name, target in parsers.items():
        if found := fuzz(target, EXECUTIONS_PER_SHARE * target.share + len(target.seeds), seed=1).crashes:
            crashes[name] = found
    assert not crashes


def test_no_bytes_crash_a_parser(parsers: dict[str, Target]) -> None:
    @briefly
    @given(data=st.binary(max_size=300))
    def each(data: bytes) -> None:
        for target in parsers.values():
            assert target.run(data) in Outcome

    each()


@briefly
@given(entries=st.lists(ENTRIES | JSON_VALUES, min_size=1, max_size=6))
def test_any_lines_get_one_answer_each_in_order(containers: Containers, entries: list[object]) -> None:
    body = "\n".join(json.dumps(entry) for entry in entries).encode() + b"\n"
    answers = parse_answers(*containers.ask(body, JSON_LINES))
    check_matches(body, answers)


def test_the_same_seed_breaks_the_same_way(parsers: dict[str, Target]) -> None:
    seed = parsers["JSON Lines"].seeds[0]
    first, second = (mutate(seed, random.Random(3)) for _ in range(2))
    assert first == second != seed


def test_a_crash_is_counted_and_kept() -> None:
    def run(data: bytes) -> Outcome:
        raise KeyError(len(data))

    found = fuzz(Target(name="broken", seeds=(b"x",), run=run), 10, seed=1)
    assert found.executions == 10
    assert any(place.startswith("KeyError") for place in found.crashes)
