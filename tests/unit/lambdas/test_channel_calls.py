"""Calls: recordings that start a job once, and the customer's words out of every form of transcript."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from lambdas.channels import pseudonym
from lambdas.channels.batch import UnusableObjectError
from lambdas.channels.bucket import ObjectTooLargeError
from lambdas.channels.calls.settings import Settings
from lambdas.channels.calls.taking import CallsChannel
from lambdas.channels.calls.transcriber import RecordingRefusedError, Transcriber
from tests.unit.lambdas.dropped import FakeAcceptance, FakeBucket, delivery, dropped

GOLDEN = Path(__file__).parents[2] / "golden" / "calls"
KEY = "calls/transcripts/P-9/job.json"
SAID = "The toaster burns everything. I want my money back.\nIt is the second one that broke."


class FakeTranscriber:
    """Remembers jobs; a recording's second start is none."""

    def __init__(self, *, refuses=False):
        self.jobs = {}
        self.refuses = refuses

    def start(self, recording, *, media_format, output):
        if self.refuses:
            raise RecordingRefusedError("BadRequestException")
        is_new = recording.identity not in self.jobs
        self.jobs[recording.identity] = (recording.key, media_format, output)
        return is_new


def channel(content=b"", acceptance=None, *, key=KEY, transcriber=None, customer="spk_1"):
    return CallsChannel(
        bucket=FakeBucket({key: content}),
        transcriber=transcriber or FakeTranscriber(),
        delivery=delivery(acceptance),
        customer_speaker=customer,
    )


def take(document, acceptance=None, *, key=KEY, customer="spk_1"):
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return dict(channel(content, acceptance, key=key, customer=customer).take(dropped(key, content)))


def golden(name):
    return (GOLDEN / f"{name}.json").read_bytes()


def plain(*turns, **more):
    return {"version": 1, "turns": list(turns), **more}


def turn(speaker, text, start=None):
    return {"speaker": speaker, "text": text, "start": start}


@pytest.mark.parametrize(
    ("name", "customer"),
    [
        ("transcribe_speakers", "spk_1"),
        ("transcribe_speakers_2019", "spk_1"),
        ("transcribe_channels", "ch_1"),
        ("contact_lens", "spk_0"),
        ("call_analytics", "spk_0"),
        ("plain", "spk_0"),
    ],
)
def test_of_a_call_the_customers_words_are_one_feedback(name, customer):
    acceptance = FakeAcceptance()
    assert take(golden(name), acceptance, customer=customer)["Accepted"] == 1
    (event,) = acceptance.events
    assert re.sub(r"\s+", " ", event.text) == SAID.replace("\n", " ")
    assert event.channel == "call"
    assert event.product_id == ("P-100" if name == "plain" else "P-9")
    assert event.metadata["source"] == KEY
    assert take(golden(name), acceptance, customer=customer) == {"Accepted": 0, "Replayed": 1}


def test_a_telephone_number_is_kept_as_a_reference_only():
    acceptance = FakeAcceptance()
    take(golden("plain"), acceptance)
    assert acceptance.events[0].customer_ref == pseudonym.of_number("+4930123456")


def test_the_customer_may_be_the_first_to_speak():
    acceptance = FakeAcceptance()
    take(golden("transcribe_speakers"), acceptance, customer="spk_0")
    assert acceptance.events[0].text.startswith("Thank you for calling")


@pytest.mark.parametrize(
    ("turns", "text"),
    [
        ([turn(None, "Bad."), turn(None, "Worse.")], "Bad.\nWorse."),
        ([turn("customer", "Bad."), turn(None, "Worse."), turn("agent", "Sorry.")], "Bad.\nWorse."),
        ([turn("agent", "Hello."), turn(None, "Hello?"), turn("customer", "Bad.")], "Bad."),
        ([turn("spk_0", "Bad, call me back.")], "Bad, call me back."),
        ([turn("Customer", "Bad.")], "Bad."),
        ([turn("customer", "Second.", 5), turn("customer", "First.", 1)], "First.\nSecond."),
        ([turn("customer", "One.", 1.5), turn("agent", "Two.", 1.5), turn("customer", "Three.", 1.4)], "Three.\nOne."),
        ([turn("customer", "A.", "NaN"), turn("customer", "B.", -1), turn("customer", "C.", True)], "A.\nB.\nC."),
        ([turn("customer", "A.", 9), turn("customer", "B."), turn("agent", "C.", 1)], "A.\nB."),
        ([turn("customer", 5), turn("customer", None), turn("customer", "Bad."), "no turn", None], "Bad."),
        ([turn("customer", "A\x00B")], "AB"),
    ],
)
def test_missing_speakers_and_overlapping_times_cost_their_turn_at_most(turns, text):
    acceptance = FakeAcceptance()
    take(plain(*turns), acceptance)
    assert acceptance.events[0].text == text


@pytest.mark.parametrize(
    "document",
    [
        plain(),
        plain(turn("agent", "Hello?"), turn("agent", "Anybody?")),
        plain(turn("agent", "Hello?"), turn("system", "Recorded.")),
        plain(turn("customer", "")),
        plain(turn("customer", "   ")),
        plain(turn("spk_0", "Hello?"), turn("spk_2", "Hm.")),
        {"results": {}},
        {"results": {"transcripts": [{"transcript": ""}], "items": []}},
        {"results": {"items": [{"type": "punctuation"}, {"alternatives": []}, {"alternatives": [{"content": 5}]}]}},
        {"Version": "1.1.0", "Transcript": []},
    ],
)
def test_a_call_in_which_the_customer_says_nothing_is_refused_and_counted(document, capsys):
    assert take(document) == {"Refused": 1}
    assert json.loads(capsys.readouterr().out)["reason"] == "The customer says nothing in it."


UNKNOWN = {
    "no JSON": b"turns",
    "cut off": golden("contact_lens")[:-20],
    "UTF-16": json.dumps(plain()).encode("utf-16"),
    "a list": b"[]",
    "a number": b"5",
    "nothing": b"",
    "another form": b'{"hello": 1}',
    "another version": json.dumps(plain() | {"version": 2}).encode(),
    "no version": b'{"turns": []}',
    "a version that is true": b'{"version": true, "turns": []}',
    "turns that are none": b'{"version": 1, "turns": "a"}',
    "Contact Lens 2": b'{"Version": "2.0.0", "Transcript": []}',
    "Contact Lens 1 as a number": b'{"Version": 1, "Transcript": []}',
    "nested 100,000 deep": b'{"turns":' + b"[" * 100_000,
    "a huge number": b'{"version": ' + b"9" * 5_000 + b', "turns": []}',
    "keys twice": b'{"version": 1, "version": 1, "turns": []}',
    "NaN": b'{"version": NaN, "turns": []}',
}


@pytest.mark.parametrize("content", UNKNOWN.values(), ids=UNKNOWN)
def test_a_transcript_of_no_known_form_goes_to_the_dead_letters(content):
    with pytest.raises(UnusableObjectError):
        take(content)


@pytest.mark.parametrize("name", ["transcribe_speakers", "transcribe_channels", "contact_lens", "plain"])
def test_any_value_of_a_transcript_may_be_of_the_wrong_type(name):
    """Every place of the document in turn holds something else: it is taken, refused or unusable, and nothing else."""
    document = json.loads(golden(name))
    for path in places(document):
        for wrong in (None, 5, "x", [], {}, [None], True):
            broken = json.loads(golden(name))
            put(broken, path, wrong)
            try:
                take(broken)
            except UnusableObjectError:
                continue


def places(value, path=()):
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    for name, each in inner:
        found += places(each, (*path, name))
    return found[:60]


def put(document, path, value):
    for name in path[:-1]:
        document = document[name]
    document[path[-1]] = value


def test_a_call_of_four_hours_is_taken_with_its_beginning_and_its_end():
    turns = [
        turn("customer" if n % 2 else "agent", f"Sentence number {n} of many words here.", n * 2) for n in range(7200)
    ]
    acceptance = FakeAcceptance()
    began = time.perf_counter()
    take(plain(*turns), acceptance)
    assert time.perf_counter() - began < 2.0
    (event,) = acceptance.events
    assert len(event.text) <= 10_000
    assert event.text.startswith("Sentence number 1 ")
    assert event.text.endswith("Sentence number 7199 of many words here.")
    assert event.metadata["cut"] == "true"


def test_a_recording_starts_one_job_however_often_it_is_told_of():
    transcriber = FakeTranscriber()
    calls = channel(transcriber=transcriber)
    assert calls.take(dropped("calls/audio/P-1/a.WAV")) == {"Transcribing": 1}
    assert calls.take(dropped("calls/audio/P-1/a.WAV")) == {"Replayed": 1}
    assert calls.take(dropped("calls/audio/P-1/a.WAV", version_id="v2")) == {"Transcribing": 1}
    for identity, job in transcriber.jobs.items():
        assert job == ("calls/audio/P-1/a.WAV", "wav", f"calls/transcripts/P-1/earshot-{identity}.json")


@pytest.mark.parametrize(
    "key",
    [
        "calls/audio/a.txt",
        "calls/audio/a",
        "calls/audio/a.wav.exe",
        "calls/other/a.wav",
        "calls/a.json",
        "calls/audio/a.wav ",
    ],
)
def test_what_is_no_recording_goes_to_the_dead_letters(key):
    with pytest.raises(UnusableObjectError):
        channel().take(dropped(key))


@pytest.mark.parametrize("size", [0, None, 2 * 1024**3 + 1])
def test_an_empty_or_too_large_recording_goes_to_the_dead_letters(size):
    with pytest.raises(UnusableObjectError):
        channel().take(dropped("calls/audio/a.mp3", size=size))


def test_a_recording_that_transcribe_never_takes_goes_to_the_dead_letters():
    with pytest.raises(UnusableObjectError):
        channel(transcriber=FakeTranscriber(refuses=True)).take(dropped("calls/audio/a.mp3"))


@pytest.mark.parametrize("key", ["calls/transcripts/.write_access_check_file.temp", "calls/transcripts/a.vtt"])
def test_what_transcribe_writes_besides_is_ignored(key):
    assert channel().take(dropped(key)) == {"Ignored": 1}


def test_a_transcript_that_is_too_large_is_not_read():
    class Large(FakeBucket):
        def read(self, dropped, *, limit_bytes):
            raise ObjectTooLargeError("too large")

    calls = CallsChannel(bucket=Large(), transcriber=FakeTranscriber(), delivery=delivery(), customer_speaker="spk_1")
    with pytest.raises(ObjectTooLargeError):
        calls.take(dropped(KEY))


def transcriber(client, *, languages=("en-US",), separates=False):
    return Transcriber(transcribe=client, languages=languages, separates_channels=separates, key_id="key-arn")


@pytest.mark.parametrize(
    ("languages", "separates", "expected"),
    [
        (("en-US",), False, {"LanguageCode": "en-US", "Settings": {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 4}}),
        (
            ("en-US", "de-DE"),
            True,
            {
                "IdentifyLanguage": True,
                "LanguageOptions": ["en-US", "de-DE"],
                "Settings": {"ChannelIdentification": True},
            },
        ),
    ],
)
def test_a_job_is_asked_for_as_transcribe_wants_it(languages, separates, expected):
    client = boto3.client("transcribe", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    recording = dropped("calls/audio/a.mp3")
    name = f"earshot-{recording.identity}"
    with Stubber(client) as stub:
        stub.add_response(
            "start_transcription_job",
            {"TranscriptionJob": {"TranscriptionJobName": name}},
            {
                "TranscriptionJobName": name,
                "Media": {"MediaFileUri": "s3://drop/calls/audio/a.mp3"},
                "MediaFormat": "mp3",
                "OutputBucketName": "drop",
                "OutputKey": f"calls/transcripts/{name}.json",
                "OutputEncryptionKMSKeyId": "key-arn",
                **expected,
            },
        )
        asked = transcriber(client, languages=languages, separates=separates)
        assert asked.start(recording, media_format="mp3", output=f"calls/transcripts/{name}.json")


def test_a_job_that_is_there_is_no_error_and_a_bad_one_is_final():
    client = boto3.client("transcribe", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as stub:
        stub.add_client_error("start_transcription_job", "ConflictException")
        assert not transcriber(client).start(dropped("a.mp3"), media_format="mp3", output="a.json")
        stub.add_client_error("start_transcription_job", "BadRequestException")
        with pytest.raises(RecordingRefusedError):
            transcriber(client).start(dropped("a.mp3"), media_format="mp3", output="a.json")
        stub.add_client_error("start_transcription_job", "LimitExceededException")
        with pytest.raises(client.exceptions.LimitExceededException):
            transcriber(client).start(dropped("a.mp3"), media_format="mp3", output="a.json")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("customer_speaker", "spk"),
        ("customer_speaker", "agent"),
        ("transcribe_languages", "english"),
        ("transcribe_languages", "en-US,,de-DE"),
    ],
)
def test_wrong_settings_are_refused(name, value):
    good = dict.fromkeys(Settings.environment_names(), "x")
    good |= {"ORIGINAL_DAYS": "30", "CUSTOMER_SPEAKER": "ch_0", "TRANSCRIBE_LANGUAGES": "en-US, de-DE"}
    assert Settings.from_env(good).languages == ("en-US", "de-DE")
    with pytest.raises(RuntimeError):
        Settings.from_env(good | {name.upper(): value})
