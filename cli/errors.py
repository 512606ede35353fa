"""What can go wrong in a way that the user can mend, and the exit codes that go with it.

Exit codes: 0 done, 1 the work itself failed (a job, a check, a deploy), 2 wrong input or usage, 3 something that is
needed is not there (not running, not deployed, no credentials), 130 interrupted. It does not know AWS; `cli.connection`
translates.
"""

from __future__ import annotations

FAILED = 1
BAD_INPUT = 2
NOT_READY = 3


class Problem(Exception):  # noqa: N818 - it is what the user reads, not an error of the program
    """The work failed; the message is one sentence that says what to do. `details` are further lines below it."""

    exit_code = FAILED

    def __init__(self, message: str, *, details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class BadInput(Problem):
    """What the user gave cannot be used."""

    exit_code = BAD_INPUT


class NotReady(Problem):
    """Something that the command needs is not there yet."""

    exit_code = NOT_READY
