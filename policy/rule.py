"""What a rule is, and how one is declared.

A rule looks at a template and names the resources that break it. It finds no fault with what only the deployment knows.

Most rules hold everybody to the same. A few ask for what is good, but not owed by everyone (tracing, a key of one's own
for a queue): those are practices. A template is held to one where it follows it elsewhere, or where the caller asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from policy.template import Resource, Template, TemplateError


@dataclass(frozen=True)
class Fault:
    """One resource that breaks a rule; the detail says where or how, when the rule alone does not."""

    resource: Resource | str
    detail: str = ""


@dataclass(frozen=True)
class Kept:
    """One resource that follows a practice: its siblings are then held to it."""

    resource: Resource


def as_siblings_do(found: Iterable[Fault | Kept]) -> Iterator[Fault | Kept]:
    """For a practice that nobody asks for by itself: nothing, unless a resource of the template follows it."""
    judged = list(found)
    if any(isinstance(one, Kept) for one in judged):
        yield from judged


Check = Callable[[Template], Iterator[Fault | Kept]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule with what people need to know of it. `controls` are ids of published controls that it covers."""

    id: str
    title: str
    why: str
    mend: str
    controls: tuple[str, ...]
    practice: bool
    check: Check

    def faults(self, template: Template, *, strict: bool) -> list[Fault]:
        """The faults that count; those against a practice only where it is asked for, or is followed elsewhere."""
        try:
            found = list(self.check(template))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # A value of a kind that CloudFormation would refuse, where the rule did not expect one.
            raise TemplateError(f"{self.id} does not understand a value in it ({type(error).__name__})") from error
        if self.practice and not strict and not any(isinstance(one, Kept) for one in found):
            return []
        return [one for one in found if isinstance(one, Fault)]


RULES: dict[str, Rule] = {}


def rule(
    *,
    id: str,  # noqa: A002 - it is what rules have
    title: str,
    why: str,
    mend: str,
    controls: tuple[str, ...] = (),
    practice: bool = False,
) -> Callable[[Callable[[Template], Iterator[Fault] | Iterator[Fault | Kept]]], Check]:
    """Declare the function below as a rule."""

    def declare(check: Callable[[Template], Iterator[Fault] | Iterator[Fault | Kept]]) -> Check:
        if id in RULES:
            raise ValueError(f"two rules have the id {id}")
        RULES[id] = Rule(id=id, title=title, why=why, mend=mend, controls=controls, practice=practice, check=check)
        return check

    return declare
