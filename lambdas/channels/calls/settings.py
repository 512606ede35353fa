"""The environment of the calls' channel."""

import re
from dataclasses import dataclass
from typing import Final

from lambdas.channels.settings import DropSettings

_SPEAKER: Final = re.compile(r"(?:spk|ch)_[0-9]{1,2}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}-[A-Z]{2}")


@dataclass(frozen=True, kw_only=True)
class Settings(DropSettings):
    """How recordings are transcribed.

    ``transcribe_languages``: the languages that are spoken, as Transcribe names them, separated by commas.
    ``customer_speaker``: who the customer is where a transcript does not say: ``spk_1`` for the second to speak,
    ``ch_1`` for the second channel of a recording with one channel each. ``drop_key_id``: the key of the drop bucket.
    """

    transcribe_languages: str
    customer_speaker: str
    drop_key_id: str

    def __post_init__(self) -> None:
        if not _SPEAKER.fullmatch(self.customer_speaker):
            raise ValueError("CUSTOMER_SPEAKER is neither like spk_1 nor like ch_1")
        if not all(_LANGUAGE.fullmatch(language) for language in self.languages):
            raise ValueError("TRANSCRIBE_LANGUAGES is no list of languages like en-US,de-DE")

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages, one by one."""
        return tuple(language.strip() for language in self.transcribe_languages.split(","))
