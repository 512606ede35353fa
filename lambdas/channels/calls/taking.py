"""Decides what becomes of what is dropped for calls: a recording is transcribed, a transcript becomes a feedback.

A folder below ``calls/audio/`` or ``calls/transcripts/`` names the product. It does not know SQS, Transcribe's API or
how feedback is accepted.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, Protocol

from feedback.strict_json import BrokenJsonError, parse
from lambdas.channels import pseudonym
from lambdas.channels.batch import UnusableObjectError
from lambdas.channels.calls.transcriber import RecordingRefusedError, job_name
from lambdas.channels.calls.transcript import Call, Turn, UnknownTranscriptError, read_call
from lambdas.channels.delivery import Delivery, settle
from lambdas.channels.drop import Dropped
from lambdas.telemetry import log

AUDIO: Final = "calls/audio/"
TRANSCRIPTS: Final = "calls/transcripts/"
CUSTOMER: Final = "customer"

_TRANSCRIPT_LIMIT_BYTES: Final = 40 * 1024 * 1024  # four hours of talk are about half of it
_RECORDING_LIMIT_BYTES: Final = 2 * 1024**3  # Transcribe's own
_MEDIA: Final = ("amr", "flac", "m4a", "mp3", "mp4", "ogg", "wav", "webm")
_TEXT_LIMIT: Final = 10_000
_GAP: Final = "\n[...]\n"
_SOURCE_LIMIT: Final = 500
_PRODUCT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_REFERENCE_LIMIT: Final = 128


class Reading(Protocol):
    """What is used of the drop bucket."""

    def read(self, dropped: Dropped, *, limit_bytes: int) -> bytes:
        """The content; ObjectGoneError or ObjectTooLargeError."""


class Transcribing(Protocol):
    """What is used of the transcriber."""

    def start(self, recording: Dropped, *, media_format: str, output: str) -> bool:
        """Start a job; False where it was started before. RecordingRefusedError."""


@dataclass(frozen=True, kw_only=True)
class CallsChannel:
    """The use case with its collaborators. ``customer_speaker``: the customer where a transcript names no roles."""

    bucket: Reading
    transcriber: Transcribing
    delivery: Delivery
    customer_speaker: str

    def take(self, dropped: Dropped) -> Mapping[str, int]:
        """Take in one object; what became of it, by metric. UnusableObjectError where it is neither kind."""
        path = PurePosixPath(dropped.key)
        if path.name.startswith("."):  # Transcribe tries with such a file whether it may write
            return {"Ignored": 1}
        if dropped.key.startswith(AUDIO):
            return self._transcribe(dropped, path)
        if dropped.key.startswith(TRANSCRIPTS):
            return self._take_transcript(dropped) if path.suffix.lower() == ".json" else {"Ignored": 1}
        raise UnusableObjectError("The object is neither in the folder of recordings nor in that of transcripts.")

    def _transcribe(self, dropped: Dropped, path: PurePosixPath) -> Mapping[str, int]:
        media_format = path.suffix.lower().removeprefix(".")
        if media_format not in _MEDIA:
            raise UnusableObjectError("The object is no recording of a known format.")
        if not dropped.size or dropped.size > _RECORDING_LIMIT_BYTES:
            raise UnusableObjectError("The recording is empty or too large.")
        try:
            is_new = self.transcriber.start(dropped, media_format=media_format, output=transcript_key(dropped))
        except RecordingRefusedError as error:
            raise UnusableObjectError("Transcribe does not take the recording.") from error
        return {"Transcribing": 1} if is_new else {"Replayed": 1}

    def _take_transcript(self, dropped: Dropped) -> Mapping[str, int]:
        call = _read(self.bucket.read(dropped, limit_bytes=_TRANSCRIPT_LIMIT_BYTES))
        words = customer_words(call.turns, self.customer_speaker)
        if not words:
            return _refused(dropped, "The customer says nothing in it.")
        text = _cut(words)
        document: dict[str, Any] = {
            "id": "call-" + hashlib.sha256((call.name or dropped.identity).encode("utf-8", "replace")).hexdigest()[:40],
            "channel": "call",
            "text": text,
            "metadata": {"source": dropped.key[:_SOURCE_LIMIT]} | ({} if text == words else {"cut": "true"}),
        }
        product = (
            call.product if call.product and _PRODUCT.fullmatch(call.product) else _product(dropped.key, TRANSCRIPTS)
        )
        if product:
            document["product_id"] = product
        if call.language:
            document["language"] = call.language
        if call.customer:
            document["customer_ref"] = _customer_ref(call.customer)
        receipt = settle(self.delivery.deliver([document]))
        if receipt.refused:
            return _refused(dropped, receipt.refused[0])
        return {"Accepted": receipt.accepted, "Replayed": receipt.repeated}


def transcript_key(recording: Dropped) -> str:
    """Where the transcript of a recording is written: beside, by the recording's version, below the same product."""
    product = _product(recording.key, AUDIO)
    folder = f"{TRANSCRIPTS}{product}/" if product else TRANSCRIPTS
    return f"{folder}{job_name(recording)}.json"


def customer_words(turns: Sequence[Turn], customer_speaker: str) -> str:
    """What the customer says, a line per turn; empty where that is nothing.

    A turn without a speaker is of the one who spoke before. Who talks alone, or is told apart from nobody, is the
    customer: a message on a machine.
    """
    speakers = {turn.speaker for turn in turns if turn.speaker}
    customer = CUSTOMER if speakers & {CUSTOMER, "agent", "system"} else customer_speaker
    if len(speakers) == 1 and not speakers & {"agent", "system"}:
        (customer,) = speakers
    said = []
    speaking: str | None = None
    for turn in turns:
        speaking = turn.speaker or speaking
        if turn.text and (speaking == customer or not speakers):
            said.append(turn.text)
    return "\n".join(said).replace("\x00", "")


def _read(content: bytes) -> Call:
    try:
        return read_call(parse(content.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise UnusableObjectError("The transcript is not UTF-8.") from error
    except BrokenJsonError as error:
        raise UnusableObjectError("The transcript is not JSON.") from error
    except UnknownTranscriptError as error:
        raise UnusableObjectError(error.reason) from error


def _cut(words: str) -> str:
    """Beginning and end of what is too long: what the call was about, and how it ended."""
    if len(words) <= _TEXT_LIMIT:
        return words
    half = (_TEXT_LIMIT - len(_GAP)) // 2
    return words[:half] + _GAP + words[-half:]


def _product(key: str, folder: str) -> str | None:
    """The folder right below, where there is one."""
    name, slash, _ = key.removeprefix(folder).partition("/")
    return name if slash and _PRODUCT.fullmatch(name) else None


def _customer_ref(customer: str) -> str:
    if pseudonym.looks_like_number(customer) and customer.lstrip().startswith(("+", "00")):
        return pseudonym.of_number(customer)
    return pseudonym.of_reference(customer)[:_REFERENCE_LIMIT]


def _refused(dropped: Dropped, reason: str) -> Mapping[str, int]:
    log("WARNING", "A transcript was refused.", reason=reason, object=dropped.identity)
    return {"Refused": 1}
