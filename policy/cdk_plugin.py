"""The rules as a policy-validation plugin of the CDK: synthesis fails with a finding, and says where it stands.

`Validations.of(app).add_plugins(EarshotRules())`. It judges the templates that synthesis has written, so that overrides
count. It is the only module of this package that knows the CDK; nothing here imports it.
"""

from __future__ import annotations

from pathlib import Path

import jsii
from aws_cdk import (
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
)

from policy.findings import ACKNOWLEDGEMENTS, Finding, check
from policy.rule import RULES
from policy.template import Template

NAME = "Earshot"
VERSION = "1.0.0"


@jsii.implements(IPolicyValidationPlugin)
class EarshotRules:
    """Checks every template of the app. Acknowledge a finding in the resource's Metadata (see `policy.findings`)."""

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict

    @property
    def name(self) -> str:
        return NAME

    @property
    def version(self) -> str:
        return VERSION

    @property
    def rule_ids(self) -> list[str]:
        return sorted([*RULES, ACKNOWLEDGEMENTS])

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        violations = [
            _violation(finding, path)
            for path in sorted(context.template_paths)
            for finding in check(Template.load(Path(path)), strict=self._strict)
        ]
        return PolicyValidationPluginReport(success=not violations, violations=violations, plugin_version=VERSION)


def _violation(finding: Finding, path: str) -> PolicyViolation:
    detail = f" ({finding.detail})" if finding.detail else ""
    return PolicyViolation(
        rule_name=finding.rule_id,
        description=f"{finding.why}{detail}",
        fix=finding.mend,
        severity="error",
        violating_resources=[
            PolicyViolatingResource(
                resource_logical_id=finding.logical_id, template_path=path, locations=["Properties"]
            )
        ],
    )
