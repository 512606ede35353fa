"""SageMaker's tasks and ``aws-sdk`` tasks in state machines, and the events that SageMaker's jobs cause."""

import json
from typing import Any
from uuid import uuid4

import pytest

from .conftest import LocalAws, eventually

Json = dict[str, Any]

IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-inference:2.6.0-cpu-py312"


def execute(aws: LocalAws, states: Json, start: str, data: Json | None = None) -> Json:
    """Run a machine of these states; the description of the finished execution."""
    stepfunctions = aws.client("stepfunctions")
    machine = stepfunctions.create_state_machine(
        name=f"machine-{uuid4().hex[:8]}",
        definition=json.dumps({"StartAt": start, "States": states}),
        roleArn="arn:aws:iam::000000000000:role/machine",
    )["stateMachineArn"]
    execution = stepfunctions.start_execution(stateMachineArn=machine, input=json.dumps(data or {}))["executionArn"]

    def over() -> Json | None:
        described: Json = stepfunctions.describe_execution(executionArn=execution)
        return None if described["status"] == "RUNNING" else described

    return dict(eventually(over, 30))


def task(resource: str, parameters: Json, **more: Any) -> Json:
    return {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True, **more}


def output(aws: LocalAws, resource: str, parameters: Json, **more: Any) -> Json:
    done = execute(aws, {"Only": task(resource, parameters, **more)}, "Only")
    assert done["status"] == "SUCCEEDED", (done.get("error"), done.get("cause"))
    return dict(json.loads(done["output"]))


def failure(aws: LocalAws, resource: str, parameters: Json) -> tuple[str, str]:
    done = execute(aws, {"Only": task(resource, parameters)}, "Only")
    assert done["status"] == "FAILED"
    return done["error"], done["cause"]


def processing(name: str, command: str) -> Json:
    return {
        "ProcessingJobName": name,
        "RoleArn": "arn:aws:iam::000000000000:role/processing",
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", command]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def test_a_job_is_waited_for_and_its_description_is_the_output(aws: LocalAws) -> None:
    name = f"job-{uuid4().hex[:8]}"
    told = output(aws, "arn:aws:states:::sagemaker:createProcessingJob.sync", processing(name, "print('done')"))
    assert told["ProcessingJobStatus"] == "Completed"
    assert told["ProcessingJobArn"].endswith(f"processing-job/{name}")
    assert isinstance(told["CreationTime"], int)
    assert told["CreationTime"] > 10**12


def test_a_failed_job_fails_the_task_and_can_be_caught(aws: LocalAws) -> None:
    states = {
        "Job": task(
            "arn:aws:states:::sagemaker:createProcessingJob.sync",
            processing(f"job-{uuid4().hex[:8]}", "raise SystemExit('it went wrong')"),
            Catch=[{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}],
        ),
        "Caught": {"Type": "Pass", "End": True},
    }
    done = execute(aws, states, "Job")
    assert done["status"] == "SUCCEEDED"
    caught = json.loads(done["output"])
    assert caught["Error"] == "States.TaskFailed"
    assert json.loads(caught["Cause"])["ProcessingJobStatus"] == "Failed"


def test_a_refused_request_names_sagemaker_s_error(aws: LocalAws) -> None:
    error, cause = failure(aws, "arn:aws:states:::sagemaker:createModel", {"ModelName": "nothing in it"})
    assert error == "SageMaker.AmazonSageMakerException"
    assert "nothing in it" in cause or "modelName" in cause or "ExecutionRoleArn" in cause


def test_the_sdk_reaches_sagemaker_by_its_action_s_name(aws: LocalAws) -> None:
    group = f"group-{uuid4().hex[:8]}"
    made = output(aws, "arn:aws:states:::aws-sdk:sagemaker:createModelPackageGroup", {"ModelPackageGroupName": group})
    assert made["ModelPackageGroupArn"].endswith(group)
    described = output(
        aws, "arn:aws:states:::aws-sdk:sagemaker:describeModelPackageGroup", {"ModelPackageGroupName": group}
    )
    assert described["CreationTime"].endswith("Z")


def test_the_sdk_reaches_services_that_ministack_refuses(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="sdk-tasks")
    put = {"Bucket": "sdk-tasks", "Key": "a.json", "Body": {"answer": 42}}
    output(aws, "arn:aws:states:::aws-sdk:s3:putObject", put)
    assert json.loads(s3.get_object(Bucket="sdk-tasks", Key="a.json")["Body"].read()) == {"answer": 42}
    read = output(aws, "arn:aws:states:::aws-sdk:s3:getObject", {"Bucket": "sdk-tasks", "Key": "a.json"})
    assert json.loads(read["Body"]) == {"answer": 42}
    output(aws, "arn:aws:states:::aws-sdk:ssm:putParameter", {"Name": "/sdk", "Value": "x", "Type": "String"})
    parameter = output(aws, "arn:aws:states:::aws-sdk:ssm:getParameter", {"Name": "/sdk"})["Parameter"]
    assert parameter["Value"] == "x"
    stacks = output(aws, "arn:aws:states:::aws-sdk:cloudformation:describeStacks", {})
    assert isinstance(stacks["Stacks"], list)
    targets = output(
        aws,
        "arn:aws:states:::aws-sdk:applicationautoscaling:describeScalableTargets",
        {"ServiceNamespace": "sagemaker"},
    )
    assert isinstance(targets["ScalableTargets"], list)


@pytest.mark.parametrize(
    ("resource", "parameters", "error"),
    [
        ("s3:getObject", {"Bucket": "sdk-errors", "Key": "none"}, "S3.NoSuchKeyException"),
        ("ssm:getParameter", {"Name": "/none"}, "Ssm.ParameterNotFoundException"),
        ("glue:startCrawler", {"Name": "none"}, "Glue.EntityNotFoundException"),
        ("cloudformation:describeStacks", {"StackName": "none"}, "CloudFormation.CloudFormationException"),
        ("sagemakerruntime:invokeEndpoint", {"EndpointName": "none", "Body": "x"}, "SageMakerRuntime"),
        ("nothing:atAll", {}, "States.Runtime"),
    ],
)
def test_the_sdk_s_errors_have_the_names_that_catch_expects(
    aws: LocalAws, resource: str, parameters: Json, error: str
) -> None:
    aws.client("s3").create_bucket(Bucket="sdk-errors")
    found, _ = failure(aws, f"arn:aws:states:::aws-sdk:{resource}", parameters)
    assert found.startswith(error)


def test_a_job_s_end_is_an_event_on_the_default_bus(aws: LocalAws) -> None:
    sqs, events = aws.client("sqs"), aws.client("events")
    queue = sqs.create_queue(QueueName="job-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Processing Job State Change"],
        "detail": {"ProcessingJobStatus": ["Completed"]},
    }
    events.put_rule(Name="job-events", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="job-events", Targets=[{"Id": "queue", "Arn": arn}])
    name = f"job-{uuid4().hex[:8]}"
    aws.client("sagemaker").create_processing_job(**processing(name, "print('done')"))
    received = eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), 20)
    event = json.loads(received[0]["Body"])
    assert event["detail"]["ProcessingJobName"] == name
    assert event["account"] == "000000000000"


def test_nobody_else_may_send_aws_events(aws: LocalAws) -> None:
    entry = {"Source": "aws.sagemaker", "DetailType": "x", "Detail": "{}"}
    sent = aws.client("events").put_events(Entries=[entry])
    assert sent["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
