"""When an alarm changes its state: by its own dimensions, periods and data points, missing data and metric math.

ministack looks at a metric's name alone, and only when someone puts metrics. Pure decisions, and a thread that asks
for them regularly; where data points come from and what an alarm does is ministack's. Metrics that no local service
emits have no data: ``inert`` says which there are.
"""

import ast
import logging
import operator
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from local.aws import seams
from local.environment import ACCOUNT, REGION

log = logging.getLogger("local.alarms")

_TICK_SECONDS = 10.0

# (metric, period in seconds, statistic, start, end) -> value, or None where there is no data
Statistic = Callable[[Mapping[str, Any], int, str, float, float], float | None]

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Gt: lambda left, right: float(left > right),
    ast.GtE: lambda left, right: float(left >= right),
    ast.Lt: lambda left, right: float(left < right),
    ast.LtE: lambda left, right: float(left <= right),
}


class ExpressionError(ValueError):
    """Metric math beyond arithmetic, comparisons, IF and FILL."""


def register() -> None:
    """Decide for every alarm here, regularly and whenever ministack asks."""
    seams.replace_alarm_evaluation(lambda alarm, statistic: decide(alarm, statistic, time.time()))
    threading.Thread(target=_tick, name="alarms", daemon=True).start()


def states(names: Collection[str]) -> Mapping[str, str]:
    """The states of those alarms that exist, with every data point until now; from any thread."""
    with seams.request_scope(ACCOUNT, REGION):
        return seams.alarm_states(names)


def _tick() -> None:
    while True:
        time.sleep(_TICK_SECONDS)
        try:
            seams.evaluate_alarms()
        except Exception:
            # An alarm that was deleted meanwhile must not end the watch over the others.
            log.exception("alarms could not be evaluated this time")


def decide(alarm: Mapping[str, Any], statistic: Statistic, now: float) -> tuple[str, str] | None:
    """The state that the alarm is in now and why; None where it stays as it is."""
    compare = _COMPARISONS.get(str(alarm.get("ComparisonOperator")))
    if compare is None:
        return None
    periods = int(alarm["EvaluationPeriods"])
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    try:
        values = [_value(alarm, statistic, now, back) for back in range(periods)]
    except ExpressionError as problem:
        return "INSUFFICIENT_DATA", str(problem)
    present = [value for value in values if value is not None]
    treatment = alarm.get("TreatMissingData") or "missing"
    if not present and treatment in ("missing", "ignore"):
        return None if treatment == "ignore" else ("INSUFFICIENT_DATA", "Insufficient Data: no data points")
    threshold = float(alarm["Threshold"])
    breaching = sum(compare(value, threshold) for value in present)
    if treatment == "breaching":
        breaching += periods - len(present)
    crossed = f"{breaching} out of the last {periods} data points {present} crossed the threshold ({threshold})"
    if breaching >= needed:
        return "ALARM", f"Threshold Crossed: {crossed}"
    return "OK", f"Threshold Crossed: only {crossed}, at least {needed} are needed"


def _value(alarm: Mapping[str, Any], statistic: Statistic, now: float, back: int) -> float | None:
    """The alarm's value ``back`` periods ago; the periods slide with the clock."""
    if not alarm.get("Metrics"):
        name = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        return _metric(alarm, int(alarm.get("Period") or 60), str(name), statistic, now, back)
    values: dict[str, float | None] = {}
    expressions = []
    for query in alarm["Metrics"]:
        if "Expression" in query:
            expressions.append(query)
        else:
            stat = query["MetricStat"]
            values[query["Id"]] = _metric(stat["Metric"], int(stat["Period"]), stat["Stat"], statistic, now, back)
    for query in expressions:
        values[query["Id"]] = evaluate(query["Expression"], values)
    returned = [query["Id"] for query in alarm["Metrics"] if query.get("ReturnData", True)]
    return values[returned[0]] if returned else None


def _metric(
    metric: Mapping[str, Any], period: int, name: str, statistic: Statistic, now: float, back: int
) -> float | None:
    return statistic(metric, period, name, now - (back + 1) * period, now - back * period)


def evaluate(expression: str, values: Mapping[str, float | None]) -> float | None:
    """Metric math on one value for each id; None where an operand is missing or a divisor is zero."""
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except SyntaxError:
        raise ExpressionError(f"{expression!r} is not an expression that the local AWS understands") from None
    try:
        return _evaluate(tree, values)
    except ZeroDivisionError:
        return None


def _evaluate(node: ast.AST, values: Mapping[str, float | None]) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _evaluate(operand, values)
            return None if value is None else -value
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _both(op, _evaluate(left, values), _evaluate(right, values))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
            return _both(op, _evaluate(left, values), _evaluate(right, values))
        case ast.Call(func=ast.Name(id="FILL"), args=[wanted, otherwise]):
            value = _evaluate(wanted, values)
            return _evaluate(otherwise, values) if value is None else value
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise]):
            held = _evaluate(condition, values)
            return None if held is None else _evaluate(then if held else otherwise, values)
    raise ExpressionError(f"{ast.unparse(node)!r} is not an expression that the local AWS understands")


def _both(op: ast.AST, left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else _OPERATORS[type(op)](left, right)
