import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.aws.attributes import from_attribute, from_item, to_attribute, to_item

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=8),
    st.integers(-(10**18), 10**18),
    st.floats(-1e60, 1e60).filter(lambda number: number == 0 or abs(number) > 1e-100),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_a_value_is_stored_and_read_back_unchanged(value):
    assert from_attribute(to_attribute(value)) == value


@settings(max_examples=50, deadline=None)
@given(SCALARS)
def test_boto3_reads_what_is_stored_as_the_same_value(value):
    read = TypeDeserializer().deserialize(to_attribute(value))
    assert (float(read) if isinstance(value, float) else read) == value


def test_a_number_that_dynamodb_would_refuse_is_zero():
    assert to_attribute(1e-200) == {"N": "0"}


def test_a_stream_image_is_read():
    image = {
        "id": {"S": "a"},
        "share": {"N": "0.25"},
        "stars": {"N": "5"},
        "event": {"M": {"tags": {"L": [{"NULL": True}]}}},
    }
    assert from_item(image) == {"id": "a", "share": 0.25, "stars": 5, "event": {"tags": [None]}}
    assert to_item(from_item(image)) == image


def test_types_that_are_never_written_are_refused():
    with pytest.raises(TypeError):
        from_attribute({"B": b"x"})
    with pytest.raises(TypeError):
        to_attribute(b"x")
