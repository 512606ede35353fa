"""The canary's tasks over S3 as moto keeps it and a runtime behind which two versions stand."""

import io
import json
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from lambdas.aws.endpoint import Endpoint
from lambdas.canary import handler as canary
from tests.unit.lambdas.fakes import FakeContext

RELEASE = "s3://lake/models/20260301-100000/"
TODAY = datetime.now(UTC).date().isoformat()
SENTIMENT = {"negative": -1, "neutral": 0, "positive": 1}


class TwoVersions:
    """Answers by the first word of a text; ``turns`` says which version is asked next, by name."""

    def __init__(self, *turns):
        self.turns = list(turns)
        self.calls = []
        self.turned = str.upper

    def invoke_endpoint(self, *, EndpointName, ContentType, Accept, Body, TargetVariant):  # noqa: N803 - boto3's names
        assert (EndpointName, TargetVariant) == ("sentiment", "sentiment")
        version = self.turns[min(len(self.calls), len(self.turns) - 1)]
        self.calls.append(version)
        if version == "broken":
            error = {"Error": {"Code": "ModelError"}, "OriginalStatusCode": 500}
            raise ClientError(error, "InvokeEndpoint")
        lines = [json.dumps(self._answer(json.loads(line), version)) for line in Body.splitlines()]
        return {"Body": io.BytesIO("\n".join(lines).encode())}

    @staticmethod
    def _answer(line, version):
        label = line["text"].split()[0]
        if version == "swapped":
            label = {"negative": "positive", "positive": "negative"}.get(label, label)
        return {
            "id": line["id"],
            "sentiment": SENTIMENT[label],
            "label": label,
            "probabilities": {"negative": 0.4, "neutral": 0.3, "positive": 0.3},
            "confidence": 0.4,
            "model_version": version,
        }


@pytest.fixture
def lake(bucket, monkeypatch):
    """Recent feedback and a release with probes."""
    words = ["negative", "neutral", "positive"] * 40
    feedback = [json.dumps({"feedback_id": str(n), "text": f"{word} SECRET"}) for n, word in enumerate(words)]
    bucket.put_object(Key=f"feedback/dt={TODAY}/a.jsonl", Body="\n".join(feedback).encode())
    probes = [json.dumps({"text": word, "sentiment": SENTIMENT[word], "expected": word}) for word in words]
    bucket.put_object(Key="models/20260301-100000/probes.jsonl", Body="\n".join([*probes, "{", "[]"]).encode())
    bucket.put_object(Key="models/20260301-100000/manifest.json", Body=b'{"model_version": "new"}')
    for name, value in {
        "ENDPOINT_NAME": "sentiment",
        "VARIANT_NAME": "sentiment",
        "FEEDBACK_TEXTS": "100",
        "MAXIMUM_DISAGREEMENT": "0.25",
        "MAXIMUM_NEGATIVE_SHIFT": "0.15",
        "MAXIMUM_UNSURE_SHIFT": "0.25",
        "MAXIMUM_ACCURACY_DROP": "0.1",
        "MAXIMUM_UNEXPECTED": "0.05",
        "MAXIMUM_MILLISECONDS": "1000",
    }.items():
        monkeypatch.setenv(name, value)
    return bucket


@pytest.fixture
def behind(lake, monkeypatch):
    """Puts these versions behind the endpoint."""

    def put(*turns):
        runtime = TwoVersions(*turns)
        monkeypatch.setattr(
            canary, "_endpoint", lambda: Endpoint(name="sentiment", variant="sentiment", runtime=runtime)
        )
        return runtime

    return put


def baseline():
    return canary.handle({"action": "baseline", "release": RELEASE}, FakeContext())


def compare(before):
    context = FakeContext(remaining_seconds=60.0)
    return canary.handle({"action": "compare", "release": RELEASE, "baseline": before}, context)


def metrics(said):
    """The figures of the one line in the embedded metric format."""
    (line,) = [json.loads(line) for line in said.splitlines() if '"_aws"' in line]
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Earshot"
    assert directive["Dimensions"] == [["EndpointName"]]
    assert all(metric["StorageResolution"] == 1 for metric in directive["Metrics"])
    return {metric["Name"]: line[metric["Name"]] for metric in directive["Metrics"]}


def test_the_baseline_is_keys_and_characters_and_no_text(behind):
    behind("old")
    before = baseline()
    assert before == {
        "version": "old",
        "feedback": [f"s3://lake/feedback/dt={TODAY}/a.jsonl"],
        "answers": "--00++" * 33 + "--" + "0+-" * 6 + "0+",
    }


def test_a_good_model_is_within_all_limits(behind, capsys):
    behind("old")
    before = baseline()
    behind("old", "new")
    judged = compare(before)
    assert judged["verdict"] == "GOOD"
    assert judged["figures"]["texts"] == 220
    said = capsys.readouterr().out
    assert "SECRET" not in said
    figures = metrics(said)
    assert figures.pop("CanaryMilliseconds") < 1000
    assert figures == {
        "CanaryErrors": 0,
        "CanaryDisagreement": 0.0,
        "CanaryNegativeShift": 0.0,
        "CanaryUnsureShift": 0.0,
        "CanaryAccuracyDrop": 0.0,
        "CanaryUnexpected": 0.0,
    }


def test_swapped_labels_are_bad_and_every_alarm_hears_of_it(behind, capsys):
    behind("old")
    before = baseline()
    behind("old", "swapped")
    judged = compare(before)
    assert judged["verdict"] == "BAD"
    assert "limit 10%" in judged["reason"]
    figures = metrics(capsys.readouterr().out)
    assert figures["CanaryDisagreement"] > 0.25
    assert figures["CanaryAccuracyDrop"] > 0.1
    assert figures["CanaryUnexpected"] > 0.05


def test_without_a_second_version_the_canary_waits(behind, capsys):
    behind("old")
    before = baseline()
    runtime = behind("old")
    judged = compare(before)
    assert judged["verdict"] == "WAITING"
    assert len(runtime.calls) <= 60
    assert metrics(capsys.readouterr().out) == {"CanaryErrors": 0}


def test_a_model_that_breaks_where_the_served_one_answered_is_bad(behind):
    behind("old")
    before = baseline()
    behind("old", "broken")
    judged = compare(before)
    assert judged["verdict"] == "BAD"
    assert "2 calls failed" in judged["reason"]


def test_without_a_baseline_the_new_model_is_held_to_its_own_evaluation(behind):
    behind("broken", "new")
    assert compare({})["verdict"] == "GOOD"
    behind("broken", "broken", "swapped")
    assert compare({})["verdict"] == "WAITING", "neither named by the manifest nor known to be new"


def test_feedback_that_went_away_leaves_the_probes(behind, lake):
    behind("old")
    before = baseline()
    behind("new")
    lake.Object(f"feedback/dt={TODAY}/a.jsonl").delete()
    judged = compare(before)
    assert judged["verdict"] == "GOOD"
    assert judged["figures"]["disagreement"] is None


def test_an_empty_lake_and_a_release_without_probes_give_no_verdict(behind, lake):
    behind("old", "new")
    lake.objects.all().delete()
    before = baseline()
    assert before == {"version": None, "feedback": [], "answers": ""}
    assert compare(before)["verdict"] == "WAITING"


def test_other_actions_are_refused(behind):
    with pytest.raises(canary.UnknownActionError):
        canary.handle({"action": "dance"}, FakeContext())
