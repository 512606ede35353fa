"""The published table of controls is complete, and current."""

from policy import RULES
from policy.coverage import ROOT, controls, modules_by_rule, table


def test_the_published_table_is_current() -> None:
    published = (ROOT / "docs" / "controls.md").read_text(encoding="utf-8")
    assert published == table(), "run: python -m policy.coverage > docs/controls.md"


def test_every_control_has_a_rule_or_a_reason_and_not_both() -> None:
    undecided = [control.id for control in controls()[0] if bool(control.rules) == bool(control.not_applicable)]
    assert undecided == []


def test_every_control_that_a_rule_names_is_listed() -> None:
    named = {control for rule in RULES.values() for control in rule.controls}
    assert named <= {control.id for control in controls()[0]}


def test_the_standard_for_machine_learning_is_covered_in_full() -> None:
    listed = {control.id: control.rules for control in controls()[0] if "AI" in control.standards}
    asked_for = {f"SageMaker.{number}" for number in (*range(1, 6), *range(8, 26))}
    assert asked_for <= listed.keys()
    assert all(listed.values())


def test_every_rule_is_named_by_a_test() -> None:
    assert RULES.keys() - modules_by_rule().keys() == set()
