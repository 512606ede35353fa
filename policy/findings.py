"""Applies the rules to a template, and sets aside what the template's owner has acknowledged.

An acknowledgement stands in Metadata of a resource, or of the template for all of its resources:
`{"earshot": {"acknowledge": [{"rule": "ML-01", "reason": "...", "date": "2026-01-31"}]}}`. One that matches nothing, or
gives no reason and date, is itself a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from policy.rule import RULES, Fault, Rule
from policy.template import Resource, Template
from policy.values import items, mapping

ACKNOWLEDGEMENTS = "ACK-01"
TEMPLATE = "Template"
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A rule that a resource breaks."""

    rule_id: str
    logical_id: str
    resource_type: str
    why: str
    mend: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was found in one template, in the order of logical ids and rule ids."""

    findings: tuple[Finding, ...]
    acknowledged: tuple[tuple[Finding, str], ...]
    notices: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Acknowledgement:
    rule_id: str
    logical_id: str | None
    reason: str
    fault: str

    def matches(self, finding: Finding) -> bool:
        return finding.rule_id == self.rule_id and self.logical_id in (None, finding.logical_id)


def check(template: Template, *, today: date | None = None, strict: bool = False) -> list[Finding]:
    """What the template has to mend; `strict` asks for practices, too (see `policy.rule`).

    With `today`, acknowledgements whose `until` has passed no longer count.
    """
    return list(examine(template, today=today, strict=strict).findings)


def examine(template: Template, *, today: date | None = None, strict: bool = False) -> Report:
    """The findings, those that are acknowledged, and what of the template was not seen."""
    found = {
        (finding.logical_id, finding.rule_id, finding.detail): finding
        for rule in RULES.values()
        for fault in rule.faults(template, strict=strict)
        for finding in (_finding(template, rule, fault),)
    }
    acknowledgements = list(_acknowledgements(template, today))
    open_findings: list[Finding] = []
    acknowledged: list[tuple[Finding, str]] = []
    used: set[int] = set()
    for _, finding in sorted(found.items()):
        matching = [
            position for position, given in enumerate(acknowledgements) if not given.fault and given.matches(finding)
        ]
        used.update(matching)
        if matching:
            acknowledged.append((finding, acknowledgements[matching[0]].reason))
        else:
            open_findings.append(finding)
    for position, given in enumerate(acknowledgements):
        if position not in used:
            open_findings.append(_stale(template, given))
    open_findings.sort(key=lambda finding: (finding.logical_id, finding.rule_id, finding.detail))
    return Report(
        findings=tuple(open_findings), acknowledged=tuple(acknowledged), notices=tuple(dict.fromkeys(template.notices))
    )


def _finding(template: Template, rule: Rule, fault: Fault) -> Finding:
    resource = fault.resource if isinstance(fault.resource, Resource) else template.resources.get(fault.resource)
    logical_id = resource.logical_id if resource else str(fault.resource)
    return Finding(
        rule_id=rule.id,
        logical_id=logical_id,
        resource_type=resource.type if resource else "",
        why=rule.why,
        mend=rule.mend,
        detail=fault.detail,
    )


def _acknowledgements(template: Template, today: date | None) -> Iterator[_Acknowledgement]:
    places: list[tuple[str | None, Mapping[str, object]]] = [(None, template.metadata)]
    places += [(resource.logical_id, resource.metadata) for resource in template.resources.values()]
    for logical_id, metadata in places:
        for given in items(mapping(metadata.get("earshot")).get("acknowledge")):
            entry = mapping(given)
            yield _Acknowledgement(
                rule_id=str(entry.get("rule", "")),
                logical_id=logical_id,
                reason=str(entry.get("reason", "")),
                fault=_fault_of(entry, today),
            )


def _fault_of(entry: Mapping[str, object], today: date | None) -> str:
    if entry.get("rule") not in RULES:
        return "names no rule"
    if not str(entry.get("reason") or "").strip():
        return "gives no reason"
    days = [str(entry[name]) for name in ("date", "until") if entry.get(name)]
    if not days or not all(_is_day(day) for day in days):
        return "gives no date (YYYY-MM-DD)"
    if today is not None and entry.get("until") and date.fromisoformat(str(entry["until"])) < today:
        return f"held until {entry['until']}"
    return ""


def _is_day(written: str) -> bool:
    if not ISO_DAY.fullmatch(written):
        return False
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True


def _stale(template: Template, given: _Acknowledgement) -> Finding:
    resource = template.resources.get(given.logical_id or "")
    named = given.rule_id or "an unnamed rule"
    return Finding(
        rule_id=ACKNOWLEDGEMENTS,
        logical_id=given.logical_id or TEMPLATE,
        resource_type=resource.type if resource else "",
        why="An acknowledgement that does not hold hides that a rule is no longer broken, or never was looked at",
        mend="Remove it, or give rule, reason and date of a finding that is really there",
        detail=f"{named}: it {given.fault}" if given.fault else f"{named}: it matches no finding",
    )
