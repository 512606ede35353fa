"""Which releases there were: the history of the release parameter, as Parameter Store keeps it.

Responsible for reading it, and for finding the release before the present one. Parameter Store keeps the last 100
values. It changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from cli.connection import Connection


def values(connection: Connection) -> list[str]:
    """Every value that the parameter had, oldest first."""
    pages = connection.client("ssm").get_paginator("get_parameter_history")
    found = [
        (entry["Version"], entry["Value"])
        for page in pages.paginate(Name=connection.output("endpoint", "ReleaseParameter"))
        for entry in page["Parameters"]
    ]
    return [value for _, value in sorted(found)]


def release_before(history: Iterable[str]) -> str | None:
    """What was served before the last value; None where nothing was.

    A value that gave way to the one before it was taken back, by a failed release or a rollback: it is not a release
    to go back to. So a second rollback goes one release further back, like the back button of a browser.
    """
    kept: list[str] = []
    for value in history:
        if kept and kept[-1] == value:
            continue
        if len(kept) > 1 and kept[-2] == value:
            kept.pop()
        else:
            kept.append(value)
    return kept[-2] if len(kept) > 1 else None
