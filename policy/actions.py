"""What is known of IAM actions: which of them can be limited to a resource.

The list beside this file holds, by service, the actions that take no resource, from AWS's service authorization
reference (as cfn-lint 1.58.0 carries it, MIT-0). Of a service that it does not name, nothing is known.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

UNSCOPED = Path(__file__).with_name("unscoped_actions.json")
# They take a resource, but one that is not known before the service makes it, or only where the call names one (a
# terminology); AWS's documentation grants them on `*`.
GRANTED_ON_EVERYTHING = frozenset(("cloudwatch:putmetricdata", "translate:translatetext")) | frozenset(
    f"ec2:{action}"
    for action in (
        "assignprivateipaddresses", "attachnetworkinterface", "createnetworkinterface",
        "createnetworkinterfacepermission", "deletenetworkinterface", "deletenetworkinterfacepermission",
        "detachnetworkinterface", "unassignprivateipaddresses",
    )
)  # fmt: skip


@cache
def _unscoped() -> dict[str, frozenset[str]]:
    read: dict[str, list[str]] = json.loads(UNSCOPED.read_text(encoding="utf-8"))
    return {service: frozenset(actions) for service, actions in read.items()}


def takes_resource(action: str) -> bool:
    """The action can be limited to resources, so that `*` gives more than is needed. No for what is not known."""
    service, _, name = action.lower().partition(":")
    if service not in _unscoped() or f"{service}:{name}" in GRANTED_ON_EVERYTHING:
        return False
    if "*" in name or "?" in name:
        # Reading lists and descriptions mostly takes none; all other wildcards hold actions that take one.
        return not name.startswith(("describe", "list"))
    return name not in _unscoped()[service]
