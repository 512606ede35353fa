"""Transcripts as they come: of Transcribe, of its Call Analytics and Contact Lens, or in a plain form of our own.

Each is read into turns: who spoke when and said what. A transcript is a stranger's document: what is missing in a turn
costs this turn at most, and what has none of these forms is an error with its reason. It does not know which speaker is
the customer, nor what becomes of the words.
https://docs.aws.amazon.com/transcribe/latest/dg/how-input.html
https://docs.aws.amazon.com/connect/latest/adminguide/contact-lens-example-output-files.html
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

_PLAIN_VERSION: Final = 1
_CONTACT_LENS_VERSION: Final = re.compile(r"1\.[0-9]{1,3}\.[0-9]{1,3}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")

Document = Mapping[str, Any]


class UnknownTranscriptError(ValueError):
    """The document has no form, or no version, that is known; the reason quotes nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What one speaker said until another did. ``start`` in seconds; None where the transcript does not say."""

    speaker: str | None
    start: float | None
    text: str


@dataclass(frozen=True, kw_only=True)
class Call:
    """``name`` is the call's or the job's own, None where it has none. Turns are in the order of their starts."""

    name: str | None
    turns: Sequence[Turn]
    language: str | None = None
    product: str | None = None
    customer: str | None = None


def read_call(document: object) -> Call:
    """The call in a transcript; UnknownTranscriptError."""
    if not isinstance(document, dict):
        raise UnknownTranscriptError("The transcript is no JSON object.")
    if isinstance(document.get("results"), dict):
        return _transcribed(document)
    if isinstance(document.get("Transcript"), list):
        return _analysed(document)
    if "turns" in document:
        return _plain(document)
    raise UnknownTranscriptError("The transcript has none of the known forms.")


def _transcribed(document: Document) -> Call:
    """Transcribe's own form: words, each with its speaker or in its channel."""
    results = document["results"]
    channels = _list(_object(results.get("channel_labels")).get("channels"))
    if channels:
        turns = [
            turn
            for channel in channels
            for turn in _spoken(_list(channel.get("items")), speaker=_string(channel.get("channel_label")))
        ]
    else:
        items = _list(results.get("items"))
        turns = _spoken(_labelled(items, _list(_object(results.get("speaker_labels")).get("segments"))))
    if not turns:
        whole = " ".join(filter(None, (_string(each.get("transcript")) for each in _list(results.get("transcripts")))))
        turns = [Turn(speaker=None, start=None, text=whole)] if whole else []
    return Call(
        name=_string(document.get("jobName")), turns=_in_order(turns), language=_language(results.get("language_code"))
    )


def _analysed(document: Document) -> Call:
    """Call Analytics and Contact Lens: turns with the role of who takes part."""
    version = document.get("Version")
    if version is not None and not (isinstance(version, str) and _CONTACT_LENS_VERSION.fullmatch(version)):
        raise UnknownTranscriptError("The transcript is of a version that is not known.")
    roles = {
        name: role
        for each in _list(document.get("Participants"))
        if (name := _string(each.get("ParticipantId"))) and (role := _string(each.get("ParticipantRole")))
    }
    turns = []
    for each in _list(document["Transcript"]):
        who = _string(each.get("ParticipantRole")) or _string(each.get("ParticipantId"))
        start = _number(each.get("BeginOffsetMillis"))
        turns.append(
            Turn(
                speaker=roles.get(who, who).lower() if who else None,
                start=None if start is None else start / 1000,
                text=_string(each.get("Content")) or "",
            )
        )
    contact = _object(document.get("CustomerMetadata")).get("ContactId")
    return Call(
        name=_string(document.get("JobName")) or _string(contact),
        turns=_in_order(turns),
        language=_language(document.get("LanguageCode")),
    )


def _plain(document: Document) -> Call:
    """Our own form, for those who transcribe elsewhere: docs/channels.md describes it."""
    if document.get("version") != _PLAIN_VERSION or isinstance(document["version"], bool):
        raise UnknownTranscriptError("The transcript is of a version that is not known.")
    if not isinstance(document["turns"], list):
        raise UnknownTranscriptError("The transcript's turns are no list.")
    turns = []
    for each in _list(document["turns"]):
        speaker = _string(each.get("speaker"))
        turns.append(
            Turn(
                speaker=speaker.lower() if speaker else None,
                start=_number(each.get("start")),
                text=_string(each.get("text")) or "",
            )
        )
    return Call(
        name=_string(document.get("call_id")),
        turns=_in_order(turns),
        language=_language(document.get("language")),
        product=_string(document.get("product_id")),
        customer=_string(document.get("customer_ref")),
    )


def _labelled(items: Sequence[Document], segments: Sequence[Document]) -> list[Document]:
    """The words with their speakers: older transcripts name these beside the words, by the time of their start."""
    speakers = {
        item.get("start_time"): item.get("speaker_label") or segment.get("speaker_label")
        for segment in segments
        for item in _list(segment.get("items"))
        if isinstance(item.get("start_time"), str | int | float)
    }
    labelled: list[Document] = []
    for item in items:
        start = item.get("start_time")
        known = speakers.get(start) if isinstance(start, str | int | float) else None
        labelled.append({"speaker_label": known, **{name: item[name] for name in item if item[name] is not None}})
    return labelled


def _spoken(items: Iterable[Document], *, speaker: str | None = None) -> list[Turn]:
    """Turns of words: a new one begins where the speaker changes. Punctuation belongs to the word before it."""
    words: list[tuple[str | None, float | None, str]] = []
    for item in items:
        alternatives = _list(item.get("alternatives"))
        content = _string(alternatives[0].get("content")) if alternatives else None
        if not content:
            continue
        if item.get("type") == "punctuation" and words:
            who, start, word = words[-1]
            words[-1] = (who, start, word + content)
        else:
            words.append((speaker or _string(item.get("speaker_label")), _number(item.get("start_time")), content))
    turns = []
    for who, group in groupby(words, key=lambda word: word[0]):
        said = list(group)
        turns.append(Turn(speaker=who, start=said[0][1], text=" ".join(word for _, _, word in said)))
    return turns


def _in_order(turns: Sequence[Turn]) -> list[Turn]:
    """By their starts, as far as these are told: a turn that does not say when it was stays behind the one before."""
    latest = 0.0
    placed = []
    for turn in turns:
        latest = turn.start if turn.start is not None else latest
        placed.append((latest, turn))
    return [turn for _, turn in sorted(placed, key=lambda each: each[0])]


def _list(value: object) -> list[Document]:
    """The objects in a list; anything else is left out."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _object(value: object) -> Document:
    return value if isinstance(value, dict) else {}


def _string(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _number(value: object) -> float | None:
    """Seconds or milliseconds, which Transcribe writes as strings."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _language(value: object) -> str | None:
    return value if isinstance(value, str) and _LANGUAGE.fullmatch(value) and len(value) <= 35 else None
