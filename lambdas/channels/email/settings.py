"""The environment of the e-mail channel."""

from dataclasses import dataclass
from typing import Final

from lambdas.channels.settings import DropSettings

MARK: Final = "mark"
REFUSE: Final = "refuse"


@dataclass(frozen=True, kw_only=True)
class Settings(DropSettings):
    """``email_unverified``: whether mail whose sender is proven false is marked as such, or refused."""

    email_unverified: str

    def __post_init__(self) -> None:
        if self.email_unverified not in (MARK, REFUSE):
            raise ValueError(f"EMAIL_UNVERIFIED is neither {MARK} nor {REFUSE}")

    @property
    def refuses_unverified(self) -> bool:
        """Whether a mail with a false sender is refused."""
        return self.email_unverified == REFUSE
