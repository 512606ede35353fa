"""Bad models of more than thirty kinds, each stopped where it must be at the latest, over the starter as the good one.

Needs what `make build` leaves. The libraries that travel in the archives are left out, for speed: the containers find
them in this environment. `tests/e2e/test_release_safety.py` shows some of the kinds in a whole release.
"""

import csv
import hashlib
import io
import json
import shutil
import sysconfig
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import cast

import pytest

from bundles.sources import ROOT
from cli.sample import write_sample
from feedback.prediction import Outcome, parse_answer
from feedback.sentiment import from_stars
from feedback.text import compose
from lambdas.artifacts import RefusedArtifactError, inspect_release
from lambdas.aws.endpoint import EndpointFailure, EndpointUnavailableError
from lambdas.aws.lake import Lake
from lambdas.canary.answers import Question
from lambdas.canary.asking import ask_newcomer, ask_served
from lambdas.canary.judging import Judgement, Limits, Served, Verdict, judge, measure
from local.sagemaker.hosting.chain import Chain, ChainError
from local.sagemaker.hosting.container import ContainerError
from stacks.settings import LOCAL
from tests.e2e.bad_models import KINDS, Archives, Good, Kind, Stopped, packed

STARTER = ROOT / ".build" / "starter"
pytestmark = pytest.mark.skipif(not STARTER.is_dir(), reason="the bundles are not built: run make build")

PYTHON = ROOT / ".venv-serving" / "bin" / "python"
ENVIRONMENT = {
    "SAGEMAKER_PROGRAM": "inference.py",
    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
    "PYTHONPATH": sysconfig.get_path("purelib"),
}
PREFIX = "s3://artifacts/models/bad/"
TEXTS = 200
LIMITS = Limits(
    disagreement=LOCAL.endpoint.maximum_disagreement,
    negative_shift=LOCAL.endpoint.maximum_negative_shift,
    unsure_shift=LOCAL.endpoint.maximum_unsure_shift,
    accuracy_drop=LOCAL.endpoint.maximum_accuracy_drop,
    unexpected=LOCAL.endpoint.maximum_unexpected,
    milliseconds=LOCAL.endpoint.latency_alarm_milliseconds,
)

Host = Callable[[Archives], AbstractContextManager[Chain]]


@dataclass(frozen=True, kw_only=True)
class Hosted:
    """A chain, asked as the canary asks an endpoint."""

    chain: Chain

    def classify(self, texts: Sequence[tuple[str, str]]) -> list[Outcome]:
        body = "".join(json.dumps({"id": id_, "text": text}) + "\n" for id_, text in texts).encode()
        try:
            reply = self.chain.invoke(body, content_type="application/jsonlines", accept="application/jsonlines")
        except ChainError as error:
            raise EndpointUnavailableError(EndpointFailure.BROKEN) from error
        return parse_answer(reply.body, ids=[id_ for id_, _ in texts])


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Good:
    good = Good.opened(STARTER, tmp_path_factory.mktemp("good"))
    for libraries in good.serving.glob("*/code/libraries"):
        shutil.rmtree(libraries)
    return good


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> list[Question]:
    """Reviews that the starter was not made from, with their stars for the truth."""
    path = tmp_path_factory.mktemp("sample") / "reviews.csv"
    write_sample(path, rows=TEXTS, seed=11)
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Question(text=text, truth=from_stars(int(row["rating"])).label)
            for row in csv.DictReader(file)
            if (text := compose(row["title"], row["review_text"]))
        ]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    """Hosts a release for a block; ContainerError where it does not become healthy."""

    def hosted(archives: Archives) -> AbstractContextManager[Chain]:
        folder = tmp_path_factory.mktemp("hosted")
        paths = []
        for container in ("transform", "classify", "label"):
            paths.append(folder / f"{container}.tar.gz")
            paths[-1].write_bytes(archives[container])
        return Chain.from_archives(
            paths, python=PYTHON, folder=folder, environments=[ENVIRONMENT] * 3, timeout_seconds=30
        )

    return hosted


@pytest.fixture(scope="module")
def served(good: Good, host: Host, questions: list[Question]) -> Served:
    """What the good model says; under a version of its own, since a starter may be disagreed with."""
    with host(packed(good, "good")) as chain:
        version, answers = ask_served(questions, endpoint=Hosted(chain=chain))
    assert version is not None
    return Served(version=version, answers=answers)


def inspected(archives: Archives) -> None:
    """What the release function does first; RefusedArtifactError."""

    class Artifacts:
        def open(self, uri: str) -> io.BytesIO:
            return io.BytesIO(archives[uri.removeprefix(PREFIX).removesuffix(".tar.gz")])

    digests = {f"{name}.tar.gz": hashlib.sha256(body).hexdigest() for name, body in archives.items()}
    inspect_release(PREFIX, digests, lake=cast(Lake, Artifacts()))


def inspected_and_hosted(archives: Archives, host: Host) -> None:
    inspected(archives)
    with host(archives):
        pass


def judged(chain: Chain, served: Served, questions: list[Question]) -> Judgement:
    """What the canary says once the new model answers."""
    newcomer = ask_newcomer(
        questions,
        is_new=lambda version: version != served.version,
        slow_milliseconds=LIMITS.milliseconds,
        seconds=20,
        endpoint=Hosted(chain=chain),
    )
    figures = measure(
        questions, newcomer.answers, served=served, errors=newcomer.errors, milliseconds=newcomer.milliseconds
    )
    return judge(figures, LIMITS)


def kinds(stopped: Stopped) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.stopped is stopped], ids=str)


def test_there_are_more_than_thirty_kinds() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS) > 30


@kinds(Stopped.INSPECTION)
def test_a_hostile_archive_is_refused_before_anything_is_changed(kind: Kind, good: Good) -> None:
    with pytest.raises(RefusedArtifactError, match="artifact-safety: "):
        inspected(kind.build(good, "bad"))


@kinds(Stopped.HEALTH)
def test_a_damaged_model_never_becomes_healthy(kind: Kind, good: Good, host: Host) -> None:
    archives = kind.build(good, "bad")
    with pytest.raises((RefusedArtifactError, ContainerError), match=r"artifact-safety: |did not start: "):
        inspected_and_hosted(archives, host)


@kinds(Stopped.CANARY)
def test_a_model_that_became_bad_is_taken_back_by_the_canary(
    kind: Kind, good: Good, host: Host, served: Served, questions: list[Question]
) -> None:
    archives = kind.build(good, "bad")
    inspected(archives)
    with host(archives) as chain:
        verdict = judged(chain, served, questions)
    assert verdict.verdict is Verdict.BAD
    assert verdict.reason.startswith("The canary stopped the new model")


def test_the_same_model_under_another_version_passes(
    good: Good, host: Host, served: Served, questions: list[Question]
) -> None:
    archives = packed(good, "new")
    inspected(archives)
    with host(archives) as chain:
        assert judged(chain, served, questions).verdict is Verdict.GOOD
