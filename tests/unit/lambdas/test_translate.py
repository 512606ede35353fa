"""Answers as Amazon Translate gives them, recorded in its documentation's shape."""

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from lambdas.aws.translate import TEXT_LIMIT_BYTES, TranslationUnavailableError, Translator


@pytest.fixture
def translate(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    return boto3.client(
        "translate", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )


def answer(text, source="de"):
    return {
        "TranslatedText": text,
        "SourceLanguageCode": source,
        "TargetLanguageCode": "en",
        "AppliedTerminologies": [],
    }


def test_a_text_is_translated(translate):
    with Stubber(translate) as stubber:
        stubber.add_response(
            "translate_text",
            answer("The dress is too small."),
            {"Text": "Das Kleid ist zu klein.", "SourceLanguageCode": "de", "TargetLanguageCode": "en"},
        )
        translated = Translator(translate=translate).translate("Das Kleid ist zu klein.", source="de")
    assert translated == "The dress is too small."


@pytest.mark.parametrize("text", ["ä" * 10_000, "𝄞" * 5_000, "a" + "ä" * 10_000, "\ud800" * 20_000])
def test_of_a_long_text_only_as_many_whole_characters_are_sent_as_one_call_takes(translate, text):
    sent = []

    class Recording:
        def translate_text(self, **request):
            sent.append(request["Text"])
            return answer("-")

    Translator(translate=Recording()).translate(text, source="de")
    size = len(sent[0].encode("utf-8"))
    assert TEXT_LIMIT_BYTES - 4 < size <= TEXT_LIMIT_BYTES
    assert "\ufffd" not in sent[0]


@pytest.mark.parametrize(
    ("code", "status", "is_final"),
    [
        ("UnsupportedLanguagePairException", 400, True),
        ("InvalidRequestException", 400, True),
        ("TextSizeLimitExceededException", 400, True),
        ("TooManyRequestsException", 400, False),
        ("ThrottlingException", 400, False),
        ("AccessDeniedException", 400, False),
        ("InternalServerException", 500, False),
        ("ServiceUnavailableException", 500, False),
    ],
)
def test_a_refusal_says_whether_it_is_worth_asking_again(translate, code, status, is_final):
    with Stubber(translate) as stubber:
        stubber.add_client_error("translate_text", code, "Das Kleid", http_status_code=status)
        with pytest.raises(TranslationUnavailableError) as caught:
            Translator(translate=translate).translate("Das Kleid", source="de")
    assert caught.value.is_final is is_final
    assert "Kleid" not in str(caught.value)


def test_an_outage_is_worth_asking_again():
    class Away:
        def translate_text(self, **_):
            raise EndpointConnectionError(endpoint_url="https://translate.example")

    with pytest.raises(TranslationUnavailableError) as caught:
        Translator(translate=Away()).translate("Das Kleid", source="de")
    assert not caught.value.is_final


@pytest.mark.parametrize("translated", ["", "  ", None])
def test_an_empty_translation_is_none(translated):
    class Empty:
        def translate_text(self, **_):
            return {"TranslatedText": translated}

    with pytest.raises(TranslationUnavailableError):
        Translator(translate=Empty()).translate("Das Kleid", source="de")
