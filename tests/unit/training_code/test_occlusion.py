from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from training_code.containers.occlusion import MOST_VARIANTS, MOST_WORDS, Variant, explain, variants

LETTERS = {letter: number for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz", start=3)}


def tokenizer() -> Tokenizer:
    """Letters are tokens, so a word is many; [CLS] and [SEP] around."""
    pieces = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, **LETTERS} | {
        f"##{letter}": id_ + 26 for letter, id_ in LETTERS.items()
    }
    made = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    made.enable_truncation(200)
    return made


TOKENIZER = tokenizer()


def of(text: str) -> list[Variant]:
    encoding = TOKENIZER.encode(text)
    return variants(text, encoding.ids, encoding.offsets, encoding.special_tokens_mask)


def test_a_variant_is_the_text_without_one_word() -> None:
    found = of("zips break, colours fade")
    assert [variant.words for variant in found] == ["zips", "break", "colours", "fade"]
    assert found[1].ids == TOKENIZER.encode("zips colours fade").ids


def test_every_occurrence_of_a_word_goes_at_once_whatever_its_case_and_its_marks() -> None:
    found = of('bad thing "Bad" thing (BAD)')
    assert [variant.words for variant in found] == ["bad", "thing"]
    assert found[0].ids == TOKENIZER.encode("thing thing").ids


def test_function_words_and_lone_marks_stay_and_negations_do_not() -> None:
    assert [variant.words for variant in of("it was not the best ... !!! shirt")] == ["not", "best", "shirt"]


def test_a_text_of_one_word_has_no_variant() -> None:
    assert of("bad") == of("bad bad") == []


def test_a_long_text_has_no_more_variants_and_its_neighbours_go_together() -> None:
    words = [f"{first}{second}" for first in "qwx" for second in "bcdfghjklmnpqrstvwxz"]
    found = of(" ".join(words))
    assert len(found) <= MOST_VARIANTS
    assert " ".join(variant.words for variant in found) == " ".join(words)


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=120))
def test_variants_of_any_text_are_shorter_few_and_never_empty(text: str) -> None:
    whole = TOKENIZER.encode(text).ids
    found = of(text)
    assert len(found) <= MOST_VARIANTS
    assert all(2 < len(variant.ids) < len(whole) and variant.words for variant in found)


def test_the_heaviest_words_for_the_decision_are_named_and_none_that_speaks_against_it() -> None:
    words = ["a", "b", "c", "d", "e", "f", "g"]
    named = explain(words, 0.9, [0.2, 0.95, 0.9, 0.5, 0.4, 0.3, 0.25])
    assert [entry["word"] for entry in named] == ["a", "g", "f", "e", "d"]
    assert named[0]["weight"] == 0.7
    assert len(named) == MOST_WORDS
    assert explain([], 0.9, []) == []
