"""Makes the functions of one stack: what they share is given once, what each of them is at every call.

Knows what the functions of a stack have in common: bundle, key, log retention, alarms, network, and where calls go that
failed for good. Does not know what a function does.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy, Stack
from constructs import Construct

from stacks.constructs.data_key import DataKey
from stacks.constructs.handler_function import HandlerFunction
from stacks.constructs.operations import Operations
from stacks.constructs.private_network import NetworkSegment, PrivateNetwork
from stacks.constructs.role import Statement
from stacks.constructs.work_queue import DeadLetters
from stacks.settings import PlatformSettings


class Functions:
    def __init__(
        self,
        scope: Construct,
        *,
        bundle: Path,
        platform: PlatformSettings,
        key: DataKey,
        failures: DeadLetters,
        network: NetworkSegment | None,
        operations: Operations,
    ) -> None:
        self._scope = scope
        self._bundle = bundle
        self._platform = platform
        self._key = key
        self.failures = failures
        self._network = network
        self.operations = operations

    @classmethod
    def of_stack(
        cls,
        stack: Stack,
        *,
        bundle: Path,
        platform: PlatformSettings,
        disposable: bool,
        failures: DeadLetters,
        network: PrivateNetwork | None,
        position: int,
        operations: Operations,
    ) -> "Functions":
        """Those of a stack that holds functions and nothing of its own to keep: with a key for their logs, and in a
        private network with a segment at ``position``."""
        key = DataKey(
            stack,
            "Key",
            encrypts="the logs",
            removal_policy=RemovalPolicy.DESTROY if disposable else RemovalPolicy.RETAIN,
        )
        return cls(
            stack,
            bundle=bundle,
            platform=platform,
            key=key,
            failures=failures,
            network=NetworkSegment(stack, "Network", network=network, position=position) if network else None,
            operations=operations,
        )

    def add(
        self,
        id_: str,
        *,
        description: str,
        environment: Mapping[str, str],
        statements: Iterable[Statement],
        timeout: Duration,
        memory_mib: int,
        concurrency: int,
        package: str | None = None,
        calls_itself: bool = False,
        refuses_by_raising: bool = False,
    ) -> HandlerFunction:
        """The function of a package of `lambdas/`, which is called like the construct unless it says otherwise."""
        return HandlerFunction(
            self._scope,
            id_,
            package=package or id_.lower(),
            description=description,
            bundle=self._bundle,
            environment=environment,
            statements=statements,
            timeout=timeout,
            memory_mib=memory_mib,
            key=self._key,
            log_days=self._platform.log_days,
            operations=self.operations,
            failures=self.failures,
            network=self._network,
            concurrency=concurrency if self._platform.reserve_concurrency else None,
            calls_itself=calls_itself,
            refuses_by_raising=refuses_by_raising,
        )
