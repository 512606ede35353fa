"""Findings: their order, and how they are acknowledged."""

from datetime import date
from typing import Any

import pytest

from policy import RULES, Template, check, examine
from tests.unit.policy import test_access, test_delivery, test_edge, test_operations

ENTRY = {"rule": "OPS-01", "reason": "kept by the platform", "date": "2026-01-31"}


def template(entry: dict[str, Any] | None, *, of_template: bool = False) -> Template:
    metadata = {"earshot": {"acknowledge": [entry]}} if entry else {}
    log = {"Type": "AWS::Logs::LogGroup", "Properties": {"KmsKeyId": "key"}}
    read: dict[str, Any] = {"Resources": {"B": dict(log), "A": dict(log)}}
    if of_template:
        read["Metadata"] = metadata
    else:
        read["Resources"]["A"]["Metadata"] = metadata
    return Template(read, source="test")


def found(judged: Template, **options: Any) -> list[tuple[str, str]]:
    return [(finding.rule_id, finding.logical_id) for finding in check(judged, **options)]


def test_findings_come_in_the_order_of_the_logical_ids() -> None:
    assert found(template(None)) == [("OPS-01", "A"), ("OPS-01", "B")]


def test_an_acknowledgement_takes_its_finding_out() -> None:
    report = examine(template(ENTRY))
    assert [finding.logical_id for finding in report.findings] == ["B"]
    assert [(finding.logical_id, reason) for finding, reason in report.acknowledged] == [("A", ENTRY["reason"])]


def test_an_acknowledgement_of_the_template_holds_for_all_its_resources() -> None:
    assert found(template(ENTRY, of_template=True)) == []


@pytest.mark.parametrize(
    "entry",
    [
        {**ENTRY, "rule": "OPS-02"},
        {**ENTRY, "rule": "OPS-99"},
        {**ENTRY, "reason": " "},
        {**ENTRY, "date": "soon"},
        {**ENTRY, "date": "2026-02-31"},
        {"rule": "OPS-01", "reason": "x"},
        {},
    ],
)
def test_an_acknowledgement_that_does_not_hold_is_itself_a_finding(entry: dict[str, Any]) -> None:
    if not entry:
        return
    assert ("ACK-01", "A") in found(template(entry))
    assert ("OPS-01", "A") in found(template(entry))


def test_an_acknowledgement_ends_on_its_day() -> None:
    entry = {"rule": "OPS-01", "reason": "x", "until": "2026-06-30"}
    assert ("OPS-01", "A") not in found(template(entry), today=date(2026, 6, 30))
    assert {("OPS-01", "A"), ("ACK-01", "A")} <= set(found(template(entry), today=date(2026, 7, 1)))


def test_every_rule_of_these_subjects_has_a_fault_that_it_notices() -> None:
    shown = {
        fault.rule
        for module in (test_access, test_delivery, test_edge, test_operations)
        for fault in (*module.FAULTS, *module.PRACTICES)
    } | {"EDGE-19", "TEMPLATE-01"}
    ours = {rule for rule in RULES if rule.startswith(("ACCESS", "DELIVERY", "EDGE", "OPS", "TEMPLATE"))}
    assert ours - shown == set()


def test_every_rule_says_why_and_how_to_mend_it_in_one_line() -> None:
    for rule in RULES.values():
        for written in (rule.title, rule.why, rule.mend):
            assert written
            assert "\n" not in written
            assert not written.endswith(".")
