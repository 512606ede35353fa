"""The forms of a notice: text for mail, a JSON document for programs, and what Slack's and Teams' webhooks take.

Every value goes through the neutralising of its form here and nowhere else, so that nobody's words become markup,
mentions, links or another line. It does not know where a form is sent.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from feedback.alerting.teams import DestinationKind
from feedback.alerting.wording import Notice
from feedback.neutral import one_line, plain, slack_text, teams_text

SUBJECT_LIMIT: Final = 100
"""What SNS takes: ASCII, one line, fewer than 100 characters."""

_SLACK_SECTION_LIMIT: Final = 2900  # Slack refuses a section of more than 3,000 characters
_SLACK_HEADER_LIMIT: Final = 150


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message for the alert topic."""

    subject: str
    body: str
    attributes: dict[str, str]


def letter(notice: Notice, *, kind: DestinationKind, delivery: str) -> Letter:
    """The notice for the topic, as text or as JSON. ``delivery`` names this telling, to drop doubles by."""
    is_raw = kind is DestinationKind.TOPIC_RAW
    return Letter(
        subject=_subject(notice.title),
        body=json.dumps(document(notice)) if is_raw else text(notice),
        attributes={**notice.attributes, "delivery_id": delivery, "form": "json" if is_raw else "text"},
    )


def text(notice: Notice) -> str:
    """For people: plain text, quotes on lines of their own."""
    width = max(len(name) for name in notice.facts) + 2
    parts = [notice.lead, ""]
    parts += [f'  "{one_line(quoted)}"' for quoted in notice.quotes]
    parts += ["", *(f"{name + ':':<{width}}{one_line(value)}" for name, value in notice.facts.items())]
    if notice.link is not None:
        parts.append(f"{'Link:':<{width}}{notice.link}")
    if notice.similar:
        parts += ["", "Others lately:", *(f'  "{one_line(quoted)}"' for quoted in notice.similar)]
    return plain("\n".join([*parts, "", f"What to do next: {notice.advice}"])) + "\n"


def document(notice: Notice) -> dict[str, Any]:
    """For programs."""
    return {
        "version": 1,
        "title": one_line(notice.title),
        "quotes": [one_line(quoted) for quoted in notice.quotes],
        "facts": {name: one_line(value) for name, value in notice.facts.items()},
        "similar": [one_line(quoted) for quoted in notice.similar],
        "advice": notice.advice,
        "link": notice.link,
        **notice.attributes,
    }


def slack(notice: Notice) -> dict[str, Any]:
    """A message of blocks, see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain_text(notice.title)},
        _slack_section("\n".join([slack_text(notice.lead), *(f">{slack_text(quoted)}" for quoted in notice.quotes)])),
        _slack_section("\n".join(f"*{slack_text(name)}:* {slack_text(value)}" for name, value in notice.facts.items())),
    ]
    if notice.similar:
        others = "\n".join(f">{slack_text(quoted)}" for quoted in notice.similar)
        blocks.append(_slack_section(f"Others lately:\n{others}"))
    blocks.append(_slack_section(f"*What to do next:* {slack_text(notice.advice)}"))
    if notice.link is not None:
        blocks.append(_slack_section(f"<{notice.link}|Open the feedback>"))
    fallback = slack_text(one_line(notice.title))
    return {"text": fallback, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def teams(notice: Notice) -> dict[str, Any]:
    """An adaptive card as Teams' workflows take it."""
    body: list[dict[str, Any]] = [
        {"type": "TextBlock", "size": "Large", "weight": "Bolder", "wrap": True, "text": teams_text(notice.title)},
        {"type": "TextBlock", "wrap": True, "text": teams_text(notice.lead)},
        *_teams_quotes(notice.quotes),
        {
            "type": "FactSet",
            "facts": [{"title": teams_text(name), "value": teams_text(value)} for name, value in notice.facts.items()],
        },
    ]
    if notice.similar:
        body += [{"type": "TextBlock", "wrap": True, "text": "Others lately:"}, *_teams_quotes(notice.similar)]
    body.append({"type": "TextBlock", "wrap": True, "text": f"**What to do next:** {teams_text(notice.advice)}"})
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if notice.link is not None:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open the feedback", "url": notice.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _teams_quotes(quotes: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{"type": "TextBlock", "wrap": True, "isSubtle": True, "text": teams_text(quoted)} for quoted in quotes]


def _slack_section(markdown: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(markdown, _SLACK_SECTION_LIMIT)}}


def _plain_text(title: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": _cut(one_line(title), _SLACK_HEADER_LIMIT), "emoji": False}


def _cut(markdown: str, limit: int) -> str:
    """Cut before an escape rather than within it: half of ``&lt;`` would show."""
    if len(markdown) <= limit:
        return markdown
    cut = markdown[: limit - 1]
    ampersand = cut.rfind("&", limit - 6)
    return (cut if ampersand < 0 or ";" in cut[ampersand:] else cut[:ampersand]) + "…"


def _subject(title: str) -> str:
    line = one_line(title) or "-"
    ascii_line = "".join(character if " " <= character <= "~" else "?" for character in line)
    return ascii_line if len(ascii_line) < SUBJECT_LIMIT else ascii_line[: SUBJECT_LIMIT - 4] + "..."
