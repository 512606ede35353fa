"""Shadow variants: they get their share of copies, are captured and counted, and harm no request."""

import json
import threading
import time
from functools import partial

import pytest

from local.sagemaker.hosting import shadows as shadows_module
from local.sagemaker.hosting.shadows import Shadows
from tests.unit.local_hosting.hosting_kit import HostingKit, archive, echo, wait_for

SLOW_AND_FAILING = """
import time
def model_fn(model_dir): ...
def transform_fn(*_):
    time.sleep(0.5)
    raise ValueError("late")
"""


def config(kit: HostingKit, name: str, *, weight: float) -> str:
    """Production ``old`` beside shadow ``new``, everything captured."""
    return kit.config(
        name,
        {"VariantName": "main", "ModelName": "old", "InitialInstanceCount": 2, "InitialVariantWeight": 2.0},
        ShadowProductionVariants=[
            {"VariantName": "candidate", "ModelName": "new", "InitialVariantWeight": weight, "InitialInstanceCount": 1}
        ],
        DataCaptureConfig={
            "DestinationS3Uri": "s3://lake/capture",
            "InitialSamplingPercentage": 100,
            "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
        },
    )


def test_a_shadow_answers_its_share_to_nobody_and_is_captured(kit: HostingKit) -> None:
    kit.model("old", echo("old"))
    kit.model("new", echo("new"))
    described = kit.endpoint("shop", config(kit, "both", weight=1.0))
    assert [each["VariantName"] for each in described["ShadowProductionVariants"]] == ["candidate"]
    replies = [kit.hosting.invoke("shop", {"Content-Type": "text/plain"}, b"hi") for _ in range(8)]
    assert all(body.startswith(b"hi|old") for _, _, body in replies)
    assert {headers["x-amzn-invoked-production-variant"] for _, headers, _ in replies} == {"main"}
    status, _, _ = kit.hosting.invoke("shop", {"X-Amzn-SageMaker-Target-Variant": "candidate"}, b"hi")
    assert status == 400, "nobody can ask a shadow"
    wait_for(lambda: kit.sum("Invocations", EndpointName="shop", VariantName="candidate") == 4)
    kit.hosting.close()
    lines = [
        (key.split("/")[5], json.loads(line))
        for key, body in kit.s3.objects.items()
        if key.startswith("s3://lake/")
        for line in body.splitlines()
    ]
    assert sorted(variant for variant, _ in lines) == ["candidate"] * 4 + ["main"] * 8


def test_a_slow_and_failing_shadow_harms_no_request(kit: HostingKit) -> None:
    kit.model("old", echo("old"))
    kit.model("new", archive(SLOW_AND_FAILING))
    kit.endpoint("shop", config(kit, "both", weight=2.0))
    begin = time.monotonic()
    assert {kit.hosting.invoke("shop", {}, b"hi")[0] for _ in range(12)} == {200}
    assert time.monotonic() - begin < 6 * 0.5, "nobody waits for the shadow"
    wait_for(lambda: kit.sum("Invocation5XXErrors", EndpointName="shop", VariantName="candidate") > 0)
    assert kit.sum("Invocation5XXErrors", EndpointName="shop", VariantName="main") == 0


def test_what_shadows_cannot_keep_up_with_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadows_module, "MOST_WAITING", 2)
    shadows, go_on = Shadows(), threading.Event()
    done: list[int] = []

    def work(number: int) -> None:
        go_on.wait(5)
        done.append(number)

    for number in range(5):
        shadows.cast(partial(work, number))
    go_on.set()
    wait_for(lambda: len(done) == 2, timeout_seconds=5)
    shadows.close()
    shadows.cast(lambda: done.append(9))
    assert sorted(done) == [0, 1]
