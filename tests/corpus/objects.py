"""What is bad about dropped objects: their keys, mails and transcripts. Classes 18 to 20."""

import base64
import json
from collections.abc import Iterator
from typing import Any, Final

from tests.corpus.case import Case

_KEYS: Final = (
    "../secret.jsonl",
    "a/../../b.jsonl",
    "%2e%2e/%2e%2e/b.jsonl",
    "a+b c%20d.jsonl",
    "ü%C3%BC.jsonl",
    "k" * 1_000 + ".jsonl",
    "k" * 1_100,
    ".",
    "..",
    "a//b///.jsonl",
    "a\\b.jsonl",
    "C:\\x.jsonl",
    "a\0b.jsonl",
    "a\nb.jsonl",
    "%FF%FE",
    "%",
    "%zz",
    "~root.jsonl",
    "-rf.jsonl",
    "$(id).jsonl",
    "a?versionId=1",
    "con.jsonl",
    "folder/",
    "no-extension",
    "x.exe",
    "x.jsonl.gz",
)
_MAIL: Final = (
    b"From: Jane <jane@example.com>\r\nTo: care@shop.example\r\nSubject: Zip\r\nMessage-ID: <%d@example.com>\r\n"
    b"Date: Sun, 01 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
)


def keys() -> Iterator[Case]:
    row = json.dumps({"text": "The zip broke after a day."}).encode()
    for key in _KEYS:
        yield Case(number=18, variant=repr(key[:30]), body=row, key=key)
    yield Case(number=18, variant="an empty object", body=b"", key="empty.jsonl")
    yield Case(number=18, variant="an object that is gone", body=row, key="\x01gone")


def mails() -> Iterator[Case]:
    plain = b"Content-Type: text/plain\r\n\r\nThe zip broke.\r\n"
    nested = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (at, at) for at in range(2_000)
    )
    many = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\na\r\n" * 20_000
    winmail = base64.b64encode(b"\x78\x9f\x3e\x22" + b"\0" * 100)
    for at, (variant, raw) in enumerate(
        {
            "nested parts": nested,
            "many parts": many,
            "no boundary": b"Content-Type: multipart/mixed\r\n\r\n--\r\n",
            "unknown charset": b"Content-Type: text/plain; charset=x-none\r\n\r\n\xff\xfe zip\r\n",
            "no charset": b"Content-Type: text/plain\r\n\r\nDer Rei\xdfverschlu\xdf\r\n",
            "wrong charset": b"Content-Type: text/plain; charset=utf-8\r\n\r\nDer Rei\xdfverschlu\xdf\r\n",
            "winmail.dat": b"Content-Type: application/ms-tnef; name=winmail.dat\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" + winmail,
            "wrong base64": b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%\r\n",
            "wrong quoted-printable": b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=ZZ=\r\n=",
            "uuencoded bomb": b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n" + b"M" * 100_000,
            "failed SPF": b"X-SES-Spam-Verdict: FAIL\r\nX-SES-Virus-Verdict: FAIL\r\n" + plain,
            "failed DMARC": b"Authentication-Results: amazonses.com; spf=fail; dkim=fail; dmarc=fail\r\n" + plain,
            "auto-reply": b"Auto-Submitted: auto-replied\r\nPrecedence: bulk\r\n" + plain,
            "bounce": b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b--",
            "folded without end": b"X-A: " + b"a\r\n " * 50_000 + b"\r\n" + plain,
            "100,000 headers": b"X: y\r\n" * 100_000 + plain,
            "encoded words": b"Subject: =?utf-8?B?%%%?= =?x?Q?=FF?=\r\n" + plain,
            "only HTML": b"Content-Type: text/html\r\n\r\n<html><b>The zip" + b"<p>" * 20_000,
            "only quotes": b"\r\n" + b"> The zip broke.\r\n" * 1_000,
            "quotes in quotes": b"\r\n" + b">" * 50_000 + b" zip\r\n",
            "no body": b"",
            "NULs": b"\r\n" + b"\0" * 10_000,
        }.items()
    ):
        yield Case(number=19, variant=variant, body=_MAIL % at + raw)
    for variant, raw in {"nothing": b"", "no header": b"The zip broke.", "bytes": bytes(range(256)) * 100}.items():
        yield Case(number=19, variant=variant, body=raw)


def transcripts() -> Iterator[Case]:
    def words(count: int, **more: Any) -> list[dict[str, Any]]:
        return [
            {
                "type": "pronunciation",
                "start_time": f"{at}.0",
                "end_time": f"{at}.5",
                "alternatives": [{"content": "zip", "confidence": "0.9"}],
                **more,
            }
            for at in range(count)
        ]

    def job(**results: Any) -> dict[str, Any]:
        return {"jobName": "call", "accountId": "000000000000", "status": "COMPLETED", "results": results}

    spoken = [{"transcript": "The zip broke."}]
    for variant, document in {
        "no results": {"jobName": "call", "status": "COMPLETED"},
        "results null": {"results": None},
        "failed": {"jobName": "call", "status": "FAILED", "results": {}},
        "no transcripts": job(items=[]),
        "empty transcript": job(transcripts=[{"transcript": ""}], items=[]),
        "items no list": job(transcripts=spoken, items={}),
        "item without content": job(transcripts=spoken, items=words(3, alternatives=[])),
        "times as words": job(transcripts=spoken, items=words(3, start_time="soon", end_time="later")),
        "times backwards": job(transcripts=spoken, items=words(3, start_time="9", end_time="1")),
        "overlapping": job(transcripts=spoken, items=words(50, start_time="0.0", end_time="100.0")),
        "missing speaker": job(transcripts=spoken, items=words(3), speaker_labels={"speakers": 2, "segments": []}),
        "unknown speaker": job(transcripts=spoken, items=words(3, speaker_label="spk_99")),
        "speaker labels null": job(transcripts=spoken, items=words(3), speaker_labels=None),
        "segments without items": job(transcripts=spoken, items=words(2), speaker_labels={"segments": [{}]}),
        "four hours": job(transcripts=[{"transcript": "zip " * 36_000}], items=words(36_000, speaker_label="spk_1")),
        "NaN confidence": job(transcripts=spoken, items=words(2, alternatives=[{"content": 1, "confidence": []}])),
        "Contact Lens of another version": {"Version": "9.9.9", "Transcript": [{"ParticipantId": 1}]},
        "Contact Lens without content": {"Version": "1.1.0", "Participants": None, "Transcript": [{}]},
        "Contact Lens overlapping": {
            "Version": "1.1.0",
            "Participants": [{"ParticipantId": "A", "ParticipantRole": "CUSTOMER"}],
            "Transcript": [
                {"ParticipantId": "A", "Content": "The zip broke.", "BeginOffsetMillis": 9, "EndOffsetMillis": 1}
            ]
            * 3,
        },
        "a list": [job(transcripts=spoken)],
    }.items():
        yield Case(number=20, variant=variant, body=json.dumps(document).encode())
