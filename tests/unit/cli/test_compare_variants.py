"""The released model and the one beside it, asked the same texts."""

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import compare_variants as command
from cli.app import app
from cli.connection import AwsConnection
from tests.unit.cli.fakes import OUTPUTS, FakeS3, FakeSsm, connection

SENTIMENT = {"negative": -1, "neutral": 0, "positive": 1}


@dataclass
class Endpoint:
    """The released model reads the first word; the one beside it takes neutral for positive."""

    variants: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {"VariantName": "sentiment", "CurrentWeight": 1.0},
            {"VariantName": "beside", "CurrentWeight": 0.0},
        ]
    )
    asked: list[str] = field(default_factory=list)

    def describe_endpoint(self, *, EndpointName: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        return {"EndpointStatus": "InService", "ProductionVariants": self.variants}

    def invoke_endpoint(self, *, TargetVariant: str, Body: bytes, **_: str) -> dict[str, Any]:  # noqa: N803
        self.asked.append(TargetVariant)
        lines = [json.dumps(self._answer(TargetVariant, json.loads(line)["text"])) for line in Body.splitlines()]
        return {"Body": io.BytesIO("\n".join(lines).encode())}

    @staticmethod
    def _answer(variant: str, text: str) -> dict[str, Any]:
        label = text.split()[0]
        if label == "unreadable":
            return {"error": {"code": "empty_text", "message": "The text is empty."}}
        if variant == "beside" and label == "neutral":
            label = "positive"
        return {"label": label, "model_version": f"m-{variant}"}


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def aws(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> AwsConnection:
    lines = [json.dumps({"text": f"{label} words", "sentiment": None}) for label in ("negative", "neutral")]
    probes = [json.dumps({"text": label, "sentiment": value}) for label, value in SENTIMENT.items()]
    s3 = FakeS3(
        {
            "feedback/dt=2026-03-01/a.jsonl": "\n".join(lines).encode(),
            "feedback/dt=2026-03-02/b.jsonl": json.dumps({"text": "unreadable"}).encode(),
            "models/run-2/probes.jsonl": "\n".join(probes * 12).encode(),
        }
    )
    outputs = {**OUTPUTS, "endpoint": {**OUTPUTS["endpoint"], "BesideParameter": "/earshot/dev/beside"}}
    found = connection(
        {
            "sagemaker": endpoint,
            "sagemaker-runtime": endpoint,
            "s3": s3,
            "ssm": FakeSsm("s3://artifacts/models/run-2/"),
        },
        outputs,
    )
    monkeypatch.setattr(command, "connect", lambda _: found)
    return found


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["compare-variants", "--stage", "dev", *arguments])


def test_the_newest_feedback_of_the_lake_is_asked_by_default(aws: AwsConnection) -> None:
    report = json.loads(run("--json").stdout)
    assert (report["texts"], report["labelled"]) == (3, None)
    assert report["agreement"] == pytest.approx(2 / 3)
    assert report["confusion"][report["labels"].index("neutral")][report["labels"].index("positive")] == 1
    assert report["variants"][0]["shares"]["refused"] == pytest.approx(1 / 3)
    assert [variant["model_version"] for variant in report["variants"]] == ["m-sentiment", "m-beside"]


def test_labelled_texts_give_accuracies_and_mcnemars_test(aws: AwsConnection, endpoint: Endpoint) -> None:
    labelled = json.loads(run("--probes", "--json").stdout)["labelled"]
    assert labelled["accuracy"] == [1.0, pytest.approx(2 / 3)]
    assert (labelled["only_first_right"], labelled["only_second_right"]) == (12, 0)
    assert labelled["mcnemar_p"] < 0.001
    assert endpoint.asked[:4] == ["sentiment", "beside", "beside", "sentiment"], "who is first takes turns"


def test_a_person_reads_a_verdict(aws: AwsConnection) -> None:
    said = run("--probes").stdout
    assert "They agree on 66.7% of 36 texts." in said
    assert "more than chance" in said


@pytest.mark.parametrize(
    ("name", "content", "known"),
    [
        ("texts.txt", "positive one\nneutral two\n", 0),
        ("texts.jsonl", '{"text": "neutral", "sentiment": 0}\n{"text": "negative"}\n', 1),
        ("reviews.csv", "review_text,rating\nneutral it is,3\npositive it is,5\n", 2),
    ],
)
def test_a_file_of_any_of_three_kinds_can_be_asked(
    aws: AwsConnection, tmp_path: Path, name: str, content: str, known: int
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    result = run("--texts", str(path), "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["texts"] == 2
    assert (report["labelled"] or {"texts": 0})["texts"] == known


def test_one_model_alone_cannot_be_compared(aws: AwsConnection, endpoint: Endpoint) -> None:
    del endpoint.variants[1]
    result = run()
    assert result.exit_code == 3
    assert "`earshot release MODEL --beside --weight 0.1`" in result.stderr
