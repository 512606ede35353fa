"""What we fetch ourselves, on a schedule: feeds of review and social sites."""

from lambdas.channels.declaration import Access, Channel, Schedule

CHANNEL = Channel(
    name="puller",
    description="Pulls new reviews and mentions from the sources that the stage lists",
    trigger=Schedule(setting="pull_minutes"),
    timeout_seconds=120,
    memory_mib=512,
    access=(Access.ACCEPT, Access.DESK, Access.SOURCES),
    concurrency=1,
)
