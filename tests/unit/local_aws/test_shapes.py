"""Values fitted to AWS's service models, both ways."""

import datetime

import pytest

from local.aws import shapes


def test_text_from_a_template_becomes_what_the_model_wants() -> None:
    given = {"EndpointName": "e", "EndpointConfigName": "c", "RetainAllVariantProperties": "true"}
    fitted = shapes.fit(given, shapes.input_shape("sagemaker", "UpdateEndpoint"))
    assert fitted["RetainAllVariantProperties"] is True
    scaling = {"MinCapacity": "1", "MaxCapacity": 4.0}
    fitted = shapes.fit(scaling, shapes.input_shape("application-autoscaling", "RegisterScalableTarget"))
    assert fitted == {"MinCapacity": 1, "MaxCapacity": 4}


def test_a_member_that_the_model_lacks_is_named_with_its_place() -> None:
    given = {"ModelName": "m", "Containers": [{"Image": "i", "Colour": "red"}]}
    with pytest.raises(shapes.MisfitError, match=r"\{/Containers/0\}: \[Colour\]"):
        shapes.fit(given, shapes.input_shape("sagemaker", "CreateModel"))


def test_text_that_is_no_number_is_refused() -> None:
    with pytest.raises(shapes.MisfitError, match="must be a number"):
        shapes.fit({"MinCapacity": "few"}, shapes.input_shape("application-autoscaling", "RegisterScalableTarget"))


def test_a_task_s_capital_letters_become_the_service_s_own() -> None:
    shape = shapes.input_shape("stepfunctions", "StartExecution")
    given = {"StateMachineArn": "arn", "Input": "{}"}
    assert shapes.from_task(given, shape) == {"stateMachineArn": "arn", "input": "{}"}


def test_a_task_s_blob_is_text_or_json() -> None:
    shape = shapes.input_shape("s3", "PutObject")
    assert shapes.from_task({"Body": {"a": 1}}, shape) == {"Body": b'{"a": 1}'}
    assert shapes.from_task({"Body": "a"}, shape) == {"Body": b"a"}


def test_an_answer_has_capital_letters_and_times_as_text() -> None:
    shape = shapes.output_shape("stepfunctions", "StartExecution")
    moment = datetime.datetime(2024, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.UTC)
    told = shapes.to_task({"executionArn": "arn", "startDate": moment}, shape, shapes.iso_8601)
    assert told == {"ExecutionArn": "arn", "StartDate": "2024-01-02T03:04:05.678Z"}


def test_problems_are_botocore_s() -> None:
    assert shapes.problem_with("sagemaker", "CreateModelPackageGroup", {"ModelPackageGroupName": "g"}) is None
    assert "ModelPackageGroupName" in str(shapes.problem_with("sagemaker", "CreateModelPackageGroup", {}))


def test_tokens_are_added_where_an_sdk_would() -> None:
    request = shapes.with_tokens("sagemaker", "CreatePipeline", {"PipelineName": "p"})
    assert len(request["ClientRequestToken"]) == 36
    assert shapes.with_tokens("sagemaker", "CreateModel", {}) == {}
