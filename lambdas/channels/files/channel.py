"""The files' channel as the stacks see it."""

from typing import Final

from lambdas.channels.declaration import Access, Channel, Drop

PREFIX: Final = "files/"
RESULTS: Final = "results/files/"
"""Not below ``files/``, where each result would be a new file."""

CHANNEL: Final = Channel(
    name="files",
    description="Takes in files of feedback, row by row",
    trigger=Drop(prefix=PREFIX, writes=(RESULTS,), receives=3),
    timeout_seconds=900,
    memory_mib=1769,  # a whole processor
    access=(Access.ACCEPT, Access.CONTINUE),
)
