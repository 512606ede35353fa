"""Applies the table of mutations to templates, one fault at a time, and asks the rules whether they notice.

A mutation is caught when the changed template has a finding that the unchanged one has not. It does not know where the
templates come from, and prints nothing.
"""

import copy
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import policy
from benchmarks.mutation.mutation import Mutation
from benchmarks.mutation.operators import delete_resource
from benchmarks.mutation.places import places
from policy.reading import read_text

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One fault at one place of one resource, and which rules noticed it."""

    mutation: Mutation
    template: str
    logical_id: str
    place: int
    caught_by: tuple[str, ...]

    @property
    def is_caught(self) -> bool:
        return bool(self.caught_by)


@dataclass(frozen=True)
class Score:
    """What was applied and what was caught."""

    outcomes: tuple[Outcome, ...]

    @property
    def applied(self) -> int:
        return len(self.outcomes)

    @property
    def caught(self) -> int:
        return sum(outcome.is_caught for outcome in self.outcomes)

    @property
    def share(self) -> float:
        return self.caught / self.applied if self.outcomes else 0.0

    @property
    def survivors(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if not outcome.is_caught)

    @property
    def distinct(self) -> int:
        """Mutations of the table that found a place to be applied."""
        return len({outcome.mutation.id for outcome in self.outcomes})


def findings(document: Document, source: str, *, strict: bool = False) -> Counter[tuple[str, str, str]]:
    """The findings of the rules, as what can be told apart of them; `strict` asks for practices, too."""
    found = policy.check(policy.Template(document, source=source), strict=strict)
    return Counter((finding.rule_id, finding.logical_id, finding.detail) for finding in found)


def score(
    templates: Mapping[str, str], mutations: Iterable[Mutation], *, strict: bool = False, once: bool = False
) -> Score:
    """Every mutation at every place of the templates (texts by name); with `once` only at its first place in each."""
    table = tuple(mutations)
    return Score(
        tuple(
            outcome
            for name, text in templates.items()
            for outcome in _outcomes(name, text, table, strict=strict, once=once)
        )
    )


def _outcomes(name: str, text: str, table: tuple[Mutation, ...], *, strict: bool, once: bool) -> Iterator[Outcome]:
    document = read_text(text)
    before = findings(copy.deepcopy(document), name, strict=strict)
    for mutation in table:
        for logical_id, resource in document["Resources"].items():
            if resource["Type"] != mutation.type or (mutation.meant and not mutation.meant(document, logical_id)):
                continue
            applied = 0
            for place in range(len(places(resource, mutation.path)) if mutation.do else 1):
                changed = copy.deepcopy(document)
                if not _apply(mutation, changed, logical_id, place):
                    continue
                new = findings(changed, name, strict=strict) - before
                yield Outcome(
                    mutation=mutation,
                    template=name,
                    logical_id=logical_id,
                    place=place,
                    caught_by=tuple(sorted({rule_id for rule_id, _, _ in new})),
                )
                applied += 1
                if once:
                    break
            if once and applied:
                break


def _apply(mutation: Mutation, document: Document, logical_id: str, place: int) -> bool:
    if mutation.do is None:
        return delete_resource(document, logical_id)
    return mutation.do(places(document["Resources"][logical_id], mutation.path)[place])
