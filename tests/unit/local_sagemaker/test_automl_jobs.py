"""AutoML jobs: what is refused, every state that a job comes to, its candidates, and a restart.

The search is a stand-in here: the real one is in tests/contract/test_autopilot.py.
"""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.sagemaker.service import SageMaker
from tests.unit.local_sagemaker import automl_kit
from tests.unit.local_sagemaker.job_kit import members, until

RESOLVED = {"event": "resolved", "objective": "F1macro", "problem": "MulticlassClassification"}
PHASES = ("AnalyzingData", "FeatureEngineering", "ModelTuning")
REPORTS = ("GeneratingExplainabilityReport", "GeneratingModelInsightsReport")


def told(name: str, status: str, value: float | None = None, **more: Any) -> dict[str, Any]:
    """A line of progress about a candidate."""
    scores = {} if value is None else {"scores": {"F1macro": value, "LogLoss": 1.0}, "value": value}
    return {"event": "candidate", "name": name, "status": status, **scores, **more}


WHOLE = [
    {"event": "phase", "name": PHASES[0]},
    RESOLVED,
    *({"event": "phase", "name": name} for name in PHASES[1:]),
    told("c-1", "InProgress"),
    told("c-1", "Completed", 0.7),
    told("c-2", "InProgress"),
    told("c-2", "Failed", error="ValueError: nothing came of it"),
    told("c-3", "InProgress"),
    told("c-3", "Completed", 0.6),
    *({"event": "phase", "name": name} for name in REPORTS),
]


@pytest.fixture
def job(local_aws: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Start a job whose search goes as the test says; the answer is the job's description once it is over."""
    monkeypatch.setattr("local.sagemaker.automl.search.MODULE", "tests.unit.local_sagemaker.automl_stand_in")

    def start(progress: list[dict[str, Any]], *, wait: bool = True, **play: Any) -> Any:
        local_aws.put("s3://b/training/play.json", json.dumps({"progress": progress, **play}).encode())
        local_aws.put("s3://b/validation/rows.csv", b"")
        local_aws.client.create_auto_ml_job_v2(**automl_kit.request())
        return until(lambda: over(local_aws)) if wait else None

    return start


def over(local_aws: Any) -> Any:
    """The description of the job, once it is over."""
    described = local_aws.client.describe_auto_ml_job_v2(AutoMLJobName="job")
    return described if described["AutoMLJobStatus"] not in ("InProgress", "Stopping") else None


def test_a_job_goes_through_autopilots_states_and_names_its_best_candidate(local_aws: Any, job: Any) -> None:
    described = job([*WHOLE, {"event": "end", "name": "Completed"}])

    assert described["AutoMLJobStatus"] == "Completed", described
    assert described["AutoMLJobSecondaryStatus"] == "Completed"
    assert described["AutoMLProblemTypeConfigName"] == "Tabular"
    assert described["EndTime"] >= described["CreationTime"]
    resolved = described["ResolvedAttributes"]["AutoMLProblemTypeResolvedAttributes"]
    assert resolved == {"TabularResolvedAttributes": {"ProblemType": "MulticlassClassification"}}
    best = described["BestCandidate"]
    assert (best["CandidateName"], best["ObjectiveStatus"]) == ("c-1", "Succeeded")
    assert best["FinalAutoMLJobObjectiveMetric"]["Value"] == 0.7
    assert [each["Environment"].get("AUTOML_TRANSFORM_MODE") for each in best["InferenceContainers"]] == [
        "feature-transform",
        None,
        "inverse-label-transform",
    ]
    states = [
        detail["AutoMLJobSecondaryStatus"]
        for _, kind, detail in local_aws.bus.events
        if kind == "SageMaker AutoML Job State Change"
    ]
    in_order = [state for place, state in enumerate(states) if place == 0 or states[place - 1] != state]
    assert in_order == ["Starting", *PHASES, *REPORTS, "Completed"]


def test_archives_and_reports_lie_where_the_job_says(local_aws: Any, job: Any) -> None:
    described = job([*WHOLE, {"event": "end", "name": "Completed"}])

    best = described["BestCandidate"]
    processor, algorithm, labels = (each["ModelDataUrl"] for each in best["InferenceContainers"])
    assert labels == processor
    assert {"processor.json", "code/sagemaker_serve.py"} <= set(members(local_aws.get(processor)))
    assert {"algorithm.json", "code/inference.py"} <= set(members(local_aws.get(algorithm)))
    for place in best["CandidateProperties"]["CandidateArtifactLocations"].values():
        assert local_aws.keys(place)
    assert all(
        location.startswith("s3://b/autopilot/job/sagemaker-automl-candidates/notebooks/")
        for location in described["AutoMLJobArtifacts"].values()
    )


def test_candidates_are_listed_by_their_objective_and_status(local_aws: Any, job: Any) -> None:
    job([*WHOLE, {"event": "end", "name": "Completed"}])

    def names(**wanted: Any) -> list[str]:
        answer = local_aws.client.list_candidates_for_auto_ml_job(AutoMLJobName="job", **wanted)
        return [each["CandidateName"] for each in answer["Candidates"]]

    assert names() == ["c-1", "c-2", "c-3"]
    assert names(SortBy="FinalObjectiveMetricValue", SortOrder="Descending")[:2] == ["c-1", "c-3"]
    assert names(StatusEquals="Failed") == ["c-2"]
    assert names(CandidateNameEquals="c-3") == ["c-3"]
    first = local_aws.client.list_candidates_for_auto_ml_job(AutoMLJobName="job", MaxResults=2)
    assert names(NextToken=first["NextToken"]) == ["c-3"]
    (failed,) = local_aws.client.list_candidates_for_auto_ml_job(AutoMLJobName="job", StatusEquals="Failed")[
        "Candidates"
    ]
    assert failed["FailureReason"] == "ValueError: nothing came of it"


def test_time_that_ran_out_is_told_and_no_failure(job: Any) -> None:
    described = job([*WHOLE, {"event": "end", "name": "MaxAutoMLJobRuntimeReached"}])
    assert described["AutoMLJobStatus"] == "Completed"
    assert described["AutoMLJobSecondaryStatus"] == "MaxAutoMLJobRuntimeReached"


def test_a_failed_search_gives_its_sentence_as_the_reason(job: Any) -> None:
    described = job([], failure="the target column 'sentiment' is not in the training data")
    assert described["AutoMLJobStatus"] == "Failed"
    assert described["FailureReason"] == "ClientError: the target column 'sentiment' is not in the training data"


def test_a_stopped_job_keeps_what_was_completed(local_aws: Any, job: Any) -> None:
    job([RESOLVED, told("c-1", "Completed", 0.7), told("c-2", "InProgress")], wait=False, seconds=60)
    until(
        lambda: len(local_aws.service.call("ListCandidatesForAutoMLJob", {"AutoMLJobName": "job"})["Candidates"]) == 2
    )

    local_aws.client.stop_auto_ml_job(AutoMLJobName="job")
    described = until(lambda: over(local_aws))

    assert (described["AutoMLJobStatus"], described["AutoMLJobSecondaryStatus"]) == ("Stopped", "Stopped")
    assert described["BestCandidate"]["CandidateName"] == "c-1"
    answer = local_aws.client.list_candidates_for_auto_ml_job(AutoMLJobName="job")
    assert [each["CandidateStatus"] for each in answer["Candidates"]] == ["Completed", "Stopped"]
    with pytest.raises(ClientError, match="status Stopped"):
        local_aws.client.stop_auto_ml_job(AutoMLJobName="job")


def test_a_job_that_a_restart_broke_off_is_failed(local_aws: Any, job: Any) -> None:
    job([RESOLVED, told("c-1", "InProgress")], wait=False, seconds=60)
    until(lambda: local_aws.service.call("ListCandidatesForAutoMLJob", {"AutoMLJobName": "job"})["Candidates"])
    local_aws.service.close()

    again = SageMaker(local_aws.context)
    again.start()
    try:
        described = again.call("DescribeAutoMLJobV2", {"AutoMLJobName": "job"})
        (candidate,) = again.call("ListCandidatesForAutoMLJob", {"AutoMLJobName": "job"})["Candidates"]
    finally:
        again.close()
    assert described["AutoMLJobStatus"] == "Failed"
    assert "restarted" in described["FailureReason"]
    assert candidate["CandidateStatus"] == "Stopped"


def test_a_channel_without_objects_is_the_jobs_failure(local_aws: Any) -> None:
    local_aws.client.create_auto_ml_job_v2(**automl_kit.request())
    described = until(lambda: over(local_aws))
    assert "no S3 objects found under S3 URL 's3://b/training/'" in described["FailureReason"]


def test_jobs_are_listed_and_names_are_taken_once(local_aws: Any, job: Any) -> None:
    job([*WHOLE, {"event": "end", "name": "Completed"}])
    (summary,) = local_aws.client.list_auto_ml_jobs(StatusEquals="Completed")["AutoMLJobSummaries"]
    assert summary["AutoMLJobName"] == "job"
    with pytest.raises(ClientError, match="ResourceInUse"):
        local_aws.client.create_auto_ml_job_v2(**automl_kit.request())
    with pytest.raises(ClientError, match="ResourceNotFound"):
        local_aws.client.describe_auto_ml_job_v2(AutoMLJobName="other")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        local_aws.client.list_candidates_for_auto_ml_job(AutoMLJobName="other")


def test_a_text_job_gives_the_search_its_one_column(local_aws: Any, job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from local.sagemaker.automl.requests import search_request

    text = {"ContentColumn": "text", "TargetLabelColumn": "sentiment"}
    request = automl_kit.request() | {"AutoMLProblemTypeConfig": {"TextClassificationJobConfig": text}}
    found = search_request(request)
    assert (found["content"], found["target"], found["most_candidates"]) == ("text", "sentiment", 10)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"AutoMLProblemTypeConfig": {}}, "exactly one member"),
        (
            {"AutoMLProblemTypeConfig": {"ImageClassificationJobConfig": {}}},
            "TabularJobConfig and TextClassificationJobConfig only",
        ),
        ({"tabular": {"Mode": "ENSEMBLING"}}, "no ensembles"),
        ({"tabular": {"ProblemType": "Regression"}}, "classification only"),
        ({"tabular": {"GenerateCandidateDefinitionsOnly": True}}, "always trains"),
        ({"tabular": {"SampleWeightAttributeName": "weight"}}, "leave SampleWeightAttributeName out"),
        ({"AutoMLJobInputDataConfig": [automl_kit.channel("validation", "s3://b/x/")]}, "one training channel"),
        (
            {
                "AutoMLJobInputDataConfig": [
                    automl_kit.channel("training", "s3://b/x", ContentType="text/csv;header=absent")
                ]
            },
            "header=present only",
        ),
        ({"DataSplitConfig": {"ValidationFraction": 0.3}}, "beside a validation channel"),
        ({"ModelDeployConfig": {"AutoGenerateEndpointName": True}}, "deploys no candidate"),
        ({"AutoMLJobName": "n" * 33}, "less than or equal to 32"),
        ({"OutputDataConfig": {"S3OutputPath": "https://b/x"}}, "is not an S3 URI"),
    ],
)
def test_what_is_not_here_is_refused(local_aws: Any, changes: dict[str, Any], complaint: str) -> None:
    request = automl_kit.request(**changes.pop("tabular", {})) | changes
    with pytest.raises(ClientError, match=complaint):
        local_aws.client.create_auto_ml_job_v2(**request)
