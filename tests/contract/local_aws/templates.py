"""Pieces of templates that several tests deploy."""

from typing import Any

Json = dict[str, Any]

SERVING_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-py312-cpu-py3"


def resource(kind: str, **properties: Any) -> Json:
    return {"Type": kind, "Properties": properties}


def ref(name: str) -> Json:
    return {"Ref": name}


def attribute(name: str, of: str) -> Json:
    return {"Fn::GetAtt": [name, of]}


def role(service: str = "sagemaker.amazonaws.com") -> Json:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return resource("AWS::IAM::Role", AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [statement]})


def model(url: str | None = None, **more: Any) -> Json:
    container: Json = {
        "Image": SERVING_IMAGE,
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
    }
    if url:
        container["ModelDataUrl"] = url
    return resource("AWS::SageMaker::Model", ExecutionRoleArn=attribute("Role", "Arn"), Containers=[container], **more)


def endpoint_config(**more: Any) -> Json:
    variant = {
        "ModelName": attribute("Model", "ModelName"),
        "VariantName": "only",
        "InitialInstanceCount": "1",
        "InitialVariantWeight": "1.0",
        "InstanceType": "ml.c6i.large",
    }
    return resource("AWS::SageMaker::EndpointConfig", ProductionVariants=[variant], **more)


def endpoint(**more: Any) -> Json:
    return resource("AWS::SageMaker::Endpoint", EndpointConfigName=attribute("Config", "EndpointConfigName"), **more)


def key() -> Json:
    return resource("AWS::KMS::Key", KeyPolicy={"Version": "2012-10-17", "Statement": []}, EnableKeyRotation=True)
