"""What a person sees of a release while it goes on: the new fleet, its share of the traffic, the canary's figures.

Responsible for turning what SageMaker and the release state machine tell into lines, each shown once. It does not wait
and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cli.connection import Connection

Say = Callable[[str], None]

# The states of the release state machine that put out what the canary function answered.
COMPARING_STATES = frozenset({"Canary", "LastLook"})

_SHARES = (
    ("disagreement", "disagree"),
    ("negative_shift", "negatives moved"),
    ("unsure_shift", "unsure moved"),
    ("accuracy_drop", "less often right"),
    ("unexpected", "unlike its evaluation"),
)


class ReleaseProgress:
    """One release that is followed."""

    def __init__(self, connection: Connection, say: Say) -> None:
        self._sagemaker = connection.client("sagemaker")
        self._endpoint = connection.output("endpoint", "EndpointName")
        self._say = say
        self._shown: set[str] = set()
        self.canary: dict[str, Any] | None = None

    def watch(self) -> None:
        """Look at the endpoint, and tell what is new."""
        line = endpoint_line(self._sagemaker.describe_endpoint(EndpointName=self._endpoint))
        if line is not None:
            self._once(line)

    def left(self, state: str, output: dict[str, Any]) -> None:
        """Tell what the canary found out in this state of the state machine."""
        if state in COMPARING_STATES and "verdict" in output:
            self.canary = output
            if (line := canary_line(output)) is not None:
                self._once(line)

    def _once(self, line: str) -> None:
        if line not in self._shown:
            self._shown.add(line)
            self._say(line)


def endpoint_line(described: dict[str, Any]) -> str | None:
    """What happens to the endpoint at the moment; None where nothing does."""
    status = described["EndpointStatus"]
    if status == "RollingBack":
        return "endpoint: rolling back, the served model answers everything again"
    pending = described.get("PendingDeploymentSummary")
    if status != "Updating" or pending is None:
        return None
    says = [
        (each.get("StatusMessage") or each["Status"]).rstrip(".")
        for variant in pending.get("ProductionVariants", [])
        for each in variant.get("VariantStatus", [])
    ]
    return f"endpoint: {'; '.join(dict.fromkeys(says)) or 'the new model starts'}"


def canary_line(output: dict[str, Any]) -> str | None:
    """The canary's figures in one line; None as long as the new model has not answered."""
    figures = output.get("figures", {})
    if output["verdict"] == "BAD":
        return f"canary: {output['reason']}"
    if not figures.get("texts"):
        return None
    shares = [f"{words} {figures[name]:.0%}" for name, words in _SHARES if figures.get(name) is not None]
    proven = f", surely at least: {', '.join(shares)}" if shares else ""
    return f"canary: {figures['texts']} texts, {figures['probes']} of them labelled{proven}"
