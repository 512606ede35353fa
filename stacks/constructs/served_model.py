"""A model as SageMaker serves it: three containers in series without a network, each with its artifact; or in one.

Knows images and environment of the containers. Does not know which model is served, nor how many.
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Acknowledgment, Aws, Fn, IResolvable, Stack, Validations
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.constructs.one_container import OneContainer
from stacks.constructs.sagemaker_role import SageMakerRole
from stacks.images import ImageName, framework_image

IMAGE_OF: dict[str, ImageName] = {
    "transform": "sklearn-serving",
    "classify": "huggingface-serving",
    "label": "sklearn-serving",
}
IN_SERIES = "Serial"

_Definition = sagemaker.CfnModel.ContainerDefinitionProperty
_Execution = sagemaker.CfnModel.InferenceExecutionConfigProperty


def served_model(
    scope: Construct,
    id_: str,
    *,
    artifacts: Mapping[str, str],
    role: SageMakerRole,
    one_container: OneContainer | None = None,
) -> sagemaker.CfnModel:
    """The model whose artifacts lie at these addresses, by container; or in `one_container`, where that is given."""
    three = _three_containers(Stack.of(scope).region, artifacts)
    containers: list[_Definition] | IResolvable = [_property(container) for container in three]
    execution: _Execution | IResolvable | None = _Execution(mode=IN_SERIES)
    if one_container is not None:
        alone = one_container.definition()
        containers, execution = [_property(alone)], None
        if one_container.unless is not None:
            containers = Fn.condition_if(one_container.unless, three, [alone])
            execution = Fn.condition_if(one_container.unless, {"Mode": IN_SERIES}, Aws.NO_VALUE)
    model = sagemaker.CfnModel(
        scope,
        id_,
        execution_role_arn=role.arn,
        enable_network_isolation=True,
        inference_execution_config=execution,
        containers=containers,
    )
    Validations.of(model).acknowledge(
        Acknowledgment(
            id="CloudFormation-Validate::F3031",
            reason="The rule takes the name of the SSM parameter for its value and finds no s3:// address in it",
        )
    )
    # SageMaker reads the artifacts with the role while it creates the model.
    model.node.add_dependency(role.policy)
    return model


def _three_containers(region: str, artifacts: Mapping[str, str]) -> list[dict[str, Any]]:
    """As CloudFormation words them, since they may stand inside a condition."""
    return [
        {
            "ContainerHostname": container,
            "Image": framework_image(IMAGE_OF[container]).address(region),
            "ModelDataUrl": artifact,
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            },
        }
        for container, artifact in artifacts.items()
    ]


def _property(definition: Mapping[str, Any]) -> _Definition:
    """The same as the CDK words it, which it asks for outside conditions."""
    model = sagemaker.CfnModel
    source = definition.get("ModelDataSource", {}).get("S3DataSource")
    return _Definition(
        container_hostname=definition["ContainerHostname"],
        image=definition["Image"],
        model_data_url=definition.get("ModelDataUrl"),
        model_data_source=None
        if source is None
        else model.ModelDataSourceProperty(
            s3_data_source=model.S3DataSourceProperty(
                s3_uri=source["S3Uri"], s3_data_type=source["S3DataType"], compression_type=source["CompressionType"]
            )
        ),
        environment=definition.get("Environment"),
    )
