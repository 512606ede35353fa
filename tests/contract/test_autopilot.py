"""The local Autopilot for real: a search in the training environment, and its best candidate's three containers
deployed as they are in the serving environment, whose answers are those of the scikit-learn steps that were fitted.
"""

import ast
import csv
import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from local.sagemaker import archives
from local.sagemaker.automl import search
from local.sagemaker.context import Context
from local.sagemaker.hosting.chain import Chain, ChainError
from local.sagemaker.service import SageMaker
from tests.unit.local_sagemaker import automl_kit
from tests.unit.local_sagemaker.conftest import Bus, FakeAws, LocalAws, Served, served
from tests.unit.local_sagemaker.job_kit import ROLE, ended, members, until

__all__ = ["served"]

ROOT = Path(__file__).resolve().parents[2]
TRAINING, SERVING = (ROOT / f".venv-{kind}" / "bin" / "python" for kind in ("training", "serving"))

pytestmark = pytest.mark.skipif(
    not TRAINING.exists() or not SERVING.exists(), reason="needs .venv-training and .venv-serving"
)

UNSEEN = [
    ["Lovely! the PARCEL, works well so so", "toys", "33"],
    ["", "a category that nobody knew", ""],
    ['said "broken"; naïve café 中文 x', "", "1e9"],
    ["a b c", "books", "none"],
]


@pytest.fixture
def local_aws(tmp_path: Path, served: Served) -> Iterator[LocalAws]:
    """A local SageMaker with the environments that stand for AWS's images."""
    aws, bus = FakeAws(), Bus()
    context = Context(
        home=tmp_path / "home",
        endpoint_url=served.endpoint_url,
        serving_python=SERVING,
        training_python=TRAINING,
        publish=bus.publish,
    )
    service = SageMaker(context, stop_grace_seconds=1.0)
    served.stage.service, served.stage.aws = service, aws
    service.start()
    yield LocalAws(client=served.client, service=service, context=context, aws=aws, bus=bus)
    service.close()


def test_the_best_candidate_is_deployed_as_it_is(local_aws: Any) -> None:
    local_aws.put("s3://b/training/rows.csv", automl_kit.table(automl_kit.rows(500)))
    local_aws.put("s3://b/validation/rows.csv", automl_kit.table(automl_kit.rows(150, seed=2)))
    sagemaker = local_aws.client
    sagemaker.create_auto_ml_job_v2(**automl_kit.request())

    job = until(lambda: _ended_job(sagemaker))

    assert job["AutoMLJobStatus"] == "Completed", job.get("FailureReason")
    assert job["ResolvedAttributes"]["AutoMLJobObjective"] == {"MetricName": "F1macro"}
    best = job["BestCandidate"]
    assert best["FinalAutoMLJobObjectiveMetric"]["Value"] > 0.8
    listed = sagemaker.list_candidates_for_auto_ml_job(
        AutoMLJobName="job", SortBy="FinalObjectiveMetricValue", SortOrder="Descending"
    )["Candidates"]
    assert [each["CandidateStatus"] for each in listed] == ["Completed", "Completed"]
    assert listed[0]["CandidateName"] == best["CandidateName"]
    containers = best["InferenceContainers"]
    assert len(containers) == 3
    assert set(members(local_aws.get(containers[0]["ModelDataUrl"]))) == {
        "code/answers.py",
        "code/features.py",
        "code/matrix.py",
        "code/sagemaker_serve.py",
        "processor.json",
        "processor.npz",
    }
    for location in job["AutoMLJobArtifacts"].values():
        notebook = json.loads(local_aws.get(location))
        assert notebook["nbformat"] == 4
        assert all(cell["cell_type"] in ("markdown", "code") for cell in notebook["cells"])
    explained = best["CandidateProperties"]["CandidateArtifactLocations"]["Explainability"]
    importance = json.loads(local_aws.get(f"{explained}/analysis.json"))["importance"]
    assert max(importance, key=importance.__getitem__) == "text"

    # As the guide asks for it: https://docs.aws.amazon.com/sagemaker/latest/dg/
    # autopilot-automate-model-development-container-output.html
    containers[1]["Environment"]["SAGEMAKER_INFERENCE_OUTPUT"] = "predicted_label,probabilities"
    containers[2]["Environment"]["SAGEMAKER_INFERENCE_INPUT"] = "predicted_label,probabilities"
    containers[2]["Environment"]["SAGEMAKER_INFERENCE_OUTPUT"] = "predicted_label,probabilities,labels"
    sagemaker.create_model(ModelName="best", ExecutionRoleArn=ROLE, Containers=containers)
    fresh = automl_kit.rows(60, seed=3)
    local_aws.put("s3://b/scoring/test.csv", automl_kit.table([row[:3] for row in fresh], header=()))
    sagemaker.create_transform_job(
        TransformJobName="score",
        ModelName="best",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/scoring/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": "s3://b/answers", "AssembleWith": "Line", "Accept": "text/csv"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    scored = ended(local_aws, "Transform", "score")
    assert scored["TransformJobStatus"] == "Completed", scored
    answers = list(csv.reader(io.StringIO(local_aws.get("s3://b/answers/test.csv.out").decode())))
    assert len(answers) == 60
    assert sum(label == row[3] for (label, *_), row in zip(answers, fresh, strict=True)) > 45
    for label, probabilities, labels in answers:
        assert ast.literal_eval(labels) == sorted(automl_kit.LABELS)
        numbers = json.loads(probabilities)
        assert sum(numbers) == pytest.approx(1)
        assert sorted(automl_kit.LABELS)[numbers.index(max(numbers))] == label


def _ended_job(sagemaker: Any) -> dict[str, Any] | None:
    job = sagemaker.describe_auto_ml_job_v2(AutoMLJobName="job")
    return cast(dict[str, Any], job) if job["AutoMLJobStatus"] not in ("InProgress", "Stopping") else None


def searched(folder: Path, name: str, **limits: Any) -> tuple[Path, list[dict[str, Any]], int]:
    """Run the search itself over tables in the folder: its output, what it told, and its exit status."""
    for channel, count in (("training", 500), ("validation", 120)):
        (folder / channel).mkdir(exist_ok=True)
        (folder / channel / "rows.csv").write_bytes(automl_kit.table(automl_kit.rows(count)))
    asked = {
        "job": "j",
        "target": "sentiment",
        "content": None,
        "problem": None,
        "objective": "F1macro",
        "algorithms": ["linear-learner"],
        "most_candidates": 4,
        "candidate_seconds": 60,
        "job_seconds": 60,
        "validation_fraction": None,
        **limits,
    }
    (folder / f"{name}.json").write_text(json.dumps(asked))
    done = subprocess.run(
        [
            *(str(TRAINING), "-m", "local.sagemaker.builtin.autopilot", "--request", str(folder / f"{name}.json")),
            *("--training", str(folder / "training"), "--validation", str(folder / "validation")),
            *("--output", str(folder / name)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    told = [json.loads(line) for line in (folder / name / "progress.jsonl").read_text().splitlines()]
    return folder / name, told, done.returncode


def test_the_same_data_gives_the_same_candidates(tmp_path: Path) -> None:
    boards = []
    for name in ("once", "twice"):
        output, _, status = searched(tmp_path, name)
        assert status == 0
        board = json.loads((output / "leaderboard.json").read_text())
        boards.append([{**each, "seconds": 0} for each in board])
    assert boards[0] == boards[1]
    assert {each["recipe"]["estimator"] for each in boards[0]} >= {"Logistic regression", "Complement naive Bayes"}
    assert [each["value"] for each in boards[0]] == sorted((each["value"] for each in boards[0]), reverse=True)


def test_a_candidate_that_takes_too_long_fails_and_the_search_goes_on(tmp_path: Path) -> None:
    output, told, status = searched(tmp_path, "slow", candidate_seconds=0.0, most_candidates=2)
    ended = [each for each in told if each["event"] == "candidate" and each["status"] == "Failed"]
    assert [each["error"] for each in ended] == [
        "the candidate was not fitted within MaxRuntimePerTrainingJobInSeconds"
    ] * 2
    assert status == 1
    assert (output / "failure").read_text().startswith("no candidate was completed within the job's limits: the candid")


def test_the_jobs_own_time_ends_the_search(tmp_path: Path) -> None:
    output, told, status = searched(tmp_path, "short", job_seconds=3, most_candidates=500)
    assert status == 0, (output / "failure").read_text()
    assert told[-1] == {"event": "end", "time": told[-1]["time"], "name": "MaxAutoMLJobRuntimeReached"}
    assert len(json.loads((output / "leaderboard.json").read_text())) < 500


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[list[float]]]]:
    """One candidate of each estimator for two and three labels, and what scikit-learn answers to unseen rows."""
    folder = tmp_path_factory.mktemp("fitted")
    for labels in (2, 3):
        records = automl_kit.rows(500, labels=automl_kit.LABELS[:labels])
        (folder / f"{labels}.csv").write_bytes(automl_kit.table(records))
    done = subprocess.run(
        [str(TRAINING), "-m", "tests.contract.autopilot_process", str(folder)],
        cwd=ROOT,
        input=json.dumps(UNSEEN + [row[:3] for row in automl_kit.rows(40, seed=9)]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, json.loads(done.stdout)


# With two labels only these two are written otherwise than with three.
@pytest.mark.parametrize(
    ("estimator", "labels"),
    [("logistic", 3), ("naive-bayes", 3), ("svm", 3), ("trees", 3), ("logistic", 2), ("svm", 2)],
)
def test_the_containers_answer_as_scikit_learn(
    fitted: tuple[Path, dict[str, list[list[float]]]], estimator: str, labels: int
) -> None:
    folder, expected = fitted
    made = folder / f"{estimator}-{labels}"
    environment = dict.fromkeys(
        ("SAGEMAKER_INFERENCE_INPUT", "SAGEMAKER_INFERENCE_OUTPUT"), "predicted_label,probabilities,probability"
    )
    cells = UNSEEN + [row[:3] for row in automl_kit.rows(40, seed=9)]
    with _chain(made, environment) as chain:
        body = chain.invoke(automl_kit.table(cells, header=()), content_type="text/csv").body
        with pytest.raises(ChainError, match="record 1 has 2 fields, and the model was trained on 3"):
            chain.invoke(b"one,two\n", content_type="text/csv")
        with pytest.raises(ChainError, match="takes text/csv"):
            chain.invoke(b"{}", content_type="application/json")
    answers = list(csv.reader(io.StringIO(body.decode())))
    names = sorted(automl_kit.LABELS[:labels])
    for (label, probabilities, probability), row in zip(answers, expected[made.name], strict=True):
        assert json.loads(probabilities) == pytest.approx(row, abs=1e-9)
        assert label == names[row.index(max(row))]
        assert float(probability) == pytest.approx(max(row), abs=1e-9)


def _chain(made: Path, environment: dict[str, str]) -> Chain:
    packed = []
    for part, files in (("processor", search.PROCESSOR_CODE), ("algorithm", search.ALGORITHM_CODE)):
        (made / part / "code").mkdir(exist_ok=True)
        for file in files:
            (made / part / "code" / file).write_bytes((search.SERVING / file).read_bytes())
        archives.pack(made / part, made / f"{part}.tar.gz")
        packed.append(made / f"{part}.tar.gz")
    served_by = {"SAGEMAKER_PROGRAM": "sagemaker_serve.py"}
    return Chain.from_archives(
        [packed[0], packed[1], packed[0]],
        python=SERVING,
        folder=made / "run",
        environments=[
            {**served_by, "AUTOML_TRANSFORM_MODE": "feature-transform"},
            {"SAGEMAKER_INFERENCE_OUTPUT": environment["SAGEMAKER_INFERENCE_OUTPUT"]},
            {**served_by, "AUTOML_TRANSFORM_MODE": "inverse-label-transform", **environment},
        ],
    )
