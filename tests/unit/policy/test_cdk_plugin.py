"""The rules inside of the CDK: a report for the templates that synthesis wrote."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from policy.cdk_plugin import EarshotRules


def report(tmp_path: Path, resources: dict[str, Any], **options: Any) -> Any:
    path = tmp_path / "Stack.template.json"
    path.write_text(json.dumps({"Resources": resources}), encoding="utf-8")
    return EarshotRules(**options).validate(cast(Any, SimpleNamespace(template_paths=[str(path)])))


def test_a_finding_fails_the_synthesis_and_says_where_it_stands(tmp_path: Path) -> None:
    failed = report(tmp_path, {"Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"KmsKeyId": "key"}}})
    assert not failed.success
    (violation,) = failed.violations
    assert violation.rule_name == "OPS-01"
    assert violation.fix == "Set RetentionInDays to 7 or more"
    (resource,) = violation.violating_resources
    assert resource.resource_logical_id == "Log"
    assert resource.template_path == str(tmp_path / "Stack.template.json")


def test_a_clean_template_passes(tmp_path: Path) -> None:
    log = {"Type": "AWS::Logs::LogGroup", "Properties": {"KmsKeyId": "key", "RetentionInDays": 30}}
    assert report(tmp_path, {"Log": log}).success
    assert not report(tmp_path, {"Log": log}, strict=True).success


def test_the_plugin_names_itself_and_its_rules() -> None:
    plugin = EarshotRules()
    assert (plugin.name, plugin.version) == ("Earshot", "1.0.0")
    assert {"OPS-01", "ACK-01"} <= set(plugin.rule_ids)
