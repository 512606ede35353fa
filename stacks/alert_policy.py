"""The alert policy that a stage ships, refused at synth where its functions would refuse it.

Knows where policies are and how one becomes the text of a parameter. Does not know what a policy says.
"""

import json
from pathlib import Path

from feedback.alerting.policy import Policy, PolicyError
from stacks.settings import SettingsError

FOLDER = Path(__file__).resolve().parent.parent / "feedback" / "alerting"


def alert_policy(file: str) -> Policy:
    """The policy of that file; SettingsError where it is none."""
    try:
        return Policy.parse(_text(file))
    except PolicyError as error:
        raise SettingsError(f"{FOLDER.name}/{file} is no alert policy: {error}") from error


def shipped_policy(file: str) -> str:
    """The same as one line of JSON, known to be good."""
    alert_policy(file)
    return json.dumps(json.loads(_text(file)), separators=(",", ":"), ensure_ascii=False)


def _text(file: str) -> str:
    return (FOLDER / file).read_text(encoding="utf-8")
