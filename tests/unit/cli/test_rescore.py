"""Scoring the lake again: which texts are asked, what the job is, what is compared, and what is left behind."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import rescore as command
from cli import rescored_texts, transform_job
from cli.app import app
from cli.connection import AwsConnection
from tests.infra.shapes import complaints
from tests.unit.cli.fakes import FakeRegistry, FakeS3, FakeSsm, connection

Answer = Callable[[dict[str, Any]], dict[str, Any]]


def said(line: dict[str, Any]) -> dict[str, Any]:
    """The label that the text itself names."""
    return {"id": line["id"], "label": line["text"].split()[0]}


@dataclass
class SageMaker(FakeRegistry):
    """A registry, and transform jobs that look unfinished once and then have answered."""

    s3: FakeS3 = field(default_factory=FakeS3)
    answer: Answer = said
    status: str = "Completed"
    models: list[str] = field(default_factory=list)
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    looks: int = 0
    interrupted: bool = False

    def create_model(self, **request: Any) -> None:
        assert complaints("sagemaker", "CreateModel", request) == []
        self.requests["model"] = request
        self.models.append(request["ModelName"])

    def delete_model(self, *, ModelName: str) -> None:  # noqa: N803 - boto3's name
        assert self.status != "InProgress"
        self.models.remove(ModelName)

    def create_transform_job(self, **request: Any) -> None:
        assert complaints("sagemaker", "CreateTransformJob", request) == []
        assert request["ModelName"] in self.models
        self.requests["job"] = request

    def describe_transform_job(self, *, TransformJobName: str) -> dict[str, Any]:  # noqa: N803
        self.looks += 1
        if self.looks == 1:
            return {"TransformJobStatus": "InProgress"}
        if self.interrupted:
            self.interrupted, self.status, self.looks = False, "Stopped", 0
            raise KeyboardInterrupt
        if self.status == "Completed":
            self._transform()
        return {"TransformJobStatus": self.status, "FailureReason": "AlgorithmError: label answered 500"}

    def stop_transform_job(self, *, TransformJobName: str) -> None:  # noqa: N803
        self.requests["stop"] = {"TransformJobName": TransformJobName}

    def _transform(self) -> None:
        for key, content in list(self.s3.objects.items()):
            if "/input/" in key:
                lines = [json.dumps(self.answer(json.loads(line))) + "\n" for line in content.splitlines()]
                self.s3.objects[key.replace("/input/", "/output/") + ".out"] = "".join(lines).encode()


def row(
    id_: str, text: str, label: str | None, *, day: str = "2026-01-01", decided: str = "2026-01-01T10"
) -> dict[str, Any]:
    return {"feedback_id": id_, "text": text, "label": label, "received_at": f"{day}T09", "decided_at": decided}


def put(s3: FakeS3, name: str, *rows: dict[str, Any]) -> None:
    """One object of the lake, under the day of its rows."""
    body = "".join(json.dumps(each) + "\n" for each in rows).encode()
    s3.objects[f"feedback/dt={rows[0]['received_at'][:10]}/{name}.jsonl"] = body


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[SageMaker]:
    found = SageMaker()
    found.add("run-1")
    clients = {"s3": found.s3, "sagemaker": found, "ssm": FakeSsm(release="s3://artifacts/models/run-1/")}

    def connected(stage: str) -> AwsConnection:
        return connection(clients)

    monkeypatch.setattr(command, "connect", connected)
    monkeypatch.setattr(transform_job, "POLL_SECONDS", 0)
    yield found
    assert found.models == [], "the job's model is left behind"


def rescore(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["rescore", *arguments])


def report(*arguments: str) -> dict[str, Any]:
    done = rescore(*arguments, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_labels_before_and_after_are_counted(sagemaker: SageMaker) -> None:
    put(sagemaker.s3, "a", row("1", "positive it is", "positive"), row("2", "negative now", "unsure"))
    put(sagemaker.s3, "b", row("3", "unsure now", "positive"), row("4", "negative now", "positive"))
    put(sagemaker.s3, "c", row("5", "never decided by a model", None))

    found = report()

    assert (found["texts"], found["changed"], found["unsure_before"], found["unsure_after"]) == (4, 3, 1, 1)
    assert {(each["from"], each["to"], each["texts"]) for each in found["changes"]} == {
        ("unsure", "negative", 1),
        ("positive", "unsure", 1),
        ("positive", "negative", 1),
    }
    assert found["results"] == f"s3://lake/rescore/{found['job']}/output/"


def test_people_are_shown_a_table_and_where_the_answers_are(sagemaker: SageMaker) -> None:
    put(sagemaker.s3, "a", row("1", "negative now", "positive"))

    done = rescore()

    assert "Version 1 scored 1 texts: 1 would change their label; unsure were 0, would be 0." in done.stdout
    assert "s3://lake/rescore/earshot-dev-rescore-" in done.stdout


def test_the_job_is_the_package_without_a_network_and_its_output_is_encrypted(sagemaker: SageMaker) -> None:
    put(sagemaker.s3, "a", row("1", "negative", "negative"))

    found = report("1", "--instance-type", "ml.m5.large")

    model, job = sagemaker.requests["model"], sagemaker.requests["job"]
    assert model["EnableNetworkIsolation"] is True
    assert model["ExecutionRoleArn"] == "arn:aws:iam::000000000000:role/rescore"
    assert [container["ModelDataUrl"].rsplit("/", 1)[1] for container in model["Containers"]] == [
        "transform.tar.gz",
        "classify.tar.gz",
        "label.tar.gz",
    ]
    assert job["TransformOutput"]["KmsKeyId"] == "arn:aws:kms:us-east-1:000000000000:key/lake"
    assert job["TransformResources"] == {"InstanceType": "ml.m5.large", "InstanceCount": 1}
    assert job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == f"s3://lake/rescore/{found['job']}/input/"


def test_a_corrected_feedback_is_asked_once_with_its_last_label(sagemaker: SageMaker) -> None:
    put(sagemaker.s3, "a", row("1", "negative", "negative", decided="2026-01-03T10"))
    put(sagemaker.s3, "b", row("1", "negative", "positive", decided="2026-01-02T10"))

    assert (report()["texts"], report()["changed"]) == (1, 0)


def test_only_the_newest_are_asked_and_none_before_the_day(sagemaker: SageMaker) -> None:
    for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
        put(sagemaker.s3, "a", row(day, "negative", "negative", day=day))

    assert report("--since", "2026-01-02")["texts"] == 2
    job = report("--limit", "1")["job"]
    assert json.loads(sagemaker.s3.objects[f"rescore/{job}/input/part-0000.jsonl"])["id"] == "2026-01-03"


def test_many_texts_are_cut_into_objects_of_a_bounded_size(
    sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescored_texts, "LINES_PER_PART", 2)
    put(sagemaker.s3, "a", *(row(str(number), "negative", "positive") for number in range(5)))

    found = report()

    assert found["changed"] == found["texts"] == 5
    parts = [key for key in sagemaker.s3.objects if key.startswith(f"rescore/{found['job']}/input/")]
    assert [len(sagemaker.s3.objects[key].splitlines()) for key in sorted(parts)] == [2, 2, 1]


def test_refused_texts_are_counted_and_not_compared(sagemaker: SageMaker) -> None:
    sagemaker.answer = lambda line: {"id": line["id"], "error": "The text is empty."}
    put(sagemaker.s3, "a", row("1", "negative", "negative"))

    found = report()

    assert (found["refused"], found["changed"]) == (1, 0)
    assert "1 texts were refused by the model." in rescore().stdout


def test_answers_to_other_texts_are_not_taken(sagemaker: SageMaker) -> None:
    sagemaker.answer = lambda line: {"id": "another", "label": "negative"}
    put(sagemaker.s3, "a", row("1", "negative", "negative"))

    done = rescore()

    assert done.exit_code == 1
    assert "are not those to the texts that were asked" in done.stderr


def test_a_job_that_failed_ends_with_its_reason(sagemaker: SageMaker) -> None:
    sagemaker.status = "Failed"
    put(sagemaker.s3, "a", row("1", "negative", "negative"))

    done = rescore()

    assert done.exit_code == 1
    assert "did not complete: AlgorithmError: label answered 500" in done.stderr


def test_an_interrupt_stops_the_job_before_its_model_goes(sagemaker: SageMaker) -> None:
    sagemaker.interrupted = True
    put(sagemaker.s3, "a", row("1", "negative", "negative"))

    assert rescore().exit_code == 130
    assert sagemaker.requests["stop"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--since", "yesterday"), "'yesterday' is no day: write YYYY-MM-DD."),
        (("7",), "There is no model package '7'"),
        ((), "The lake holds no classified feedback yet."),
        (("--since", "2026-01-02"), "The lake holds no classified feedback since 2026-01-02."),
    ],
)
def test_what_cannot_be_rescored_is_said_in_a_sentence(
    sagemaker: SageMaker, arguments: tuple[str, ...], complaint: str
) -> None:
    done = rescore(*arguments)

    assert done.exit_code == 2
    assert complaint in done.stderr
    assert "job" not in sagemaker.requests


def test_the_starter_is_in_no_registry(sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    clients = {"sagemaker": sagemaker, "ssm": FakeSsm(), "s3": sagemaker.s3}
    monkeypatch.setattr(command, "connect", lambda stage: connection(clients))

    done = rescore()

    assert done.exit_code == 2
    assert "The endpoint serves the starter" in done.stderr
