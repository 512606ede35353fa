import pytest

from lambdas.step_input import MissingInputError, required


def test_the_texts_come_in_the_order_in_which_they_are_asked_for():
    assert required({"a": "1", "b": "2", "c": "3"}, "c", "a") == ("3", "1")


@pytest.mark.parametrize("event", [{"a": "1"}, {"a": "1", "b": ""}, {"a": "1", "b": None}, {"a": "1", "b": {}}])
def test_what_is_absent_is_named_in_one_sentence(event):
    with pytest.raises(MissingInputError, match=r"^The input of this step has no b\.$"):
        required(event, "a", "b")
