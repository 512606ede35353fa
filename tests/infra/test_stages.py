"""The stages: what is the same everywhere, and what a stage's settings change. What must stay: `tests/upgrades`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli import project
from stacks.settings import CANDIDATES, DEV, LOCAL, PROD, SettingsError, StageSettings
from tests.synthesis import STACKS, STAGES, Assembly, stand_in_assets, synthesise

OUTPUTS = {
    "DataLake": {"LakeBucket", "ArtifactBucket", "Database", "Crawler", "WorkGroup"},
    "Training": {"ModelPipeline", "ModelPackageGroup"},
    "Endpoint": {
        "EndpointName",
        "ReleaseParameter",
        "BesideParameter",
        "ReleaseStateMachine",
        "RescoreRole",
        "RescoreKey",
    },
    "Intake": {
        *("ApiUrl", "ApiId", "ApiStage", "Ledger", "Originals", "Desk", "Queue", "DeadLetterQueue", "DropBucket"),
        *("AlertTopic", "AlertQueue", "AlertPolicy", "ResponseBus"),
    },
    "Channels": {"Sources"},
    "Alerts": set(),
    "Watch": set(),
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("stack", STACKS)
def test_the_outputs_that_the_command_line_reads_are_there(app: Assembly, stage: str, stack: str) -> None:
    wanted = OUTPUTS[stack] | ({"AlertInbox"} if stack == "Intake" and stage != "prod" else set())
    found = {name for name in app.template(stage, stack).get("Outputs", {}) if not name.startswith("PublishOutput")}
    assert found == wanted


def test_stages_differ_only_in_what_settings_say(app: Assembly) -> None:
    """The same types of resources in the same number, but for what settings switch off on purpose."""
    optional = {
        "Custom::S3AutoDeleteObjects",
        "AWS::SQS::Queue",  # the alert inbox
        "AWS::SQS::QueuePolicy",
        "AWS::SNS::Subscription",
        "AWS::Lambda::Function",  # the CDK's own, behind the custom resource
        # Of the private network and of backups.
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Role",
        "AWS::Logs::LogGroup",
        "AWS::Glue::DataCatalogEncryptionSettings",
    }

    def is_optional(type_: str) -> bool:
        return type_ in optional or type_.startswith(("AWS::EC2::", "AWS::Backup::"))

    for stack in STACKS:
        counts = []
        for stage in STAGES:
            types = [resource["Type"] for resource in app.template(stage, stack)["Resources"].values()]
            counts.append({type_: types.count(type_) for type_ in types if not is_optional(type_)})
        local, dev, prod = counts
        # Prod's network has no way out, so nothing is pulled there.
        assert local == dev
        assert dev == prod or stack == "Channels"


@pytest.mark.parametrize("type_", ["AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::Glue::Database"])
def test_prod_keeps_its_data_whatever_happens_to_the_stack(app: Assembly, type_: str) -> None:
    for resource in app.resources("prod", type_).values():
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"


def test_nothing_in_prod_deletes_objects_of_a_bucket(app: Assembly) -> None:
    assert app.resources("prod", "Custom::S3AutoDeleteObjects") == {}


def test_the_local_stage_can_be_destroyed_without_a_rest(app: Assembly) -> None:
    kept = [
        logical_id
        for (stage, _), template in app.templates.items()
        if stage == "local"
        for logical_id, resource in template["Resources"].items()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    ]
    assert kept == []


def test_prod_waits_for_a_person_before_a_model_is_released(app: Assembly) -> None:
    approvals = {}
    for stage in STAGES:
        for function in app.resources(stage, "AWS::Lambda::Function", stack="Training").values():
            approvals[stage] = function["Properties"]["Environment"]["Variables"].get("APPROVAL") or approvals.get(
                stage
            )
    assert approvals == {"local": "automatic", "dev": "automatic", "prod": "manual"}


def test_two_syntheses_are_equal_byte_by_byte(assembly: Path, tmp_path: Path) -> None:
    again = synthesise(stand_in_assets(tmp_path / "build"), tmp_path / "cdk.out", validate=False)
    templates = sorted(path.relative_to(assembly) for path in assembly.rglob("*.template.json"))
    assert len(templates) == len(STAGES) * len(STACKS)
    for path in templates:
        assert (assembly / path).read_bytes() == (again / path).read_bytes(), path


def test_names_of_stacks_are_those_that_the_command_line_looks_for(assembly: Path) -> None:
    for stage in STAGES:
        manifest = (assembly / f"assembly-{stage}" / "manifest.json").read_text(encoding="utf-8")
        for name in project.STACKS:
            assert f'"earshot-{stage}-{name}"' in manifest


def test_a_stage_deletes_data_only_when_both_keys_are_turned() -> None:
    from dataclasses import replace

    with pytest.raises(SettingsError, match="not disposable"):
        replace(PROD, data_lake=replace(PROD.data_lake, delete_data_with_stack=True))
    with pytest.raises(SettingsError, match="not disposable"):
        replace(PROD, intake=replace(PROD.intake, keep_ledger=False, protect_ledger=False))
    with pytest.raises(SettingsError, match="protected"):
        replace(DEV, intake=replace(DEV.intake, protect_ledger=True))


@pytest.mark.parametrize("settings", [LOCAL, DEV, PROD])
def test_settings_cannot_be_changed_after_the_fact(settings: StageSettings) -> None:
    with pytest.raises(AttributeError):
        settings.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"candidates": ("baselines",)}, "a run needs a candidate that can be served: bert or tuned"),
        ({"candidates": ("bert", "forest")}, "there is no candidate 'forest'"),
        ({"tuning_parallel": 5, "tuning_jobs": 4}, "tuning_parallel is from 1 to tuning_jobs"),
    ],
)
def test_a_run_that_cannot_end_well_is_no_setting(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        replace(DEV.training, **wrong)


def test_a_stage_has_a_name_that_job_names_have_room_for() -> None:
    with pytest.raises(SettingsError, match="names of jobs have room for 8 characters"):
        replace(DEV, name="preproduction")


def test_only_the_local_stage_leaves_the_slow_candidates_out() -> None:
    assert LOCAL.training.candidates == ("baselines", "blazingtext", "bert")
    assert DEV.training.candidates == PROD.training.candidates == CANDIDATES
