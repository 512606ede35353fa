"""A person at the command line: `earshot redrive`, run in the simulated world, and killed there like everything else.

It does not know what there is to bring back.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.simulation.estate import TIMINGS, Estate, function
from benchmarks.simulation.functions import Function
from benchmarks.simulation.installation import Client
from cli.dead_letters import dead_letter_queues
from cli.redrive import Redriven, redrive_queue

_PATIENCE_SECONDS = 3600.0
_POLL_SECONDS = 0.5


class SimulatedConnection:
    """A stage that the commands can be pointed at."""

    stage = "dev"

    def client(self, service: str) -> Any:
        return Client(service, None)

    def output(self, stack: str, key: str) -> str:
        return {"Ledger": "ledger", "Queue": "https://sqs.simulated/queue"}[key]


class _CloudFormation:
    """The resources of the intake stack that commands look for."""

    def __init__(self, estate: Estate) -> None:
        queues = [("FailedEffects" if queue is estate.failures else queue.name, queue.url) for queue in estate.queues]
        self._resources = [("AWS::SQS::Queue", *queue) for queue in queues]
        self._resources += [("AWS::Lambda::Function", name, name) for name in TIMINGS]

    def list_stack_resources(self, call: Mapping[str, Any]) -> dict[str, Any]:
        if not call["StackName"].endswith("-intake"):
            return {"StackResourceSummaries": []}
        return {
            "StackResourceSummaries": [
                {
                    "ResourceType": type_,
                    "LogicalResourceId": logical,
                    "PhysicalResourceId": physical,
                    "ResourceStatus": "CREATE_COMPLETE",
                }
                for type_, logical, physical in self._resources
            ]
        }


class _Lambda:
    """Calls of functions by a person."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def get_function_configuration(self, call: Mapping[str, Any]) -> dict[str, Any]:
        return {"Handler": f"lambdas.{call['FunctionName']}.handler.handle"}

    def invoke(self, call: Mapping[str, Any]) -> dict[str, Any]:
        ended: list[tuple[Any, BaseException | None]] = []
        fleet = self._estate.world.fleet
        waiting = fleet.invocation()
        event = json.loads(call["Payload"])
        fleet.invoke(function(call["FunctionName"]), event, lambda result, error: ended.append((result, error)))
        while not ended:
            waiting.wait(_POLL_SECONDS)
        result, error = ended[0]
        if error is not None:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorType": "Error"}')}
        return {"Payload": io.BytesIO(json.dumps(result).encode())}


def redrive(estate: Estate, done: Callable[[list[Redriven]], None], *, again_after: float) -> None:
    """Run the command until it ends well; whatever ends it otherwise, it is run again."""
    estate.world.add_service("cloudformation", _CloudFormation(estate))
    estate.world.add_service("lambda", _Lambda(estate))
    connection = SimulatedConnection()

    def command(event: object, context: object) -> list[Redriven]:
        return [redrive_queue(connection, queue) for queue in dead_letter_queues(connection)]

    operator = Function(name="operator", handler=command, timeout_seconds=_PATIENCE_SECONDS)

    def ended(result: Any, error: BaseException | None) -> None:
        if error is None:
            done(result)
        else:
            estate.world.turns.after(again_after, begin)

    def begin() -> None:
        estate.world.fleet.invoke(operator, {}, ended)

    begin()
