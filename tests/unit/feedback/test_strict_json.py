import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.strict_json import BrokenJsonError, parse


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a":1,}',
        "[1,2",
        "NaN",
        '{"a":Infinity}',
        "-Infinity",
        "1e999",
        "9" * 5000,
        '{"a":1,"a":2}',
        '{"x":{"a":1,"a":1}}',
        "[" * 100_000,
        '{"a":' * 5_000 + "1" + "}" * 5_000,
        "\ufeff{}",
        "'a'",
        "{}{}",
    ],
    ids=lambda text: text[:12] or "empty",
)
def test_what_json_does_not_allow_is_refused_in_one_sentence(text):
    with pytest.raises(BrokenJsonError) as raised:
        parse(text)
    assert len(str(raised.value)) < 120


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**15), 10**15)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_every_json_value_is_read_as_the_standard_reader_does(value):
    assert parse(json.dumps(value)) == value


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(BrokenJsonError):
        parse(text)
