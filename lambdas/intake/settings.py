"""The environment of intake."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """Where accepted feedback is kept, queued and classified, and how long a client waits for the model.

    ``languages`` are those that the model reads, with commas between them. ``original_days`` is how long the original
    of a redacted feedback is kept.
    """

    ledger_table: str
    originals_table: str
    original_days: float
    desk_table: str
    queue_url: str
    endpoint_name: str
    classify_budget_seconds: float
    languages: str
    translate: str

    def __post_init__(self) -> None:
        if not 0.05 <= self.classify_budget_seconds <= 3.0:
            raise ValueError("CLASSIFY_BUDGET_SECONDS is not from 0.05 to 3")
        if self.original_days <= 0:
            raise ValueError("ORIGINAL_DAYS is not above 0")
        if self.translate not in ("on", "off"):
            raise ValueError("TRANSLATE is neither on nor off")
