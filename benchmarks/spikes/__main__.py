"""False alarms and delays of the spike detector on simulated shops.

    python -m benchmarks.spikes [--shops 6] [--products 1000] [--days 90] [--feedbacks-per-day 5000] [--json FILE]

For each usual share of negatives (10, 20 and 30 %) so many shops without any trouble give the rate of false alarms, and
as many with troubles in 60 products of all volumes the delays. The default takes a minute and a half of one core.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.spikes.outcome import FEEDBACKS, HOURS, Outcome, TroubleOutcome, run
from benchmarks.spikes.shop import Shop

SHARES = (0.1, 0.2, 0.3)
CLASSES = (("200 and more a day", 200.0), ("50 to 200", 50.0), ("10 to 50", 10.0), ("3 to 10", 3.0), ("below 3", 0.0))
TROUBLES = 60
GOAL_FALSE_ALARMS = 1.0


def measure(shop: Shop, *, shops: int) -> dict[str, Any]:
    """The figures of shops of one kind."""
    calm = [run(replace(shop, troubles=0), seed) for seed in range(shops)]
    troubled = [run(replace(shop, troubles=TROUBLES), 1000 + seed) for seed in range(shops)]
    troubles = [trouble for outcome in troubled for trouble in outcome.troubles]
    noticed = sum(math.isfinite(trouble.feedbacks) for trouble in troubles)
    false_among = sum(outcome.false_alarms for outcome in troubled)
    return {
        "usual_share": shop.share,
        "shop_months_without_trouble": sum(outcome.months for outcome in calm),
        "false_alarms_per_shop_month": _rate(calm),
        "false_alarms_per_shop_month_beside_troubles": _rate(troubled),
        "false_discoveries": false_among / max(1, false_among + noticed),
        "alarms_in_the_first_month_of_a_shop": sum(outcome.alarms_while_new for outcome in calm) / shops,
        "troubles": len(troubles),
        "told_more_than_once": sum(outcome.alarms_twice for outcome in troubled),
        "classes": [_of_class(name, members) for name, members in _by_class(troubles)],
    }


def _rate(outcomes: Sequence[Outcome]) -> float:
    return sum(outcome.false_alarms for outcome in outcomes) / sum(outcome.months for outcome in outcomes)


def _by_class(troubles: Sequence[TroubleOutcome]) -> list[tuple[str, list[TroubleOutcome]]]:
    found = []
    highest = math.inf
    for name, lowest in CLASSES:
        members = [trouble for trouble in troubles if lowest <= trouble.per_day < highest]
        highest = lowest
        if members:
            found.append((name, members))
    return found


def _of_class(name: str, troubles: Sequence[TroubleOutcome]) -> dict[str, Any]:
    possible = [trouble for trouble in troubles if trouble.possible]
    return {
        "class": name,
        "troubles": len(troubles),
        "noticed": _share(math.isfinite(trouble.feedbacks) for trouble in troubles),
        "hours": _quantiles([trouble.hours for trouble in troubles]),
        "feedbacks": _quantiles([trouble.feedbacks for trouble in troubles]),
        "least_feedbacks": _quantiles([trouble.least_feedbacks for trouble in troubles])[1],
        "in_time": _share(trouble.in_time for trouble in troubles),
        "possible": len(possible),
        "in_time_of_possible": _share(trouble.in_time for trouble in possible),
    }


def _share(claims: Any) -> float | None:
    listed = list(claims)
    return sum(listed) / len(listed) if listed else None


def _quantiles(values: Sequence[float]) -> list[float | None]:
    """10 %, median and 90 %; None where that many were not noticed."""
    ranked = sorted(values)
    chosen = [ranked[min(int(q * len(ranked)), len(ranked) - 1)] for q in (0.1, 0.5, 0.9)]
    return [value if math.isfinite(value) else None for value in chosen]


def report(figures: dict[str, Any]) -> list[str]:
    """The figures as lines."""
    rate, beside = figures["false_alarms_per_shop_month"], figures["false_alarms_per_shop_month_beside_troubles"]
    quiet_months = figures["shop_months_without_trouble"]
    heads = ("troubles", "noticed", "hours (10/50/90 %)", "feedbacks (10/50/90 %)", "least", "in time", "possible")
    widths = (9, 9, 22, 24, 7, 9, 10, 10)
    rows = [
        (
            each["troubles"],
            _percent(each["noticed"]),
            _three(each["hours"]),
            _three(each["feedbacks"]),
            f"{each['least_feedbacks']:.0f}",
            _percent(each["in_time"]),
            each["possible"],
            _percent(each["in_time_of_possible"]),
        )
        for each in figures["classes"]
    ]
    names = ("feedback", *(each["class"] for each in figures["classes"]))
    table = [
        f"  {name:<20}" + "".join(f"{value:>{width}}" for value, width in zip(row, widths, strict=True))
        for name, row in zip(names, [(*heads, "of these"), *rows], strict=True)
    ]
    return [
        f"usual share {figures['usual_share']:.0%}",
        f"  false alarms per shop-month {rate:.2f} (goal {GOAL_FALSE_ALARMS:.0f}) in {quiet_months:.0f} calm ones",
        f"  false alarms per shop-month beside troubles {beside:.2f}, {figures['false_discoveries']:.0%} of all told",
        f"  alarms in a shop's first month {figures['alarms_in_the_first_month_of_a_shop']:.1f}",
        f"  {figures['troubles']} tripled shares, {figures['told_more_than_once']} told more than once",
        *table,
    ]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _three(values: Sequence[float | None]) -> str:
    return " / ".join("-" if value is None else f"{value:.0f}" if value >= 10 else f"{value:.1f}" for value in values)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="benchmarks.spikes", description=__doc__.partition("\n")[0])
    parser.add_argument("--shops", type=int, default=6)
    parser.add_argument("--products", type=int, default=1000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--feedbacks-per-day", type=float, default=5000.0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    shop = Shop(products=arguments.products, days=arguments.days, feedbacks_per_day=arguments.feedbacks_per_day)
    print(
        f"{arguments.shops} shops of each kind: {shop.products} products, {shop.feedbacks_per_day:.0f} feedbacks "
        f"a day, {shop.warm_up_days} + {shop.days} days, a look every 15 minutes.\n"
        f"In time: within {FEEDBACKS} feedbacks or {HOURS:.0f} hours. Least: feedbacks that any detector as quiet "
        "needs in the mean. Possible: troubles with which that can be in time.",
        flush=True,
    )
    found = []
    for share in SHARES:
        found.append(measure(replace(shop, share=share), shops=arguments.shops))
        print("\n".join(report(found[-1])), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps({"shop": asdict(shop), "figures": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
