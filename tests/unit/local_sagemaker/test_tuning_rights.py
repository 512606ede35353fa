"""What a role needs for a tuning job: the calls about the job itself, and the right to pass its training jobs' role."""

from typing import Any

import pytest

from local.aws.iam_requests import of_sagemaker, of_task, passing, sagemaker_resource

REGION, ACCOUNT = "us-east-1", "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/training"
JOB = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:hyper-parameter-tuning-job/tune"
REQUEST: dict[str, Any] = {"HyperParameterTuningJobName": "tune", "TrainingJobDefinition": {"RoleArn": ROLE}}


@pytest.mark.parametrize(
    ("operation", "resource"),
    [
        ("CreateHyperParameterTuningJob", JOB),
        ("DescribeHyperParameterTuningJob", JOB),
        ("StopHyperParameterTuningJob", JOB),
        ("DeleteHyperParameterTuningJob", JOB),
        ("ListTrainingJobsForHyperParameterTuningJob", JOB),
        ("ListHyperParameterTuningJobs", "*"),
    ],
)
def test_a_call_about_a_tuning_job_is_asked_for_it(operation: str, resource: str) -> None:
    assert sagemaker_resource(operation, "", REQUEST, REGION, ACCOUNT) == resource


def test_a_candidates_list_is_asked_for_its_automl_job() -> None:
    job = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:automl-job/a"
    asked = sagemaker_resource("ListCandidatesForAutoMLJob", "", {"AutoMLJobName": "a"}, REGION, ACCOUNT)
    assert asked == job


def test_the_training_jobs_role_must_be_passed() -> None:
    service = "sagemaker.amazonaws.com"
    assert list(of_sagemaker("CreateHyperParameterTuningJob", REQUEST)) == [passing(ROLE, service)]
    assert list(of_sagemaker("DescribeHyperParameterTuningJob", REQUEST)) == []
    several = {"TrainingJobDefinitions": [{"RoleArn": ROLE}, {"RoleArn": ROLE}]}
    assert list(of_sagemaker("CreateHyperParameterTuningJob", several)) == [passing(ROLE, service)]


def test_a_task_that_waits_for_a_tuning_job_needs_to_follow_it() -> None:
    task = "arn:aws:states:::sagemaker:createHyperParameterTuningJob.sync"
    needed = [(need.action, need.resource) for need in of_task(task, REQUEST, REGION, ACCOUNT)]
    assert needed[:3] == [
        ("sagemaker:CreateHyperParameterTuningJob", JOB),
        ("iam:PassRole", ROLE),
        ("sagemaker:DescribeHyperParameterTuningJob", JOB),
    ]
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsForSageMakerTuningJobsRule"
    assert ("events:PutRule", rule) in needed
