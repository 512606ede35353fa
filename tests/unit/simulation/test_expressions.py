"""The simulated table language, held against moto's where both answer, and stricter where DynamoDB is."""

import pytest
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models.dynamo_type import Item as MotoItem

from benchmarks.simulation.expressions import Expression, ExpressionError, holds, unused, updated

ITEM = {
    "feedback_id": {"S": "f-1"},
    "state": {"S": "RECEIVED"},
    "count": {"N": "3"},
    "alert": {"M": {"state": {"S": "CLAIMED"}, "lease_until": {"S": "2026-03-01"}}},
    "tags": {"L": [{"S": "a"}, {"S": "b"}]},
}
NAMES = {"#state": "state", "#owner": "owner"}
VALUES = {
    ":received": {"S": "RECEIVED"},
    ":two": {"N": "2"},
    ":f": {"S": "f-"},
    ":b": {"S": "b"},
    ":day": {"S": "2026"},
}
CONDITIONS = [
    "attribute_exists(feedback_id) AND #state = :received",
    "attribute_not_exists(alert) OR (alert.#state <> :received AND alert.lease_until > :day)",
    "NOT #state = :received OR size(tags) >= :two",
    "begins_with(feedback_id, :f) AND contains(tags, :b)",
    "#state IN (:b, :received)",
    "absent = :b",
    "absent <> :b OR #state <> :received",
    "attribute_exists(alert.#owner) AND #state = :received",
]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions_hold_where_motos_do(condition):
    theirs = get_filter_expression(condition, dict(NAMES), dict(VALUES))
    item = MotoItem(hash_key=None, range_key=None, attrs=ITEM)
    assert holds(Expression(condition, NAMES, VALUES), ITEM) == bool(theirs.expr(item))


def test_numbers_compare_by_size_and_not_as_text():
    assert holds(Expression("count BETWEEN :two AND :ten", {}, {":two": {"N": "2"}, ":ten": {"N": "10"}}), ITEM)


def test_an_update_reads_the_item_as_it_was():
    new = updated(
        Expression(
            "SET #count = #count + :one, #before = #count, log = list_append(if_not_exists(log, :none), :more)"
            " REMOVE alert.lease_until ADD seen :one",
            {"#count": "count", "#before": "before"},
            {":one": {"N": "1"}, ":none": {"L": []}, ":more": {"L": [{"S": "x"}]}},
        ),
        ITEM,
    )
    assert (new["count"], new["before"], new["seen"]) == ({"N": "4"}, {"N": "3"}, {"N": "1"})
    assert new["log"] == {"L": [{"S": "x"}]}
    assert new["alert"] == {"M": {"state": {"S": "CLAIMED"}}}
    assert ITEM["count"] == {"N": "3"}


@pytest.mark.parametrize(
    "update",
    [
        "SET a = absent + :one",
        "SET nowhere.inside = :one",
        "SET a = :other",
        "SET #x = :one",
        "GIVE a = :one",
        "SET a :one",
    ],
)
def test_what_dynamodb_refuses_is_refused(update):
    with pytest.raises(ExpressionError):
        updated(Expression(update, {}, {":one": {"N": "1"}}), ITEM)


def test_a_value_that_is_not_used_is_found():
    expression = Expression("#state = :received", NAMES, VALUES)
    holds(expression, ITEM)
    assert unused([expression], NAMES, VALUES) == {"#owner", ":two", ":f", ":b", ":day"}
