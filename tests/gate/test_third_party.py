"""Third-party rules over the synthesised templates: nothing is found but what `stacks/acknowledgements.py` says.

cdk-nag (AwsSolutions, HIPAA, NIST 800-53 r5, PCI DSS, Serverless), cfn-lint with its information rules, AWS's Control
Tower rules by cfn-guard, and checkov, over all stages. Prod is held against every rule. Local and dev are held against
the same, without the few that their settings break on purpose (`DISPOSABLE`).
"""

from datetime import date
from pathlib import Path

import pytest

from stacks.acknowledgements import ACKNOWLEDGED, DISPOSABLE, OPEN_RESOURCES, Acknowledgement, Disposable, OpenResource
from stacks.settings import STAGES
from tests.gate import guard, lint
from tests.gate.conftest import TOOLS, Gate
from tests.gate.findings import Finding

WILDCARD = "AwsSolutions-IAM5"
DISPOSABLE_STAGES = {stage.name for stage in STAGES if stage.disposable}
SECONDS, CORES = 90, 2


def acknowledged(finding: Finding) -> bool:
    return (
        any(covers(entry, finding) for entry in ACKNOWLEDGED)
        or any(evidences(entry, finding) for entry in OPEN_RESOURCES)
        or any(leaves_out(entry, finding) for entry in DISPOSABLE)
    )


def covers(entry: Acknowledgement, finding: Finding) -> bool:
    return finding.id in entry.ids and any(map(finding.is_in, entry.constructs))


def evidences(entry: OpenResource, finding: Finding) -> bool:
    return finding.id == WILDCARD and finding.detail == entry.resource and any(map(finding.is_in, entry.within))


def leaves_out(entry: Disposable, finding: Finding) -> bool:
    return finding.stage in DISPOSABLE_STAGES and finding.id in entry.ids


@pytest.mark.parametrize("tool", TOOLS)
def test_nothing_is_found_that_nobody_acknowledged(gate: Gate, tool: str) -> None:
    assert [str(finding) for finding in gate.findings[tool] if not acknowledged(finding)] == []


@pytest.mark.parametrize("entry", ACKNOWLEDGED, ids=lambda entry: entry.ids[0])
def test_every_acknowledged_id_is_still_found_on_its_constructs(gate: Gate, entry: Acknowledgement) -> None:
    for construct in entry.constructs:
        assert set(entry.ids) <= {finding.id for finding in gate.all if finding.is_in(construct)}, construct


@pytest.mark.parametrize("entry", OPEN_RESOURCES, ids=lambda entry: entry.resource)
def test_every_open_resource_is_still_named_where_it_is_said_to_be(gate: Gate, entry: OpenResource) -> None:
    findings = [finding for finding in gate.findings["cdk-nag"] if evidences(entry, finding)]
    assert [place for place in entry.within if not any(finding.is_in(place) for finding in findings)] == []


@pytest.mark.parametrize("entry", DISPOSABLE, ids=lambda entry: entry.ids[0])
def test_every_rule_that_disposable_stages_leave_out_is_still_broken_there(gate: Gate, entry: Disposable) -> None:
    assert set(entry.ids) <= {finding.id for finding in gate.all if finding.stage in DISPOSABLE_STAGES}


def test_an_acknowledgement_tells_why_and_since_when() -> None:
    for entry in ACKNOWLEDGED:
        assert len(entry.reason) > 30
        assert date.fromisoformat(entry.date).isoformat() == entry.date
    assert all(len(entry.reason) > 15 for entry in (*OPEN_RESOURCES, *DISPOSABLE))


def test_the_whole_gate_is_quick(gate: Gate) -> None:
    """By what it costs the processor, so that a busy machine does not fail it."""
    assert gate.processor_seconds < SECONDS * CORES


def test_the_tools_do_look(gate: Gate, tmp_path: Path) -> None:
    """A tool that finds nothing at all may have read nothing at all: each finds what is planted, or acknowledged."""
    assert all(gate.findings.values())
    template = tmp_path / "assembly-prod" / "prodPlanted00000000.template.json"
    template.parent.mkdir()
    template.write_text('{"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": "soon"}}}}')
    template.with_name("prodPlanted00000000.metadata.json").write_text("{}")
    assert "E3012" in {finding.id for finding in lint.findings([template])}
    assert "CT.SQS.PR.2" in {finding.id for finding in guard.findings([template], tmp_path)}
