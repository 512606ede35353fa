"""Why a job failed, in the form of SageMaker's FailureReason, from what the job left behind.

Knows files and lengths; nothing of states.
"""

from pathlib import Path

LONGEST_REASON = 1024
TAIL_BYTES = 16_384
TRACEBACK = "Traceback (most recent call last)"


def message(path: Path) -> str:
    """What a job wrote to its failure or message file, cut to what AWS keeps; empty where there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as content:
        return content.read(LONGEST_REASON * 4).decode("utf-8", "replace").strip()[:LONGEST_REASON]


def algorithm_error(text: str, exit_code: int) -> str:
    """A failure of the job's own program. The end of ``text`` is kept where it is too long: errors come last."""
    head, tail = "AlgorithmError: ", f", exit code: {exit_code}"
    room = LONGEST_REASON - len(head) - len(tail)
    return head + (text if len(text) <= room else "..." + text[3 - room :]) + tail


def other_error(kind: str, text: str) -> str:
    """A failure that is not the program's: ``ClientError`` or ``InternalServerError``."""
    return f"{kind}: {text}"[:LONGEST_REASON]


def last_error(log: Path) -> str:
    """The last traceback in a log, else its last lines."""
    with log.open("rb") as content:
        content.seek(max(0, log.stat().st_size - TAIL_BYTES))
        text = content.read().decode("utf-8", "replace").strip()
    start = text.rfind(TRACEBACK)
    if start >= 0:
        return text[start:]
    return "\n".join(text.splitlines()[-8:]) or "no output; see the job's log"
