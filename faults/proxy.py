"""A reverse proxy that injects faults: `python -m faults.proxy --target http://127.0.0.1:4566 --fault ...`.

Stands before a local AWS, or anything that speaks AWS's protocols, and passes calls on but for those that its plan
wants otherwise. Says what it did as JSON lines on standard output: service, operation and fault, never a path, a
header's value or a body. Knows neither signatures nor what the calls are for.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from faults.partial import Batch, is_batch, take_apart
from faults.plan import Fault, Plan, PlanError, load, parse
from faults.server import Handler, Server
from faults.wire import Call, call_of, refuse

UPSTREAM_SECONDS: Final = 120.0
# Of one connection, not of the message: https://www.rfc-editor.org/rfc/rfc9110.html#section-7.6.1
_HOP_BY_HOP: Final = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"}
    | {"upgrade"}
)

Report = Callable[[Mapping[str, object]], None]
Prepared = tuple[Mapping[str, object], Callable[[], None]]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the target answered."""

    status: int
    headers: dict[str, str]
    body: bytes


def print_report(line: Mapping[str, object]) -> None:
    print(json.dumps(line), flush=True)


class Proxy(Server):
    """Passes calls on to ``target``, or does what the plan wants."""

    def __init__(self, *, target: str, plan: Plan, port: int = 0, report: Report = print_report) -> None:
        parts = urlsplit(target)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise PlanError(f"{target!r} is not an http address")
        super().__init__(_ProxyHandler, port=port)
        self.plan = plan
        self.report = report
        self.started = time.monotonic()
        self._make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port = parts.hostname, parts.port

    def connect(self) -> HTTPConnection:
        """A connection to the target, for one call: an idle one may be gone, and that would be a fault of our own."""
        return self._make(self._host, self._port, timeout=UPSTREAM_SECONDS)


class _ProxyHandler(Handler):
    server: Proxy

    def answer(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = call_of(self.command, self.path, headers, body)
        seconds = time.monotonic() - self.server.started
        fault = self.server.plan.choose(call.names, call.operation, seconds)
        if fault is None:
            self._send(self._ask(body))
            return
        if fault.latency_seconds:
            self.wait(fault.latency_seconds)
        details, act = self._prepare(fault, call, body)
        report = {"at": round(seconds, 3), "service": call.service, "operation": call.operation, "fault": fault.kind}
        latency = {"latency_seconds": fault.latency_seconds} if fault.latency_seconds else {}
        # First the report: who reads it after the client's answer finds it there.
        self.server.report({**report, **latency, **details})
        act()

    def _prepare(self, fault: Fault, call: Call, body: bytes) -> Prepared:
        """Do what comes before the answer; what the report says of it, and how to answer."""
        if fault.partial is not None and is_batch(call.operation):
            return self._fail_in_part(fault.partial, call, body)
        if fault.reset is not None:
            return {"status": self._ask(body).status} if fault.reset == "after" else {}, self.reset
        if fault.error is not None or fault.status is not None:
            refusal = refuse(call, code=fault.error, status=fault.status)
            code = {"error": fault.error} if fault.error else {}
            answer = partial(self.send, refusal.status, refusal.body, refusal.headers)
            return {"status": refusal.status, **code}, answer
        true = self._ask(body)
        if fault.keep is not None:
            kept = int(len(true.body) * fault.keep)
            return {"status": true.status}, partial(self._send, true, keep_bytes=kept)
        untouched = {"fault": "none", "why": "not a batch"} if fault.partial is not None else {}
        return {**untouched, "status": true.status}, partial(self._send, true)

    def _fail_in_part(self, share: float, call: Call, body: bytes) -> Prepared:
        fails: list[bool] = []

        def choose(entries: int) -> list[bool]:
            fails.extend(self.server.plan.entries(share, entries))
            return fails

        try:
            batch = take_apart(call.operation, body, choose)
        except ValueError:  # the target says what is wrong with it
            true = self._ask(body)
            return {"fault": "none", "why": "not a batch", "status": true.status}, partial(self._send, true)
        answer = self._ask_for_rest(batch, call)
        details = {"failed": sum(fails), "of": len(fails), "status": answer.status}
        return details, partial(self._send, answer)

    def _ask_for_rest(self, batch: Batch, call: Call) -> Answer:
        if batch.passed_on is None:
            content_type = call.headers.get("content-type", "application/x-amz-json-1.0")
            return Answer(status=200, headers={"Content-Type": content_type}, body=batch.answer(b""))
        answer = self._ask(batch.passed_on)
        if answer.status != 200:
            return answer
        checked = {"x-amz-crc32"}  # DynamoDB's checksum of the body that is no more
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in checked}
        return Answer(status=200, headers=headers, body=batch.answer(answer.body))

    def _send(self, answer: Answer, *, keep_bytes: int | None = None) -> None:
        self.send(answer.status, answer.body, answer.headers, keep_bytes=keep_bytes)

    def _ask(self, body: bytes) -> Answer:
        """The target's answer; 502 where it gives none. Sent once: what a lost answer means is the client's to say."""
        connection = self.server.connect()
        kept = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        try:
            connection.request(self.command, self.path, body=body or None, headers=kept | _length(self.command, body))
            response = connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            self.server.report({"fault": "none", "why": "the target does not answer", "error": type(error).__name__})
            return Answer(status=502, headers={"Content-Type": "text/plain"}, body=b"The target does not answer.\n")
        finally:
            connection.close()
        headers = {name: value for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP}
        if self.command == "HEAD":
            headers["Content-Length"] = response.getheader("Content-Length", "0")
        return Answer(status=response.status, headers=headers, body=content)


def _length(method: str, body: bytes) -> dict[str, str]:
    return {"Content-Length": str(len(body))} if body or method in ("POST", "PUT", "PATCH") else {}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m faults.proxy", description="A reverse proxy that injects faults.")
    parser.add_argument("--target", default="http://127.0.0.1:4566", help="where calls are passed on to")
    parser.add_argument("--port", type=int, default=4599)
    parser.add_argument("--seed", type=int, default=0, help="the same seed meets the same calls with the same faults")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=VALUE,...")
    parser.add_argument("--plan", type=Path, metavar="FILE", help='JSON: {"faults": [{"service": ...}, ...]}')
    chosen = parser.parse_args(arguments)
    try:
        faults = [*(load(chosen.plan) if chosen.plan else ()), *(parse(words) for words in chosen.fault)]
        proxy = Proxy(target=chosen.target, plan=Plan(faults, seed=chosen.seed), port=chosen.port)
    except PlanError as error:
        print(f"The plan cannot be: {error}.", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"Port {chosen.port} cannot be listened on: {error.strerror}.", file=sys.stderr)
        return 2
    with proxy:
        print_report({"listening": proxy.url, "target": chosen.target, "faults": len(faults), "seed": chosen.seed})
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
