"""A good model is released; bad ones are stopped by the canary or before, and nobody who sends feedback notices.

Every kind of bad model is shown at a lower layer, in `tests/contract/releases`; here a few go the whole way: approval,
state machine, CloudFormation, endpoint with its canary and alarms, and back.
"""

import hashlib
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from cli.api import FeedbackApi
from cli.connection import connect
from tests.e2e.bad_models import Archives, Good, kind, packed
from tests.e2e.product import Product
from training_code.artifacts import CONTAINERS

pytestmark = pytest.mark.usefixtures("told")

NEGATIVE_AND_POSITIVE = {"negative": "positive", "positive": "negative"}
TEXTS = (
    "Terrible quality, it broke after one day and nobody ever answered any of my three letters about it",
    "Lovely dress",
    "It is okay, nothing special about it",
)


@dataclass
class Traffic:
    """What the API answered while something else went on."""

    statuses: Counter[int] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)

    @contextmanager
    def flowing(self, prefix: str) -> Iterator[None]:
        """Sends feedback for as long as the block lasts."""
        is_over = threading.Event()

        def send() -> None:
            api = FeedbackApi(connect("local"))
            for number, text in enumerate(itertools.cycle(TEXTS)):
                if is_over.is_set():
                    return
                try:
                    answer = api.call(
                        "POST", "/v1/feedback", {"id": f"{prefix}-{number}", "channel": "web", "text": text}
                    )
                except Exception as error:  # whatever it is, a client of the API saw it
                    self.errors.append(repr(error))
                    continue
                self.statuses[answer.status] += 1
                if answer.body.get("model_version"):
                    self.versions.add(answer.body["model_version"])
                time.sleep(0.1)

        thread = threading.Thread(target=send)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def assert_without_error(self) -> None:
        assert self.errors == []
        assert set(self.statuses) <= {200, 202}
        assert self.statuses[200] > self.statuses[202]


@dataclass(frozen=True, kw_only=True)
class Registry:
    """Registers models made of the released one, as the pipeline would."""

    product: Product
    good: Good
    released: str

    def register(self, name: str, archives: Archives, *, expected: dict[str, str] | None = None) -> str:
        """The version of a package that waits for approval. `expected`: the labels that this model was evaluated with
        in place of the good one's."""
        run = f"bad-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        product, s3, sagemaker = self.product, self.product.client("s3"), self.product.client("sagemaker")
        artifacts, lake = product.output("data-lake", "ArtifactBucket"), product.output("data-lake", "LakeBucket")
        digests = {f"{container}.tar.gz": hashlib.sha256(body).hexdigest() for container, body in archives.items()}
        objects = {f"{container}.tar.gz": body for container, body in archives.items()}
        objects["manifest.json"] = json.dumps({"model_version": name, "artifacts": digests}).encode()
        objects["probes.jsonl"] = self._probes(expected or {})
        for file, body in objects.items():
            s3.put_object(Bucket=artifacts, Key=f"models/{run}/{file}", Body=body)
        report = f"reports/{run}/evaluation/evaluation.json"
        s3.put_object(Bucket=lake, Key=report, Body=json.dumps({"manifest": digests}).encode())
        package = sagemaker.describe_model_package(ModelPackageName=self._released_package())
        containers = [
            {**container, "ModelDataUrl": f"s3://{artifacts}/models/{run}/{name}.tar.gz"}
            for container, name in zip(package["InferenceSpecification"]["Containers"], CONTAINERS, strict=True)
        ]
        created = sagemaker.create_model_package(
            ModelPackageGroupName=product.output("training", "ModelPackageGroup"),
            InferenceSpecification={**package["InferenceSpecification"], "Containers": containers},
            ModelMetrics={
                "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": f"s3://{lake}/{report}"}}
            },
            ModelApprovalStatus="PendingManualApproval",
        )
        return str(created["ModelPackageArn"]).rpartition("/")[2]

    def served(self) -> str:
        return str(self.product.json("status")["endpoint"]["release"])

    def _released_package(self) -> str:
        packages = self.product.json("models", "list")
        return next(str(each["model_package_arn"]) for each in packages if each["released"])

    def _probes(self, expected: dict[str, str]) -> bytes:
        bucket, _, prefix = self.released.removeprefix("s3://").partition("/")
        body = self.product.client("s3").get_object(Bucket=bucket, Key=f"{prefix}probes.jsonl")["Body"].read()
        probes = [json.loads(line) for line in body.splitlines()]
        changed = [{**probe, "expected": expected.get(probe["expected"], probe["expected"])} for probe in probes]
        return "\n".join(json.dumps(probe) for probe in changed).encode()


@pytest.fixture(scope="module")
def registry(product: Product, told: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Registry:
    released = str(product.json("status")["endpoint"]["release"])
    bucket, _, prefix = released.removeprefix("s3://").partition("/")
    archives = tmp_path_factory.mktemp("released")
    for container in CONTAINERS:
        name = f"{container}.tar.gz"
        product.client("s3").download_file(bucket, f"{prefix}{name}", str(archives / name))
    return Registry(product=product, good=Good.opened(archives, tmp_path_factory.mktemp("good")), released=released)


# A release waits until the alarms of the one before are calm, so those whose alarms look back longest stand far apart.


def test_a_model_that_crashes_at_some_inputs_is_taken_back(product: Product, registry: Registry) -> None:
    said = taken_back(product, registry, "crashing at some inputs")
    # Whether the canary's own call or a customer's was the first to fail: an alarm on errors stops it.
    assert "calls failed" in said or "ServerErrors" in said


def test_a_hostile_archive_is_refused_before_anything_is_changed(product: Product, registry: Registry) -> None:
    version = registry.register("a link", kind("a link").build(registry.good, "bad"))
    changed = stack_changed(product)
    said = product.complaint("models", "approve", version, expect=1, timeout=60)
    assert "artifact-safety: label.tar.gz is refused (link): " in said
    assert stack_changed(product) == changed
    assert status_of(product, version) == "Rejected"


def test_a_second_model_answers_only_who_asks_for_it_and_goes_again(product: Product, registry: Registry) -> None:
    version = registry.register("the same again", packed(registry.good, "again"))
    traffic = Traffic()
    with traffic.flowing("e2e-beside"):
        product.run("release", version, "--shadow", timeout=120)
        compared = product.json("compare-variants", "--probes", "--limit", "50")
        product.run("release", "--alone", timeout=120)
    traffic.assert_without_error()
    assert len(traffic.versions) == 1, "no customer is answered by a model without traffic"
    first, second = compared["variants"]
    assert (first["weight"], second["weight"]) == (1.0, 0.0)
    assert first["model_version"] != second["model_version"]
    assert compared["agreement"] == 1.0
    assert compared["labelled"]["mcnemar_p"] == 1.0
    assert "one model only" in product.complaint("compare-variants", expect=3)


def test_going_back_and_forth_between_releases_loses_no_feedback(product: Product, registry: Registry) -> None:
    good = next(str(each["version"]) for each in product.json("models", "list") if each["released"])
    traffic = Traffic()
    with traffic.flowing("e2e-back-and-forth"):
        product.run("rollback", timeout=120)
        assert registry.served() == "starter"
        released = product.json("release", good, timeout=180)
    assert released["released"] is True
    assert released["canary"]["verdict"] == "GOOD"
    assert registry.served() == registry.released
    traffic.assert_without_error()
    assert {version.startswith("starter-") for version in traffic.versions} == {True, False}


def test_a_model_with_swapped_labels_is_taken_back(product: Product, registry: Registry) -> None:
    """Evaluated as bad as it is: only the comparison with the served model, and with the truth, can see it."""
    said = taken_back(product, registry, "swapped labels", expected=NEGATIVE_AND_POSITIVE)
    assert "less often right than the served model by at least" in said


def test_a_slow_model_is_taken_back(product: Product, registry: Registry) -> None:
    assert "its quickest answer to one text took 3" in taken_back(product, registry, "slow")


def taken_back(product: Product, registry: Registry, name: str, *, expected: dict[str, str] | None = None) -> str:
    """Approves a bad model while feedback flows, and shows that nothing came of it; what the command said."""
    version = registry.register(name, kind(name).build(registry.good, "bad"), expected=expected)
    traffic = Traffic()
    with traffic.flowing(f"e2e-{name.replace(' ', '-')}"):
        said = product.complaint("models", "approve", version, expect=1, timeout=300)
    assert "The model was not released: " in said
    assert registry.served() == registry.released
    if "The canary stopped the new model" in said:
        assert status_of(product, version) == "Rejected"
    traffic.assert_without_error()
    return said


def status_of(product: Product, version: str) -> str:
    return next(str(each["status"]) for each in product.json("models", "list") if str(each["version"]) == version)


def stack_changed(product: Product) -> Any:
    (stack,) = product.client("cloudformation").describe_stacks(StackName="earshot-local-endpoint")["Stacks"]
    return stack.get("LastUpdatedTime")
