"""`explanations.json` and `explanations.html`: the words that carried answers, text by text and in general.

Knows nothing of how attributions are made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from markupsafe import Markup, escape

from feedback.sentiment import CLASSES, LABELS
from training_code.explanations.attributions import Attribution
from training_code.explanations.importance import LEAST_TEXTS, importance
from training_code.explanations.sample import MOST_WORDS
from training_code.reports import charts
from training_code.reports.page import Section, figure, note, page, paragraph, table

WORDS_PER_CLASS: Final = 30
WORDS_IN_FIGURES: Final = 12
TEXTS_SHOWN_PER_CLASS: Final = 4
_TOWARDS, _AWAY = "42, 127, 184", "209, 105, 14"
_FAINTEST = 0.04
"""Below this share of the strongest word's part, a word is left plain."""

Document = Mapping[str, Any]


def document(explained: Sequence[Attribution], *, drawn: int, seed: int) -> dict[str, Any]:
    """What `explanations.json` says."""
    return {
        "method": "SHAP, partition explainer over words",
        "seed": seed,
        "texts_drawn": drawn,
        "texts_explained": len(explained),
        "largest_gap": max((attribution.gap for attribution in explained), default=0.0),
        "importance": {
            label: [asdict(word) for word in importance(explained, class_index=index, most=WORDS_PER_CLASS)]
            for index, label in enumerate(LABELS)
        },
        "texts": [_text(attribution) for attribution in explained],
    }


def page_of(found: Document) -> str:
    """The page as HTML."""
    explained = found["texts_explained"]
    return page(
        "Why the model answers as it does",
        summary=_summary(found),
        sections=[
            *(_class(found, label) for label in LABELS),
            *(_examples(found, label) for label in LABELS),
            Section(
                title="How this was measured",
                parts=[
                    paragraph(
                        f"{explained} of {found['texts_drawn']} test texts that were drawn, as many of each class, "
                        f"were explained; texts of more than {MOST_WORDS} words were not drawn. The model that is "
                        "packed for serving was asked about each text with words taken away, in halves, quarters "
                        "and so on, and each word is credited with what it adds to the probability of a class "
                        "(SHAP values, partition explainer)."
                    ),
                    paragraph(
                        "The credits of all words and the answer to no words add up to the answer to the whole text: "
                        f"the largest gap is {found['largest_gap']:.1g}."
                    ),
                    note(
                        "A word's credit says what the model does with it, not what the customer meant, and a text "
                        "with words taken away is no text that anybody wrote."
                    ),
                ],
            ),
        ],
    )


def _text(attribution: Attribution) -> dict[str, Any]:
    return {
        "text_id": attribution.text_id,
        "truth": LABELS[attribution.truth],
        "answer": LABELS[attribution.answer],
        "probabilities": dict(zip(LABELS, attribution.probabilities.tolist(), strict=True)),
        "without_words": dict(zip(LABELS, attribution.base.tolist(), strict=True)),
        "words": [
            {"word": word, **dict(zip(LABELS, values, strict=True))}
            for word, values in zip(attribution.words, attribution.values.tolist(), strict=True)
        ],
    }


def _summary(found: Document) -> str:
    parts = []
    for sentiment in CLASSES:
        words = [word["word"] for word in found["importance"][sentiment.label] if word["weight"] > 0][:4]
        if words:
            parts.append(f"towards {sentiment.label}: {', '.join(words)}")
    if not parts:
        return "Too few texts were explained to say which words matter in general."
    return f"The words that move the model most in {found['texts_explained']} texts, " + "; ".join(parts) + "."


def _class(found: Document, label: str) -> Section:
    words = found["importance"][label]
    if not words:
        return Section(title=f"Words and {label}", parts=[paragraph(f"No word stands in {LEAST_TEXTS} texts.")])
    shown = words[:WORDS_IN_FIGURES]
    return Section(
        title=f"Words and {label}",
        parts=[
            figure(
                charts.bars(
                    [word["word"] for word in shown],
                    [100 * word["weight"] for word in shown],
                    title=f"What words add to “{label}”",
                    unit=" points",
                ),
                caption="Percentage points that a word adds to the probability, on average over all explained texts; "
                "below 0 it takes away.",
                alt=f"The weightiest words for {label}",
            ),
            table(
                ["Word", "Points over all texts", "Points where it stands", "Texts"],
                [
                    [word["word"], f"{100 * word['weight']:+.2f}", f"{100 * word['mean']:+.1f}", word["texts"]]
                    for word in words
                ],
            ),
        ],
    )


def _examples(found: Document, label: str) -> Section:
    texts = [text for text in found["texts"] if text["truth"] == label]
    # Where the model was wrong there is most to learn: up to half of what is shown.
    wrong = [text for text in texts if text["answer"] != label][: TEXTS_SHOWN_PER_CLASS // 2]
    right = [text for text in texts if text["answer"] == label][: TEXTS_SHOWN_PER_CLASS - len(wrong)]
    parts = [
        paragraph(
            "Blue words moved the model towards its answer, orange ones away from it; the stronger the colour, the "
            "farther."
        )
    ]
    parts += [_highlighted(text) for text in [*right, *wrong]]
    return Section(title=f"Texts labelled {label}", parts=parts)


def _highlighted(text: Document) -> Markup:
    answer = text["answer"]
    strongest = max((abs(word[answer]) for word in text["words"]), default=0.0) or 1.0
    words = Markup(" ").join(_word(word["word"], word[answer], strongest) for word in text["words"])
    verdict = "rightly answered" if answer == text["truth"] else "wrongly answered"
    share = f"{100 * text['probabilities'][answer]:.0f} %"
    return Markup(
        '<figure style="margin:1em 0"><blockquote style="margin:0;line-height:1.9">{}</blockquote>'
        '<figcaption style="font-size:.85em;opacity:.75">{} {}, {}</figcaption></figure>'
    ).format(words, verdict, answer, share)


def _word(word: str, value: float, strongest: float) -> Markup:
    share = min(abs(value) / strongest, 1.0)
    if share < _FAINTEST:
        return escape(word)
    color = _TOWARDS if value > 0 else _AWAY
    return Markup(
        '<span style="background:rgba({},{});border-radius:.2em;padding:.1em .15em" title="{} points">{}</span>'
    ).format(color, f"{0.65 * share:.2f}", f"{100 * value:+.1f}", word)
