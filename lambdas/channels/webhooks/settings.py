"""The environment of the webhooks' function."""

from dataclasses import dataclass

from lambdas.channels.settings import AcceptSettings


@dataclass(frozen=True, kw_only=True)
class Settings(AcceptSettings):
    """Where the sources' secrets are, besides what every channel needs."""

    webhook_secret_prefix: str
