"""The background writers when the services they write to are away: nothing is lost, nothing is written twice."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from local.sagemaker.hosting import capture as capture_module
from local.sagemaker.hosting import logs as logs_module
from local.sagemaker.hosting.artifacts import KEPT_UNUSED, ModelCache
from local.sagemaker.hosting.capture import Capture, CaptureSettings, Payload
from local.sagemaker.hosting.logs import LogShipper
from local.sagemaker.hosting.watchdog import LONGEST_BACKOFF_SECONDS, _Watched
from tests.unit.local_hosting.hosting_kit import LogsInMemory, ObjectsInMemory, echo, wait_for


class AwayAtFirst:
    """Passes calls on, but for the first one of an operation."""

    def __init__(self, service: object, operation: str) -> None:
        self._service = service
        self._operation = operation
        self._is_away = True

    def __getattr__(self, name: str) -> Any:
        if name == self._operation and self._is_away:
            self._is_away = False
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")
        return getattr(self._service, name)


def test_captured_invocations_wait_for_an_s3_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_module, "FLUSH_SECONDS", 0.02)
    s3 = ObjectsInMemory()
    capture = Capture(AwayAtFirst(s3, "put_object"))
    settings = CaptureSettings.of(
        {"DestinationS3Uri": "s3://lake/capture", "CaptureOptions": [{"CaptureMode": "Input"}]}
    )
    assert settings is not None
    payload = Payload(body=b"hi", content_type="text/plain")
    capture.add(settings, endpoint_name="shop", variant_name="main", request=payload, answer=payload, inference_id=None)
    wait_for(lambda: bool(s3.objects), timeout_seconds=5)
    capture.close()
    assert len(s3.objects) == 1


def test_log_lines_wait_for_a_log_service_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_module, "SHIP_SECONDS", 0.02)
    logs = LogsInMemory()
    shipper = LogShipper(AwayAtFirst(logs, "put_log_events"))
    path = tmp_path / "container.log"
    path.write_text("one\n\ntwo\nthr")
    shipper.follow(path, group="group", stream="stream")
    wait_for(lambda: logs.streams.get(("group", "stream")) == ["one", "two"], timeout_seconds=5)
    with path.open("a") as log:
        log.write("ee\nlast words")
    shipper.release(path)
    wait_for(lambda: logs.streams["group", "stream"][2:] == ["three", "last words"], timeout_seconds=5)
    shipper.close()


def test_a_batch_of_log_lines_is_cut_at_a_line_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_module, "SHIP_SECONDS", 0.02)
    monkeypatch.setattr(logs_module, "BATCH_BYTES", 16)
    logs = LogsInMemory()
    shipper = LogShipper(logs)
    path = tmp_path / "container.log"
    lines = [f"line {number}" for number in range(20)]
    path.write_text("\n".join(lines) + "\n" + "x" * 40 + "\n")
    shipper.follow(path, group="group", stream="stream")
    wait_for(lambda: "".join(logs.streams.get(("group", "stream"), [])).endswith("x" * 40), timeout_seconds=5)
    shipper.close()
    assert logs.streams["group", "stream"][:20] == lines


def test_the_first_replacement_comes_at_once_and_further_ones_ever_later() -> None:
    watched = _Watched()
    waits = [watched.backoff_seconds() for _ in range(9)]
    assert waits[:4] == [0.0, 1.0, 2.0, 4.0]
    assert waits[-1] == LONGEST_BACKOFF_SECONDS


def test_unused_models_are_dropped_but_for_the_last_few(tmp_path: Path) -> None:
    s3 = ObjectsInMemory()
    cache = ModelCache(tmp_path, s3)
    uris = [f"s3://models/{number}" for number in range(KEPT_UNUSED + 3)]
    for uri in uris:
        s3.objects[uri] = echo(uri[-1])
        cache.fetch(uri, cache.present_etag(uri))
    used = ModelCache.digest(uris[0], cache.present_etag(uris[0]))
    cache.prune({used})
    assert (tmp_path / used).is_dir()
    assert len(list(tmp_path.iterdir())) == KEPT_UNUSED + 1
