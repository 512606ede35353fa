import json

import pytest

from lambdas.register.model_card import UnusableModelCardError, model_card

CARD = {
    "model_overview": {"model_creator": "Earshot, run r2"},
    "intended_uses": {"purpose_of_model": "Tells whether a message is négative.", "risk_rating": "Low"},
}


def body_of(document):
    return json.dumps(document, indent=2, ensure_ascii=False).encode()


def test_a_card_is_handed_on_as_one_line_of_plain_characters():
    content = model_card(body_of(CARD), is_reviewed=True)["ModelCardContent"]
    assert json.loads(content) == CARD
    assert content.isascii()
    assert content.isprintable()


@pytest.mark.parametrize(("is_reviewed", "status"), [(True, "PendingReview"), (False, "Draft")])
def test_a_card_waits_for_a_review_where_a_person_approves_models(is_reviewed, status):
    assert model_card(body_of(CARD), is_reviewed=is_reviewed)["ModelCardStatus"] == status


def test_a_card_is_only_as_long_as_the_registry_takes_it():
    def of_length(length):
        empty = len(json.dumps({"model_overview": {"model_creator": ""}}, separators=(",", ":")))
        return body_of({"model_overview": {"model_creator": "x" * (length - empty)}})

    assert len(model_card(of_length(100_000), is_reviewed=True)["ModelCardContent"]) == 100_000
    with pytest.raises(UnusableModelCardError, match="has 100001 characters, and the registry takes at most 100000"):
        model_card(of_length(100_001), is_reviewed=True)


def test_a_part_that_the_registry_does_not_know_is_named():
    with pytest.raises(UnusableModelCardError, match="'model_package_details'"):
        model_card(body_of(CARD | {"model_package_details": {}}), is_reviewed=True)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"model_overview": NaN}', b'"card"', b"[" * 100_000])
def test_what_is_no_card_is_refused(body):
    with pytest.raises(UnusableModelCardError, match=r"^The model card .*\.$"):
        model_card(body, is_reviewed=True)
