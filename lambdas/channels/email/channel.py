"""The e-mail channel as the stacks see it."""

from typing import Final

from lambdas.channels.declaration import Access, Channel, Drop

PREFIX: Final = "email/"

CHANNEL: Final = Channel(
    name="email",
    description="Takes in what customers wrote by e-mail",
    trigger=Drop(prefix=PREFIX),
    timeout_seconds=60,
    memory_mib=512,
    access=(Access.ACCEPT,),
    environment={"EMAIL_UNVERIFIED": "mark"},
)
