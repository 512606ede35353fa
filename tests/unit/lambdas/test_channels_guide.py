"""The guide to the channels says what the code does."""

import json
import re
import urllib.request
from pathlib import Path

import pytest

from lambdas.channels.puller.declaring import KINDS, read_sources
from lambdas.channels.webhooks.kinds import MAPPERS
from lambdas.channels.webhooks.signature import Scheme, read_claim, read_key
from lambdas.channels.webhooks.sources import read_source

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "channels.md").read_text(encoding="utf-8")
CHANNELS = sorted(path.parent.name for path in (ROOT / "lambdas" / "channels").glob("*/channel.py"))


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", CHANNELS)
def test_every_channel_is_in_the_table(name):
    assert f"\n| `{name}` |" in GUIDE


@pytest.mark.parametrize("kind", [*MAPPERS, *KINDS])
def test_every_kind_of_source_is_explained(kind):
    assert f"`{kind}`" in GUIDE


def test_the_source_of_the_guide_is_one():
    (text,) = re.findall(r"--secret-string '(.*?)'", GUIDE, re.DOTALL)
    assert read_source(text).kind == "review"


def test_the_list_of_sources_of_the_guide_is_one():
    (text,) = re.findall(r"--value '(.*?)'", GUIDE, re.DOTALL)
    sources, complaints = read_sources(text, fetcher=None)
    assert len(sources) == 2
    assert complaints == []


def test_the_guides_program_signs_what_is_taken(monkeypatch):
    (program,) = [block for block in blocks("python") if "hmac" in block]
    sent = []

    class Answer:
        status = 202

    monkeypatch.setattr(urllib.request, "urlopen", lambda request: sent.append(request) or Answer())
    exec(program, {"API": "https://api.example/live/"})
    (request,) = sent
    assert request.full_url == "https://api.example/live/v1/webhooks/acme-reviews"
    (text,) = re.findall(r"--secret-string '(.*?)'", GUIDE, re.DOTALL)
    keys = [read_key(secret, Scheme.STANDARD) for secret in json.loads(text)["secrets"]]
    read_claim(dict(request.header_items())).check(request.data, keys)
