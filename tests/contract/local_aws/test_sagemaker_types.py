"""``AWS::SageMaker::*`` in CloudFormation: identities, replacement, in-place updates, failure and rollback."""

import io
import json
import tarfile

import pytest

from .conftest import LocalAws, Stack
from .templates import attribute, endpoint, endpoint_config, model, ref, resource, role

HANDLER = """
def model_fn(model_dir):
    return {word!r}

def input_fn(body, content_type):
    return body.decode() if isinstance(body, bytes) else body

def predict_fn(data, model):
    return model + " " + data

def output_fn(prediction, accept):
    return prediction, "text/plain"
"""


def put_artifact(aws: LocalAws, word: str | None, *, handler: str = HANDLER) -> str:
    """A model artifact that answers with a word of its own, or one without any code; where it lies."""
    packed = io.BytesIO()
    code = handler.format(word=word).encode() if word else b"no code"
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("code/inference.py" if word else "readme.txt")
        entry.size = len(code)
        archive.addfile(entry, io.BytesIO(code))
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="artifacts")
    s3.put_object(Bucket="artifacts", Key=f"{word}/model.tar.gz", Body=packed.getvalue())
    return f"s3://artifacts/{word}/model.tar.gz"


def ask(aws: LocalAws, name: str) -> str:
    answer = aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, Body=b"customer", ContentType="text/plain"
    )
    return str(answer["Body"].read().decode())


def test_ref_and_attributes_are_those_of_the_resource_specification(aws: LocalAws, stack: Stack) -> None:
    pipeline = {"Version": "2020-12-01", "Steps": []}
    resources = {
        "Role": role(),
        "Model": model(EnableNetworkIsolation="true"),
        "Config": endpoint_config(),
        "Group": resource(
            "AWS::SageMaker::ModelPackageGroup",
            ModelPackageGroupName="identities",
            ModelPackageGroupDescription="described",
            Tags=[{"Key": "stage", "Value": "local"}],
        ),
        "Pipeline": resource(
            "AWS::SageMaker::Pipeline",
            PipelineName="identities",
            PipelineDefinition={"PipelineDefinitionBody": json.dumps(pipeline)},
            RoleArn=attribute("Role", "Arn"),
        ),
    }
    outputs = {
        "Model": ref("Model"),
        "ModelName": attribute("Model", "ModelName"),
        "Config": ref("Config"),
        "ConfigName": attribute("Config", "EndpointConfigName"),
        "Group": ref("Group"),
        "GroupArn": attribute("Group", "ModelPackageGroupArn"),
        "Pipeline": ref("Pipeline"),
    }
    assert stack.put(resources, outputs) == "CREATE_COMPLETE", stack.reasons()
    told = stack.outputs()
    prefix = "arn:aws:sagemaker:us-east-1:000000000000"
    assert told["Model"] == f"{prefix}:model/{told['ModelName']}"
    assert told["ModelName"].startswith(f"{stack.name}-Model-")
    assert told["Config"] == f"{prefix}:endpoint-config/{told['ConfigName']}"
    assert told["Group"] == told["GroupArn"] == f"{prefix}:model-package-group/identities"
    assert told["Pipeline"] == "identities"
    sagemaker = aws.client("sagemaker")
    assert sagemaker.describe_model(ModelName=told["ModelName"])["EnableNetworkIsolation"] is True
    variant = sagemaker.describe_endpoint_config(EndpointConfigName=told["ConfigName"])["ProductionVariants"][0]
    assert (variant["InitialInstanceCount"], variant["InitialVariantWeight"]) == (1, 1.0)
    assert json.loads(sagemaker.describe_pipeline(PipelineName="identities")["PipelineDefinition"]) == pipeline
    assert sagemaker.list_tags(ResourceArn=told["Group"])["Tags"] == [{"Key": "stage", "Value": "local"}]
    stack.delete()
    assert not stack.exists()
    assert sagemaker.list_models(NameContains=stack.name)["Models"] == []


def test_a_changed_model_and_config_are_replaced_and_the_old_ones_deleted(aws: LocalAws, stack: Stack) -> None:
    resources = {"Role": role(), "Model": model(), "Config": endpoint_config()}
    assert stack.put(resources) == "CREATE_COMPLETE", stack.reasons()
    before = stack.physical("Model"), stack.physical("Config")
    changed = {**resources, "Model": model(EnableNetworkIsolation=True)}
    assert stack.put(changed) == "UPDATE_COMPLETE", stack.reasons()
    after = stack.physical("Model"), stack.physical("Config")
    assert before[0] != after[0]
    assert before[1] != after[1]
    names = [each["ModelArn"] for each in aws.client("sagemaker").list_models(NameContains=stack.name)["Models"]]
    assert names == [after[0]]


def test_a_change_of_tags_keeps_the_resource(aws: LocalAws, stack: Stack) -> None:
    def resources(*tags: tuple[str, str]) -> dict[str, object]:
        return {"Role": role(), "Model": model(Tags=[{"Key": key, "Value": value} for key, value in tags])}

    assert stack.put(resources(("a", "1"), ("b", "2"))) == "CREATE_COMPLETE", stack.reasons()
    before = stack.physical("Model")
    assert stack.put(resources(("a", "3"))) == "UPDATE_COMPLETE", stack.reasons()
    assert stack.physical("Model") == before
    tags = aws.client("sagemaker").list_tags(ResourceArn=before)["Tags"]
    assert tags == [{"Key": "a", "Value": "3"}]


def test_a_fixed_name_cannot_be_replaced_under_itself(aws: LocalAws, stack: Stack) -> None:
    assert stack.put({"Role": role(), "Model": model(ModelName="fixed")}) == "CREATE_COMPLETE", stack.reasons()
    changed = {"Role": role(), "Model": model(ModelName="fixed", EnableNetworkIsolation=True)}
    assert stack.put(changed) == "UPDATE_ROLLBACK_COMPLETE"
    assert any("Rename fixed" in reason for reason in stack.reasons())


def test_an_unknown_property_is_refused_by_name(stack: Stack) -> None:
    assert stack.put({"Role": role(), "Model": model(Colour="red")}) == "ROLLBACK_COMPLETE"
    assert any("Colour" in reason for reason in stack.reasons())


def test_an_endpoint_that_does_not_come_up_fails_the_stack_with_its_reason(aws: LocalAws, stack: Stack) -> None:
    resources = {
        "Role": role(),
        "Model": model(put_artifact(aws, None)),
        "Config": endpoint_config(),
        "Endpoint": endpoint(EndpointName="broken"),
    }
    assert stack.put(resources) == "ROLLBACK_COMPLETE"
    assert any("code/inference.py" in reason for reason in stack.reasons())
    assert aws.client("sagemaker").list_endpoints(NameContains="broken")["Endpoints"] == []


def test_an_endpoint_is_updated_in_place_and_kept_when_the_update_fails(aws: LocalAws, stack: Stack) -> None:
    def resources(word: str | None) -> dict[str, object]:
        return {
            "Role": role(),
            "Model": model(put_artifact(aws, word)),
            "Config": endpoint_config(),
            "Endpoint": endpoint(EndpointName="greeter"),
        }

    outputs = {"Arn": ref("Endpoint"), "Name": attribute("Endpoint", "EndpointName")}
    assert stack.put(resources("hello"), outputs) == "CREATE_COMPLETE", stack.reasons()
    arn = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/greeter"
    assert stack.outputs() == {"Arn": arn, "Name": "greeter"}
    assert ask(aws, "greeter") == "hello customer"
    assert {"name": "greeter", "status": "InService"} in aws.status()["endpoints"]

    assert stack.put(resources("welcome"), outputs) == "UPDATE_COMPLETE", stack.reasons()
    assert ask(aws, "greeter") == "welcome customer"

    assert stack.put(resources(None), outputs) == "UPDATE_ROLLBACK_COMPLETE"
    assert any("code/inference.py" in reason for reason in stack.reasons())
    assert ask(aws, "greeter") == "welcome customer"
    assert len(aws.client("sagemaker").list_models(NameContains=stack.name)["Models"]) == 1

    stack.delete()
    with pytest.raises(aws.client("sagemaker").exceptions.ClientError, match="Could not find"):
        aws.client("sagemaker").describe_endpoint(EndpointName="greeter")
    assert not any("greeter" in each["what"] for each in aws.status()["processes"])
