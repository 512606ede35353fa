"""Dollars for a million feedbacks, everything included, and what dominates: from the templates and counted units.

    .venv/bin/python -m benchmarks.cost_per_million [--template cdk.out] [--per-month 10] [--batch 100] [--json]

Memory and architecture of the functions and all that is billed by the month come from the synthesised prod templates
(`make synth`), units from running the functions (`benchmarks.cost.usage`), prices from `cli/prices.py`.
Fixed costs are spread over ``--per-month`` million. The free tier is left out. Goal: below 3 dollars at volume.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cost.usage import CALL_SECONDS, Usage, count
from benchmarks.report import Value, arguments, finish, show
from cli.prices import price_table, stage_cost, template_resources
from feedback.ledger import RETENTION
from stacks.settings import PROD

GOAL_DOLLARS = 3.0
_GIB = 1024.0**3
_TRACED_SHARE = 0.05
"""X-Ray's default rule, beyond the first request of a second."""
_ACCESS_LOG_BYTES = 600
_CALLS_OF_KEYS = 12 * 730
"""A month of one queue, topic or table: each asks for a data key every five minutes."""
_KEYED = ("AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::DynamoDB::Table")
_WRITES, _LEDGER = "DynamoDB written units", "ledger bytes, for 400 days"
_PROVISIONED_BUSY = 0.7
_SHORT_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the bill, per million feedbacks. ``is_fixed``: billed by the month, however much comes in."""

    what: str
    units: float
    dollars: float
    is_fixed: bool = False


def bill(
    usage: Usage,
    memory_mib: Mapping[str, int],
    *,
    texts_per_second: float,
    busy: float,
    monthly: float,
    millions: float,
) -> list[Line]:
    """The lines, dearest first. ``monthly`` is what runs in any case, without the endpoint."""
    prices = price_table()
    return sorted(
        [
            *_per_call(usage, prices["million"]),
            *_functions(usage, memory_mib, prices),
            *_storage(usage, prices),
            _endpoint(texts_per_second, busy, prices["instance_hour"][PROD.endpoint.instance_type]),
            Line(what="by the month: keys, firewall, alarms, ...", units=1, dollars=monthly / millions, is_fixed=True),
        ],
        key=lambda line: -line.dollars,
    )


def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("--template", type=Path, default=Path("cdk.out"), help="the cloud assembly of `make synth`")
    parser.add_argument("--per-month", type=float, default=10.0, help="millions of feedbacks a month")
    parser.add_argument("--feedbacks", type=int, default=500, help="how many are run to count units")
    parser.add_argument("--batch", type=int, default=100, help="feedbacks in one request of the bulk sender")
    parser.add_argument("--texts-per-second", type=float, default=307.0, help="of one instance, by benchmarks.serving")
    parser.add_argument("--busy", type=float, default=0.5, help="share of its time that the endpoint is used")
    options = parser.parse_args()
    memory = functions_memory(options.template)
    if not memory:
        print(f"There are no prod templates in {options.template}: run `make synth` first.", file=sys.stderr)
        return 2
    resources = template_resources(options.template, "prod")
    fixed = stage_cost(PROD, resources)
    keyed = _CALLS_OF_KEYS * sum(resources.get(kind, 0) for kind in _KEYED)
    monthly = keyed * price_table()["million"]["kms_request"] / 1e6 + 730 * sum(
        item.per_hour for item in fixed.idle if PROD.endpoint.instance_type not in item.what
    )
    result: dict[str, object] = {"as_of": fixed.as_of}
    for what, batch in (("one feedback a request", 1), (f"{options.batch} feedbacks a request", options.batch)):
        usage = count(feedbacks=options.feedbacks, batch=batch, text_seconds=1.0 / options.texts_per_second)
        lines = bill(
            usage,
            memory,
            texts_per_second=options.texts_per_second,
            busy=options.busy,
            monthly=monthly,
            millions=options.per_month,
        )
        result[what] = _shown(what, lines, options.per_month, fixed.as_of)
    assumed = ", ".join(f"{service} {seconds * 1000:.0f} ms" for service, seconds in CALL_SECONDS.items())
    print(f"Assumed for the time of functions: {assumed}; the rest is counted. Goal: below {GOAL_DOLLARS:.0f} dollars.")
    finish(options.json, result)
    return 0


def functions_memory(assembly: Path) -> dict[str, int]:
    """MiB of each of our functions in the prod templates, by package; empty before a synth."""
    found: dict[str, int] = {}
    for template in sorted(assembly.glob("assembly-prod/*.template.json")):
        for resource in json.loads(template.read_text(encoding="utf-8"))["Resources"].values():
            handler = resource.get("Properties", {}).get("Handler", "")
            if resource["Type"] == "AWS::Lambda::Function" and str(handler).startswith("lambdas."):
                found[handler.removeprefix("lambdas.").removesuffix(".handler.handle")] = int(
                    resource["Properties"]["MemorySize"]
                )
    return found


def _shown(what: str, lines: list[Line], millions: float, as_of: str) -> dict[str, float]:
    total = sum(line.dollars for line in lines)
    dominant = ", ".join(f"{line.what} {line.dollars / total:.0%}" for line in lines[:3])
    rows: list[dict[str, Value]] = [
        {"what": line.what, "units a feedback": line.units, "dollars": line.dollars} for line in lines
    ]
    show(
        f"dollars per million, {what}, {millions:g} million a month, list prices of {as_of}",
        [*rows, {"what": "in all", "units a feedback": 0.0, "dollars": total}],
        note=f"Dominated by {dominant}.",
    )
    variable = sum(line.dollars for line in lines if not line.is_fixed)
    print(f"{what}: {total:.2f} dollars, {variable:.2f} without what is billed by the month.")
    cheap = variable - sum(line.dollars * (1 - _cheaper(line.what)) for line in lines)
    print(f"    {cheap:.2f} with write capacity that is bought ahead, 70 % used, and {_SHORT_DAYS} days of ledger.")
    return {"dollars": total, "variable": variable, "with_bought_capacity_and_a_short_ledger": cheap}


def _cheaper(what: str) -> float:
    """What is left of a line's price where capacity is bought ahead and the ledger forgets sooner."""
    if what == _LEDGER:
        return _SHORT_DAYS / RETENTION.days
    if what != _WRITES:
        return 1.0
    prices = price_table()
    written_a_month = 730 * 3600 * _PROVISIONED_BUSY / 1e6
    bought: float = prices["month"]["write_capacity_unit"] / written_a_month
    return bought / float(prices["million"]["dynamodb_write_unit"])


def _per_call(usage: Usage, million: Mapping[str, float]) -> Iterator[Line]:
    def each(what: str, units: float, price: str) -> Line:
        share = units / usage.feedbacks
        return Line(what=what, units=share, dollars=share * million[price])

    yield each("API Gateway requests", usage.requests, "api_gateway_request")
    yield each("firewall requests", usage.requests, "web_acl_request")
    yield each("Lambda calls", sum(use.invocations for use in usage.functions.values()), "lambda_request")
    yield each("traces", _TRACED_SHARE * sum(use.invocations for use in usage.functions.values()), "trace")
    yield each(_WRITES, usage.write_units, "dynamodb_write_unit")
    yield each("DynamoDB read units", usage.read_units, "dynamodb_read_unit")
    sqs = sum(number for (service, _), number in usage.calls.items() if service == "sqs")
    polled = sum(use.invocations for name, use in usage.functions.items() if name in ("router", "notify"))
    yield each("SQS requests", sqs + 2 * polled, "sqs_request")  # a receive and a delete for each batch
    yield each("SNS messages", usage.calls.get(("sns", "publish"), 0), "sns_publish")
    yield each("events", usage.calls.get(("events", "put_events"), 0), "eventbridge_event")
    yield each("S3 puts", usage.calls.get(("s3", "put_object"), 0), "s3_put")


def _functions(
    usage: Usage, memory_mib: Mapping[str, int], prices: Mapping[str, Mapping[str, float]]
) -> Iterator[Line]:
    for name, use in usage.functions.items():
        milliseconds = use.milliseconds / usage.feedbacks
        gib_seconds = milliseconds * 1e-3 * 1e6 * memory_mib[name] / 1024
        yield Line(
            what=f"Lambda {name}, ms at {memory_mib[name]} MiB",
            units=milliseconds,
            dollars=gib_seconds * prices["gib_second"]["lambda_arm"],
        )


def _storage(usage: Usage, prices: Mapping[str, Mapping[str, float]]) -> Iterator[Line]:
    logged = (usage.printed_bytes + usage.requests * _ACCESS_LOG_BYTES) / usage.feedbacks
    yield Line(what="log bytes", units=logged, dollars=logged * 1e6 / _GIB * prices["gib"]["log_ingestion"])
    kept = usage.ledger_bytes / usage.feedbacks
    months = RETENTION.days / 30.4
    yield Line(
        what=_LEDGER,
        units=kept,
        dollars=kept * 1e6 / _GIB * months * (prices["gib_month"]["dynamodb"] + prices["gib_month"]["dynamodb_backup"]),
    )
    lake = usage.lake_bytes / usage.feedbacks
    yield Line(what="lake bytes, for a year", units=lake, dollars=lake * 1e6 / _GIB * 12 * prices["gib_month"]["s3"])


def _endpoint(texts_per_second: float, busy: float, per_hour: float) -> Line:
    hours = 1e6 / (texts_per_second * busy) / 3600
    return Line(what=f"endpoint, {PROD.endpoint.instance_type} hours", units=hours / 1e6, dollars=hours * per_hour)


if __name__ == "__main__":
    sys.exit(main())
