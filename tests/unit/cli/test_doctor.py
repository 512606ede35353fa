"""What is checked before a deploy to AWS, and what a stage costs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli import doctor
from cli.prices import stage_cost, template_resources
from stacks.settings import DEV, PROD, STAGES
from tests.unit.cli.fakes import Pages, connection

ENDPOINT_QUOTA = f"{DEV.endpoint.instance_type} for endpoint usage"
TRAINING_QUOTA = f"{DEV.training.training_instance_type} for training job usage"


class FakeQuotas:
    def __init__(self, values: dict[str, float] | None) -> None:
        self._values = values

    def get_paginator(self, _: str) -> Any:
        if self._values is None:
            error = {"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}
            raise ClientError(error, "ListServiceQuotas")  # type: ignore[arg-type]
        return Pages([{"Quotas": [{"QuotaName": name, "Value": value} for name, value in self._values.items()]}])


def checks(values: dict[str, float] | None, wanted: dict[str, int]) -> dict[str, doctor.Check]:
    found = doctor._quotas(connection({"service-quotas": FakeQuotas(values)}), wanted)
    return {check.what: check for check in found}


def test_a_quota_of_zero_is_found_before_the_job_fails() -> None:
    wanted = {ENDPOINT_QUOTA: 2, TRAINING_QUOTA: 1}
    found = checks({ENDPOINT_QUOTA: 4, TRAINING_QUOTA: 0}, wanted)
    assert found[f"Quota {ENDPOINT_QUOTA}"].outcome == "ok"
    assert found[f"Quota {TRAINING_QUOTA}"].outcome == "missing"
    assert "0, but 1 needed" in found[f"Quota {TRAINING_QUOTA}"].finding


def test_a_quota_that_is_not_listed_is_unknown_and_not_passed() -> None:
    assert checks({}, {ENDPOINT_QUOTA: 1})[f"Quota {ENDPOINT_QUOTA}"].outcome == "unknown"


def test_when_quotas_may_not_be_read_it_says_which_right_is_missing() -> None:
    (check,) = checks(None, {ENDPOINT_QUOTA: 1}).values()
    assert check.outcome == "unknown"
    assert "servicequotas:ListServiceQuotas" in check.finding


@pytest.mark.parametrize("settings", STAGES, ids=lambda settings: settings.name)
def test_every_instance_type_of_the_settings_has_a_price(settings: Any) -> None:
    assert stage_cost(settings).unpriced == ()


def test_the_cost_at_rest_counts_instances_and_what_the_templates_hold(tmp_path: Path) -> None:
    for stage, count in (("dev", 1), ("prod", 5)):
        folder = tmp_path / f"assembly-{stage}"
        folder.mkdir()
        resources: dict[str, Any] = {f"Key{n}": {"Type": "AWS::KMS::Key"} for n in range(count)}
        resources["Acl"] = {"Type": "AWS::WAFv2::WebACL", "Properties": {"Rules": [{}, {}]}}
        (folder / "a.template.json").write_text(json.dumps({"Resources": resources}), encoding="utf-8")
    counted = template_resources(tmp_path, "dev")
    assert counted["AWS::KMS::Key"] == 1
    assert counted["AWS::WAFv2::WebACL rule"] == 2
    cost = stage_cost(DEV, counted)
    endpoint = cost.idle[0].per_hour
    assert cost.idle_per_month == pytest.approx(730 * endpoint + 1.0 + 5.0 + 2.0)
    assert stage_cost(PROD).idle_per_hour == pytest.approx(endpoint * PROD.endpoint.minimum_instances)


def test_the_cost_of_a_run_is_that_of_its_candidates() -> None:
    whole = stage_cost(DEV)
    only_bert = stage_cost(replace(DEV, training=replace(DEV.training, candidates=("bert",))))
    assert {step.what.split(",")[0] for step in whole.run} >= {
        "features",
        "baselines",
        "blazingtext",
        "autopilot",
        "tuned",
    }
    assert {step.what.split(",")[0] for step in only_bert.run} == {"features", "bias", "bert"}
    assert 0 < only_bert.run_dollars < whole.run_dollars == pytest.approx(sum(step.dollars for step in whole.run))
    on_demand = stage_cost(replace(DEV, training=replace(DEV.training, train_on_spot=False)))
    assert on_demand.run_dollars > whole.run_dollars
    of_two = stage_cost(replace(DEV, training=replace(DEV.training, training_instance_count=2)))
    kind = DEV.training.training_instance_type
    on_machines = [sum(step.dollars for step in cost.run if step.instance_type == kind) for cost in (whole, of_two)]
    assert on_machines[1] == pytest.approx(2 * on_machines[0])
    assert any("A training run" in line for line in doctor._cost_lines(whole, DEV))


def test_nothing_is_counted_before_a_synth(tmp_path: Path) -> None:
    assert template_resources(tmp_path / "nowhere", "dev") == {}
