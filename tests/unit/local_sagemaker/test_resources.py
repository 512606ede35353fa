"""Plain resources through a real client: kept, described, listed in pages, tagged, changed, deleted."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/earshot-local"
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/inference:1"


def _model(local_aws: Any, name: str, **more: Any) -> str:
    request = {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}, **more}
    arn: str = local_aws.client.create_model(**request)["ModelArn"]
    return arn


def test_a_model_is_described_as_it_was_made(local_aws: Any) -> None:
    containers = [
        {"Image": IMAGE, "ModelDataUrl": f"s3://b/{n}.tar.gz", "Environment": {"A": n}} for n in ("one", "two")
    ]
    local_aws.client.create_model(ModelName="m", ExecutionRoleArn=ROLE, Containers=containers)
    described = local_aws.client.describe_model(ModelName="m")
    assert described["Containers"] == [{"Mode": "SingleModel", **container} for container in containers]
    assert "PrimaryContainer" not in described
    assert described["EnableNetworkIsolation"] is False
    assert described["CreationTime"].year > 2000


def test_a_model_has_one_container_or_several_and_not_both(local_aws: Any) -> None:
    with pytest.raises(ClientError, match="either a PrimaryContainer or Containers"):
        _model(local_aws, "m", Containers=[{"Image": IMAGE}])


def test_a_name_that_is_taken_is_refused(local_aws: Any) -> None:
    _model(local_aws, "m")
    with pytest.raises(ClientError, match="Cannot create already existing model"):
        _model(local_aws, "m")


def test_an_endpoint_config_names_models_that_exist(local_aws: Any) -> None:
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    with pytest.raises(ClientError, match="Could not find model"):
        local_aws.client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    _model(local_aws, "m")
    local_aws.client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    described = local_aws.client.describe_endpoint_config(EndpointConfigName="c")
    assert described["ProductionVariants"] == [{**variant, "InitialVariantWeight": 1.0}]


def test_lists_come_in_pages_that_lose_and_repeat_nothing(local_aws: Any) -> None:
    names = [f"m-{n:02d}" for n in range(23)]
    for name in names:
        _model(local_aws, name)
    pages = local_aws.client.get_paginator("list_models").paginate(
        SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 5}
    )
    found = [[model["ModelName"] for model in page["Models"]] for page in pages]
    assert found == [names[0:5], names[5:10], names[10:15], names[15:20], names[20:]]


def test_lists_are_filtered_and_sorted_newest_first_by_default(local_aws: Any) -> None:
    for name in ("red-1", "blue-1", "red-2"):
        _model(local_aws, name)
    listed = local_aws.client.list_models(NameContains="red")["Models"]
    assert [model["ModelName"] for model in listed] == ["red-2", "red-1"]


def test_a_token_that_was_not_given_out_is_refused(local_aws: Any) -> None:
    with pytest.raises(ClientError, match="Invalid pagination token"):
        local_aws.client.list_models(NextToken="nonsense")


def test_tags_are_kept_changed_and_gone_with_their_resource(local_aws: Any) -> None:
    arn = _model(local_aws, "m", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    local_aws.client.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "3"}])
    local_aws.client.delete_tags(ResourceArn=arn, TagKeys=["b"])
    assert local_aws.client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "3"}]
    local_aws.client.delete_model(ModelName="m")
    with pytest.raises(ClientError, match="Could not find resource"):
        local_aws.client.list_tags(ResourceArn=arn)


def test_a_pipeline_is_updated_and_its_definition_is_json(local_aws: Any) -> None:
    request = {"PipelineName": "p", "RoleArn": ROLE, "ClientRequestToken": "t" * 32}
    with pytest.raises(ClientError, match="Not a valid JSON document"):
        local_aws.client.create_pipeline(**request, PipelineDefinition="steps")
    local_aws.client.create_pipeline(**request, PipelineDefinition='{"Steps": []}')
    local_aws.client.update_pipeline(PipelineName="p", PipelineDescription="new")
    described = local_aws.client.describe_pipeline(PipelineName="p")
    assert (described["PipelineStatus"], described["PipelineDescription"]) == ("Active", "new")
    assert described["PipelineDefinition"] == '{"Steps": []}'
    assert [summary["PipelineName"] for summary in local_aws.client.list_pipelines()["PipelineSummaries"]] == ["p"]


def test_a_feature_group_grows_by_update(local_aws: Any) -> None:
    definitions = [{"FeatureName": name, "FeatureType": "String"} for name in ("id", "at")]
    request = {
        "FeatureGroupName": "g",
        "RecordIdentifierFeatureName": "id",
        "EventTimeFeatureName": "at",
        "FeatureDefinitions": definitions,
    }
    with pytest.raises(ClientError, match="EventTimeFeatureName when is not among"):
        local_aws.client.create_feature_group(**{**request, "EventTimeFeatureName": "when"})
    local_aws.client.create_feature_group(**request)
    local_aws.client.update_feature_group(
        FeatureGroupName="g", FeatureAdditions=[{"FeatureName": "stars", "FeatureType": "Integral"}]
    )
    described = local_aws.client.describe_feature_group(FeatureGroupName="g")
    assert [definition["FeatureName"] for definition in described["FeatureDefinitions"]] == ["id", "at", "stars"]


def test_a_schedule_follows_its_definition_and_can_be_stopped(local_aws: Any) -> None:
    local_aws.client.create_data_quality_job_definition(
        JobDefinitionName="d",
        DataQualityAppSpecification={"ImageUri": IMAGE},
        DataQualityJobInput={"EndpointInput": {"EndpointName": "e", "LocalPath": "/opt/ml/processing/input"}},
        DataQualityJobOutputConfig={
            "MonitoringOutputs": [{"S3Output": {"S3Uri": "s3://b/out", "LocalPath": "/opt/ml/processing/output"}}]
        },
        JobResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}},
        RoleArn=ROLE,
    )
    listed = local_aws.client.list_data_quality_job_definitions()["JobDefinitionSummaries"]
    assert [(each["MonitoringJobDefinitionName"], each["EndpointName"]) for each in listed] == [("d", "e")]
    local_aws.client.create_monitoring_schedule(
        MonitoringScheduleName="s",
        MonitoringScheduleConfig={"MonitoringJobDefinitionName": "d", "MonitoringType": "DataQuality"},
    )
    local_aws.client.stop_monitoring_schedule(MonitoringScheduleName="s")
    described = local_aws.client.describe_monitoring_schedule(MonitoringScheduleName="s")
    assert (described["MonitoringScheduleStatus"], described["EndpointName"]) == ("Stopped", "e")
