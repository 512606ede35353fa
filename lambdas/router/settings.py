"""The environment of the router."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """Where feedback is kept, queued and classified.

    ``languages`` are those that the model reads, with commas between them; ``translate`` is on where a text in another
    is translated into the first of them.
    """

    ledger_table: str
    desk_table: str
    endpoint_name: str
    queue_url: str
    languages: str
    translate: str

    def __post_init__(self) -> None:
        if self.translate not in ("on", "off"):
            raise ValueError("TRANSLATE is neither on nor off")
