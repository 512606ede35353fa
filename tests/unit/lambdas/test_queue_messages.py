import json

import pytest

from lambdas.aws.queue import UnreadableMessageError, read_message, write_message


def test_a_message_carries_the_id_and_nothing_that_was_said():
    assert json.loads(write_message("shop:42")) == {"version": 1, "feedback_id": "shop:42"}
    assert read_message(write_message("shop:42")) == "shop:42"


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"feedback_id": 7}', '{"feedback_id": ""}', "[" * 100_000])
def test_a_message_without_an_id_is_unreadable(body):
    with pytest.raises(UnreadableMessageError):
        read_message(body)
