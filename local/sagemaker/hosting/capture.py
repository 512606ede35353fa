"""Data capture: what an endpoint was asked and answered, as JSON Lines in S3, in AWS's layout.

Keys are ``{prefix}/{endpoint}/{variant}/yyyy/mm/dd/HH/MM-SS-mmm-uuid.jsonl``; the record's form is described at
docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html. Written from one thread, so that no
request waits for it. Knows requests and answers as bytes with a type, nothing of how they were made.
"""

import base64
import json
import logging
import random
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.sagemaker import objects
from local.sagemaker.objects import Address
from local.sagemaker.store import Record

FLUSH_SECONDS = 2.0
CLOSE_SECONDS = 1.5
# More than this is not kept for an S3 that is away: capture gives way before the endpoint does, as on AWS.
MAX_BUFFERED_BYTES = 64 * 1024 * 1024

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Payload:
    """One side of an invocation."""

    body: bytes
    content_type: str


@dataclass(frozen=True, kw_only=True)
class CaptureSettings:
    """A DataCaptureConfig that is switched on. Content types are in lower case, without parameters."""

    destination: Address
    sampling_percentage: float
    captures_input: bool
    captures_output: bool
    json_types: frozenset[str]
    csv_types: frozenset[str]

    @classmethod
    def of(cls, config: Record | None) -> "CaptureSettings | None":
        """None where nothing is to be captured."""
        if not config or not config.get("EnableCapture", True):
            return None
        modes = {option["CaptureMode"] for option in config.get("CaptureOptions", [])}
        both = "InputAndOutput" in modes
        header = config.get("CaptureContentTypeHeader", {})
        return cls(
            destination=Address.parse(config["DestinationS3Uri"]),
            sampling_percentage=float(config.get("InitialSamplingPercentage", 100)),
            captures_input=both or "Input" in modes,
            captures_output=both or "Output" in modes,
            json_types=frozenset(each.lower() for each in header.get("JsonContentTypes", [])),
            csv_types=frozenset(each.lower() for each in header.get("CsvContentTypes", [])),
        )

    def takes_this_one(self) -> bool:
        """By chance, in the share that is asked for."""
        return random.random() * 100 < self.sampling_percentage  # noqa: S311

    def record(
        self, request: Payload, answer: Payload, *, event_id: str, inference_id: str | None, time: datetime
    ) -> Record:
        """One captured invocation as AWS writes it."""
        sides: Record = {}
        if self.captures_input:
            sides["endpointInput"] = self._side("INPUT", request)
        if self.captures_output:
            sides["endpointOutput"] = self._side("OUTPUT", answer)
        metadata = {"eventId": event_id, "inferenceTime": time.strftime("%Y-%m-%dT%H:%M:%SZ")}
        if inference_id is not None:
            metadata["inferenceId"] = inference_id
        return {"captureData": sides, "eventMetadata": metadata, "eventVersion": "0"}

    def _side(self, mode: str, payload: Payload) -> Record:
        plain_type = payload.content_type.split(";", 1)[0].strip().lower()
        encoding = "JSON" if plain_type in self.json_types else "CSV" if plain_type in self.csv_types else "BASE64"
        try:
            data = payload.body.decode() if encoding != "BASE64" else base64.b64encode(payload.body).decode()
        except UnicodeDecodeError:
            encoding, data = "BASE64", base64.b64encode(payload.body).decode()
        return {"observedContentType": payload.content_type, "mode": mode, "data": data, "encoding": encoding}


@dataclass(frozen=True, kw_only=True)
class _Captured:
    settings: CaptureSettings
    endpoint_name: str
    variant_name: str
    request: Payload
    answer: Payload
    inference_id: str | None
    time: datetime

    def size(self) -> int:
        return len(self.request.body) + len(self.answer.body)


class Capture:
    """Takes invocations at any speed and writes them every few seconds."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self._buffer: list[_Captured] = []
        self._buffered_bytes = 0
        self._dropped = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def add(
        self,
        settings: CaptureSettings,
        *,
        endpoint_name: str,
        variant_name: str,
        request: Payload,
        answer: Payload,
        inference_id: str | None,
    ) -> None:
        """Keep one invocation for the next write; dropped, and counted, where too much waits already."""
        captured = _Captured(
            settings=settings,
            endpoint_name=endpoint_name,
            variant_name=variant_name,
            request=request,
            answer=answer,
            inference_id=inference_id,
            time=datetime.now(UTC),
        )
        with self._lock:
            if self._buffered_bytes + captured.size() > MAX_BUFFERED_BYTES:
                self._dropped += 1
                return
            self._buffer.append(captured)
            self._buffered_bytes += captured.size()
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_all, name="hosting-capture", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Write what is left, as long as that is a matter of a moment."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
        with self._lock:
            lost = len(self._buffer) + self._dropped
        if lost:
            _log.warning("%d captured invocations were not written", lost)

    def _write_all(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._stopped.wait(FLUSH_SECONDS)
            with self._lock:
                taken, self._buffer, self._buffered_bytes = self._buffer, [], 0
            places: dict[tuple[Address, str, str, str], list[_Captured]] = {}
            for each in taken:
                hour = each.time.strftime("%Y/%m/%d/%H")
                place = each.settings.destination, each.endpoint_name, each.variant_name, hour
                places.setdefault(place, []).append(each)
            for place, group in places.items():
                self._write(place, group)

    def _write(self, place: tuple[Address, str, str, str], group: list[_Captured]) -> None:
        destination, endpoint_name, variant_name, hour = place
        first = group[0].time
        file_name = f"{first:%M-%S}-{first.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
        address = destination.below(endpoint_name, variant_name, hour, file_name)
        lines = [
            json.dumps(
                each.settings.record(
                    each.request,
                    each.answer,
                    event_id=str(uuid.uuid4()),
                    inference_id=each.inference_id,
                    time=each.time,
                )
            )
            for each in group
        ]
        body = "".join(f"{line}\n" for line in lines).encode()
        try:
            self._s3.put_object(Bucket=address.bucket, Key=address.key, Body=body, ContentType="application/jsonlines")
        except objects.FAILURES as error:
            _log.warning("captured invocations of endpoint %s wait for S3: %s", endpoint_name, error)
            with self._lock:
                self._buffer[:0] = group
                self._buffered_bytes += sum(each.size() for each in group)
