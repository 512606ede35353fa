"""The mutation test itself, and its quick run on templates of other people's style: every survivor is explained.

The full run, over our own templates too, is `python -m benchmarks.mutation`.
"""

import copy
import json
from typing import Any

import pytest

from benchmarks.mutation.faults import MUTATIONS
from benchmarks.mutation.mutation import change, delete, holding, named_under
from benchmarks.mutation.operators import delete_resource, flip, keep_only, put, remove, retag
from benchmarks.mutation.places import places
from benchmarks.mutation.score import findings, score
from benchmarks.mutation.survivors import REASONS, reason
from policy.reading import read_text
from tests.unit.policy.faults import TEMPLATES

FOREIGN = {path.name: path.read_text(encoding="utf-8") for path in sorted((TEMPLATES / "foreign").glob("*.yaml"))}
FEWEST_MUTATIONS = 150
FEWEST_ON_FOREIGN_TEMPLATES = 40


@pytest.fixture
def template() -> dict[str, Any]:
    return {
        "Resources": {
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Namespace": "AWS/SageMaker"}},
            "Endpoint": {
                "Type": "AWS::SageMaker::Endpoint",
                "DependsOn": ["Alarm", "Other"],
                "Properties": {"Alarms": [{"AlarmName": {"Ref": "Alarm"}}], "Name": {"Fn::Sub": "${Other}-x"}},
            },
            "Other": {"Type": "AWS::SNS::Topic", "Properties": {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b"}]}},
        },
        "Outputs": {"Alarm": {"Value": {"Fn::GetAtt": ["Alarm", "Arn"]}}, "Other": {"Value": {"Ref": "Other"}}},
    }


def test_the_table_is_large_and_names_each_mutation_once() -> None:
    assert len({mutation.id for mutation in MUTATIONS}) == len(MUTATIONS) >= FEWEST_MUTATIONS


def test_reasons_are_given_for_mutations_of_the_table() -> None:
    assert {mutation for mutation, _ in REASONS} <= {mutation.id for mutation in MUTATIONS}


def test_foreign_templates_have_no_finding() -> None:
    assert {name: dict(findings(read_text(text), name)) for name, text in FOREIGN.items()} == {
        name: {} for name in FOREIGN
    }


def test_every_mutation_of_foreign_templates_is_noticed_or_explained() -> None:
    result = score(FOREIGN, MUTATIONS, strict=True, once=True)
    assert result.distinct >= FEWEST_ON_FOREIGN_TEMPLATES
    unexplained = [(each.mutation.id, each.template, each.logical_id) for each in result.survivors if not reason(each)]
    assert unexplained == []


def test_a_path_goes_through_lists_mappings_and_any_depth(template: dict[str, Any]) -> None:
    topic = template["Resources"]["Other"]
    assert [place.value for place in places(topic, "Properties.Tags.*.Key")] == ["a", "b"]
    assert [place.value for place in places(topic, "Properties.Tags.[Key=a].Value")] == ["1"]
    assert [place.value for place in places(topic, "Properties.Tags.0.Key")] == ["a"]
    assert [place.value for place in places(topic, "**.Value")] == ["1"]
    assert places(topic, "Properties.Tags.7.Key") == []


@pytest.mark.parametrize(
    "written",
    [
        '{"a": {"b": "x"}}',
        {"Fn::Sub": '{"a": {"b": "x"}, "c": "${Topic}"}'},
        {"Fn::Join": ["", ['{"a": {"b": "x"}, "c": "', {"Ref": "Topic"}, '"}']]},
    ],
)
def test_a_path_goes_into_a_document_that_is_kept_as_text(written: object) -> None:
    resource = {"Properties": {"Definition": written}}
    (place,) = places(resource, "Properties.Definition -> a.b")
    place.put("y")
    assert '"b": "y"' in json.dumps(resource).replace("\\", "")
    assert ("Topic" in json.dumps(written)) == ("Topic" in json.dumps(resource))


def test_a_resource_is_deleted_with_what_refers_to_it_and_nothing_else(template: dict[str, Any]) -> None:
    assert delete_resource(template, "Alarm")
    endpoint = template["Resources"]["Endpoint"]
    assert endpoint["DependsOn"] == ["Other"]
    assert endpoint["Properties"] == {"Name": {"Fn::Sub": "${Other}-x"}}
    assert template["Outputs"].keys() == {"Other"}


def test_operators_say_when_they_change_nothing() -> None:
    (place,) = places({"Image": "a/b:1"}, "Image")
    assert not flip(place)
    assert not put("a/b:1")(place)
    assert retag("latest")(place)
    assert place.value == "a/b:latest"
    (options,) = places({"Options": [{"Mode": "Input"}]}, "Options")
    assert not keep_only("Mode", "Input")(options)


def test_a_mutation_can_be_kept_to_some_resources(template: dict[str, Any]) -> None:
    assert holding("Properties.Namespace", "AWS/SageMaker")(template, "Alarm")
    assert named_under("AlarmName")(template, "Alarm")
    assert not named_under("AlarmName")(template, "Other")


def test_a_template_is_left_as_it_was(template: dict[str, Any]) -> None:
    text = json.dumps(template)
    before = copy.deepcopy(template)
    table = [
        change("one", "AWS::CloudWatch::Alarm", "Properties.Namespace", remove, "why"),
        delete("two", "AWS::SNS::Topic", "why"),
    ]
    result = score({"template": text}, table)
    assert (result.applied, result.distinct) == (2, 2)
    assert json.loads(text) == before
