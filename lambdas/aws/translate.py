"""Amazon Translate, one text at a time. It does not know when a text needs translating, nor who reads the result.

https://docs.aws.amazon.com/translate/latest/APIReference/API_TranslateText.html
"""

from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.aws.clients import Client
from lambdas.telemetry import aws_code

TEXT_LIMIT_BYTES: Final = 10_000
"""The most that one call takes. The beginning of a longer text is translated: the model reads no more than that."""

_FINAL_CODES: Final = frozenset(
    {
        "UnsupportedLanguagePairException",
        "DetectedLanguageLowConfidenceException",
        "InvalidRequestException",
        "TextSizeLimitExceededException",
        "ValidationException",
    }
)


class TranslationUnavailableError(RuntimeError):
    """There is no translation. ``is_final``: nor will there be one, however often it is asked for."""

    def __init__(self, *, is_final: bool) -> None:
        super().__init__("The text was not translated.")
        self.is_final = is_final


class Translator:
    """Amazon Translate, with its own formality and no terminology."""

    def __init__(self, *, translate: Client) -> None:
        self._translate = translate

    def translate(self, text: str, *, source: str, target: str = "en") -> str:
        """The text in the target language; TranslationUnavailableError where there is none.

        ``source`` and ``target`` are languages without a region, as Amazon Translate names most of its languages.
        """
        try:
            answer: dict[str, Any] = self._translate.translate_text(
                Text=_beginning(text), SourceLanguageCode=source, TargetLanguageCode=target
            )
        except (ClientError, BotoCoreError) as error:
            raise TranslationUnavailableError(is_final=aws_code(error) in _FINAL_CODES) from error
        translated = answer.get("TranslatedText")
        if not isinstance(translated, str) or not translated.strip():
            raise TranslationUnavailableError(is_final=True)
        return translated


def _beginning(text: str) -> str:
    """As much of the text as one call takes, cut between two characters."""
    return text.encode("utf-8", "replace")[:TEXT_LIMIT_BYTES].decode("utf-8", "ignore")
