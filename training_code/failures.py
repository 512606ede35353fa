"""How a job ends when it cannot go on: one sentence that says what and where, in every place a person may look.

Knows nothing of what the job does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path


class JobError(Exception):
    """The input or a setting makes the job impossible; the message is one sentence for the person who started it."""


def run_job(main: Callable[[], None], *, failure_file: Path | None) -> int:
    """Run `main`; on JobError write its sentence to stderr and to the file that becomes the job's FailureReason.

    Any other exception is a defect: it keeps its traceback. Returns the exit status.
    """
    try:
        main()
    except JobError as error:
        sentence = str(error)
        sys.stdout.flush()
        print(sentence, file=sys.stderr, flush=True)
        if failure_file is not None:
            failure_file.parent.mkdir(parents=True, exist_ok=True)
            failure_file.write_text(sentence[:1024], encoding="utf-8")
        return 1
    return 0
