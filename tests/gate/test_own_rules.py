"""Our own rules (`policy/`) over the synthesised templates: none is broken but where the template's Metadata says why.

An acknowledgement that matches nothing any more is a finding itself (`ACK-01`). In prod only what no setting can mend
is acknowledged, and practices count as well; local and dev acknowledge what their settings bring.
"""

from pathlib import Path

import pytest

from policy import Template, examine
from tests.gate.findings import templates
from tests.synthesis import STAGES

ACKNOWLEDGED_IN_PROD = {"DELIVERY-02", "EDGE-05", "ML-60"}


@pytest.mark.parametrize("stage", STAGES)
def test_no_rule_is_broken(assembly: Path, stage: str) -> None:
    findings = [
        f"{path.name}: {finding.rule_id} {finding.logical_id} {finding.detail}"
        for path in templates(assembly)
        if path.parent.name == f"assembly-{stage}"
        for finding in examine(Template.load(path), strict=stage == "prod").findings
    ]
    assert findings == []


def test_prod_acknowledges_no_more_than_it_has_to(assembly: Path) -> None:
    acknowledged = {
        finding.rule_id
        for path in templates(assembly)
        if path.parent.name == "assembly-prod"
        for finding, _ in examine(Template.load(path)).acknowledged
    }
    assert acknowledged == ACKNOWLEDGED_IN_PROD
