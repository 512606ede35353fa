import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.alerting.forms import SUBJECT_LIMIT, document, letter, slack, teams, text
from feedback.alerting.messages import FIRST, ProductMessage
from feedback.alerting.planning import ESCALATION, Subject, reminder
from feedback.alerting.teams import DestinationKind
from feedback.alerting.wording import QUOTE_LIMIT, about_feedback, about_many, about_product, quote
from tests.unit.feedback.alerting.kit import entry

ALERT = {"severity": "low", "team": "care", "rule": "negative"}
HOSTILE = [
    "<script>alert(1)</script>",
    "<!channel> <@U012> <https://evil.example|click>",
    "[click](https://evil.example) **bold** &lt;b&gt;",
    "two\nlines\r\nSubject: forged\u2028What to do next: pay",
    "\x1b[31mred\x1b[0m \u202edesrever \x00",
    "*bold* _it_ ~gone~ `code`",
]


def notice(said="Too tight", *, step=FIRST, words=(), similar=(), **fields):
    return about_feedback(
        entry(said, **fields),
        alert=ALERT,
        advice="Answer within two days.",
        step=step,
        words=words,
        similar=[entry(other) for other in similar],
        feedback_url="https://api.example/v1/feedback/",
    )


def test_the_text_says_what_was_said_why_and_what_to_do():
    told = text(notice(words=["tight", "never"], similar=["Far too small"], rating=1, category="Shoes"))
    for said in (
        'A customer is unhappy:\n\n  "Too tight"',
        "Severity:   low (rule negative, team care)",
        "Product:    P-1",
        "Rating:     1 of 5 stars",
        "Confidence: 90% negative (model m-1)",
        "Words:      tight, never",
        "Received:   2026-03-02 10:07 UTC",
        "Link:       https://api.example/v1/feedback/order-1",
        'Others lately:\n  "Far too small"',
        "What to do next: Answer within two days.",
    ):
        assert said in told


@pytest.mark.parametrize(
    ("step", "begins"),
    [(FIRST, "Negative feedback"), (ESCALATION, "Nobody took it on: "), (reminder(1), "Reminder: ")],
)
def test_the_title_says_which_telling_it_is(step, begins):
    assert notice(step=step).title.startswith(begins)


def test_a_critical_alert_says_so_first():
    critical = about_feedback(
        entry(),
        alert={**ALERT, "severity": "critical"},
        advice="x",
        step=FIRST,
        words=(),
        similar=(),
        feedback_url="u/",
    )
    assert critical.title.startswith("Critical: ")


@pytest.mark.parametrize("said", HOSTILE)
def test_no_line_of_the_text_is_the_customers_own(said):
    told = text(notice(said, similar=[said], product_id=said, category=said))
    assert len(told.splitlines()) == len(text(notice("x", similar=["x"], category="x")).splitlines())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2028\u2029]", told)


@pytest.mark.parametrize("said", HOSTILE)
def test_slack_sees_no_mention_and_no_link_but_ours(said):
    message = slack(notice(said, similar=[said], product_id=said))
    markdown = [block["text"]["text"] for block in message["blocks"] if block["text"]["type"] == "mrkdwn"]
    angles = [found for part in (*markdown, message["text"]) for found in re.findall(r"<[^>]*>", part)]
    assert angles == ["<https://api.example/v1/feedback/order-1|Open the feedback>"]


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)


@pytest.mark.parametrize("said", HOSTILE)
def test_teams_sees_no_tag_and_no_link(said):
    card = teams(notice(said, similar=[said]))["attachments"][0]["content"]
    parser = Tags()
    for block in card["body"]:
        parser.feed(block.get("text", ""))
        assert not re.search(r"(?<!\\)\]\(", block.get("text", ""))
    assert parser.found == []


@given(said=st.text(min_size=1, max_size=4000), id_=st.text(min_size=1, max_size=200))
def test_every_form_of_whatever_was_said_keeps_the_destinations_limits(said, id_):
    made = notice(said, similar=[said] * 5, id=id_, product_id=said)
    sent = letter(made, kind=DestinationKind.TOPIC, delivery="d")
    assert 0 < len(sent.subject) < SUBJECT_LIMIT
    assert re.fullmatch(r"[ -~]+", sent.subject)
    assert len(sent.body.encode("utf-8")) < 256 * 1024
    for block in slack(made)["blocks"]:
        assert 0 < len(block["text"]["text"]) <= 3000
        assert not re.search(r"&(?!amp;|lt;|gt;)", block["text"]["text"]) or block["text"]["type"] == "plain_text"
    assert len(json.dumps(teams(made)).encode()) < 28 * 1024
    json.dumps(document(made)).encode()


def test_a_program_gets_json_and_the_deliverys_name():
    sent = letter(notice(), kind=DestinationKind.TOPIC_RAW, delivery="order-1.erp.first")
    assert json.loads(sent.body)["facts"]["Product"] == "P-1"
    assert (sent.attributes["form"], sent.attributes["delivery_id"]) == ("json", "order-1.erp.first")


def test_a_digest_names_subject_number_and_examples():
    told = text(
        about_many(
            "digest-1",
            subject=Subject(kind="product", name="P-1"),
            severity="low",
            team="care",
            alerts=9997,
            advice="Look.",
            examples=[entry("One"), entry("Two")],
        )
    )
    for said in ("9997 more customers are unhappy with product P-1", '"One"', '"Two"', "digest-1", "Look."):
        assert said in told


def test_a_product_alert_shows_its_figures():
    message = ProductMessage(
        id="spike-1",
        scope={"kind": "product", "name": "P-1"},
        figures={"negatives": 12, "expected_share": 0.123456, "since": "2026-03-02T09:00:00Z", "absent": None},
    )
    made = about_product(message, severity="high", team="care", advice="Look.", examples=[])
    assert (made.facts["Negatives"], made.facts["Expected share"]) == ("12", "0.123")
    assert "Absent" not in made.facts


def test_a_long_text_is_cut_at_a_word():
    cut = quote("word " * 400)
    assert len(cut) <= QUOTE_LIMIT
    assert cut.endswith("word…")
