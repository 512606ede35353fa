"""Puts the deployed code into the simulated world: its clients, its clocks, its chance, and what an instance remembers.

Nothing of the functions is rewritten: their handlers run as they are deployed. Replaced are ``boto3.client``, the names
``datetime``, ``time``, ``random`` of their modules, and the caches of the handlers, which become one for each instance.
It does not know what the functions do.
"""

from __future__ import annotations

import contextlib
import datetime as real_datetime
import functools
import importlib
import io
import os
import pkgutil
import random as real_random
import sys
import time as real_time
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType, ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.simulation import errors

if TYPE_CHECKING:
    from benchmarks.simulation.world import World


class Here:
    """The world that simulated code is in at the moment, and whether it said what it must not say."""

    world: World | None = None
    mark: str = ""
    leaks = 0


def here() -> World:
    """The world; it is an error to ask outside of one."""
    if Here.world is None:
        raise RuntimeError("no world is simulated")
    return Here.world


class Config(Protocol):
    """What is looked at of a client's configuration."""

    read_timeout: float
    retries: Mapping[str, Any]


class Client:
    """A boto3 client whose calls the present world carries out; botocore's own attempts are made here."""

    def __init__(self, service: str, config: Config | None) -> None:
        self._service = service
        self._attempts = 3 if config is None else int(config.retries["total_max_attempts"])
        self._read_seconds = 60.0 if config is None else config.read_timeout

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            return self._call(operation, arguments)

        return call

    def _call(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        for attempt in range(1, self._attempts + 1):
            try:
                return here().perform(self._service, operation, arguments, self._read_seconds)
            except (ClientError, BotoCoreError) as error:
                if attempt == self._attempts or not errors.is_retried(error):
                    raise
                here().fleet.invocation().wait(here().chance.random() * 0.1 * 2**attempt)
        raise AssertionError("the last attempt returns or raises")


class _AsDatetime(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, real_datetime.datetime)


class SimulatedDatetime(real_datetime.datetime, metaclass=_AsDatetime):
    """``datetime`` whose present is that of the instance whose code runs."""

    @classmethod
    def now(cls, tz: real_datetime.tzinfo | None = None) -> Any:
        return real_datetime.datetime.fromtimestamp(here().seconds(), tz)


class _Said(io.TextIOBase):
    """What functions print: looked through for texts of feedback, and dropped."""

    def write(self, line: str, /) -> int:
        if Here.mark and Here.mark in line:
            Here.leaks += 1
        return len(line)


class _PerInstance:
    """A cached function of a handler, with a cache in each instance."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        memory = here().fleet.invocation().instance.memory
        key = (self._function, arguments)
        if key not in memory:
            memory[key] = self._function(*arguments)
        return memory[key]


@contextlib.contextmanager
def installed(handlers: tuple[str, ...], environment: Mapping[str, str], *, mark: str) -> Iterator[None]:
    """The modules of these handlers, and all of ``lambdas`` that they import, in the simulated world."""
    modules = [importlib.import_module(name) for name in handlers]
    _import_all(handlers)
    Here.mark, Here.leaks = mark, 0
    with contextlib.ExitStack() as stack:
        _environment(stack, environment)
        _replace(stack, boto3, "client", lambda service, config=None: Client(service, config))
        for name, module in list(sys.modules.items()):
            if name.startswith(("lambdas.", "feedback.")):
                _adapt(stack, module)
        for module in modules:
            for name, value in list(vars(module).items()):
                if hasattr(value, "cache_clear") and value.__module__ == module.__name__:
                    _replace(stack, module, name, _PerInstance(value.__wrapped__))
        clients = importlib.import_module("lambdas.aws.clients")
        clients.client.cache_clear()
        stack.callback(clients.client.cache_clear)
        stack.enter_context(contextlib.redirect_stdout(_Said()))
        yield


def _import_all(handlers: tuple[str, ...]) -> None:
    """Also what functions import only when they need it, which would else come with clocks of its own."""
    packages = ["feedback", "lambdas.aws", *(name.rpartition(".")[0] for name in handlers)]
    for name in dict.fromkeys(packages):
        package = importlib.import_module(name)
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(found.name)


def _adapt(stack: contextlib.ExitStack, module: ModuleType) -> None:
    for name, value in list(vars(module).items()):
        if value is real_datetime.datetime:
            _replace(stack, module, name, SimulatedDatetime)
        elif value is real_time:
            _replace(stack, module, name, _TIME)
        elif value is real_random:
            _replace(stack, module, name, _RANDOM)
        elif isinstance(value, type) and value.__module__ == module.__name__:
            for method in vars(value).values():
                _defaults(stack, method)
        else:
            _defaults(stack, value)


def _defaults(stack: contextlib.ExitStack, function: object) -> None:
    """Clocks and dice that stand as default arguments, such as ``sleep=time.sleep``."""
    if isinstance(function, FunctionType) and function.__kwdefaults__:
        replaced = {name: _CLOCKS.get(value, value) for name, value in _hashable(function.__kwdefaults__).items()}
        if replaced:
            before = function.__kwdefaults__
            function.__kwdefaults__ = before | replaced
            stack.callback(setattr, function, "__kwdefaults__", before)


def _hashable(defaults: Mapping[str, Any]) -> dict[str, Any]:
    clocks = tuple(_CLOCKS)
    return {name: value for name, value in defaults.items() if any(value is clock for clock in clocks)}


def _replace(stack: contextlib.ExitStack, owner: Any, name: str, value: object) -> None:
    stack.callback(setattr, owner, name, getattr(owner, name))
    setattr(owner, name, value)


def _environment(stack: contextlib.ExitStack, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        before = os.environ.get(name)
        stack.callback(functools.partial(_restore, name, before))
        os.environ[name] = value


def _restore(name: str, before: str | None) -> None:
    if before is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = before


def _sleep(seconds: float) -> None:
    here().fleet.invocation().wait(seconds)


def _seconds() -> float:
    return here().seconds()


_TIME = SimpleNamespace(sleep=_sleep, time=_seconds, monotonic=_seconds, perf_counter=_seconds)
_RANDOM = SimpleNamespace(
    random=lambda: here().chance.random(),
    uniform=lambda low, high: here().chance.uniform(low, high),
    randint=lambda low, high: here().chance.randint(low, high),
    randrange=lambda *bounds: here().chance.randrange(*bounds),
    choice=lambda values: here().chance.choice(values),
)
_CLOCKS: dict[Any, Any] = {
    real_time.sleep: _sleep,
    real_time.monotonic: _seconds,
    real_time.time: _seconds,
    real_random.random: lambda: here().chance.random(),
}
