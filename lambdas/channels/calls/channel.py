"""The calls' channel as the stacks see it."""

from typing import Final

from lambdas.channels.declaration import Access, Channel, Drop

PREFIX: Final = "calls/"

CHANNEL: Final = Channel(
    name="calls",
    description="Has recordings transcribed and takes in what customers said in calls",
    # Transcribe writes with this function's rights; a busy account turns jobs away for a while.
    trigger=Drop(prefix=PREFIX, writes=("calls/transcripts/",), receives=20),
    timeout_seconds=60,
    memory_mib=1024,
    access=(Access.ACCEPT, Access.TRANSCRIBE),
    environment={"TRANSCRIBE_LANGUAGES": "en-US", "CUSTOMER_SPEAKER": "spk_1"},
)
