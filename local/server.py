"""Runs the local AWS: ministack's application with the adapter, on one port of 127.0.0.1, until a signal comes.

Owns the order of things at start and at the end. Knows no AWS service.
"""

import asyncio
import json
import os
import resource
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any

from hypercorn.asyncio import serve  # type: ignore[import-not-found]
from hypercorn.config import Config  # type: ignore[import-not-found]

from local import memory, preflight, status
from local.aws import inert, seams
from local.aws.installation import LocalAws
from local.options import Options
from local.saving import Saver

_STATUS_PATH = "/_earshot/status"
_DRAIN_SECONDS = 2.0
_MOST_FILES = 65_536

Send = Callable[[dict[str, Any]], Awaitable[None]]


def run(options: Options) -> None:
    """Serve until SIGINT or SIGTERM; returns after a clean stop with everything saved and every child ended."""
    memory.limit_arenas()
    _allow_many_files()
    seams.verify()
    aws = LocalAws(options)
    try:
        # Not asyncio.run: at its end it waits for threads, and one may sit in a function or a custom resource for long.
        asyncio.new_event_loop().run_until_complete(_serve(options, aws))
    except OSError as problem:
        raise preflight.port_refusal(options.port, problem) from None
    finally:
        options.announcement.unlink(missing_ok=True)
        seams.end_lambda_workers()
    print("local AWS: stopped, state saved")
    # Step Functions tasks still polling a job sit in non-daemon threads: the interpreter would wait for them.
    os._exit(0)


async def _serve(options: Options, aws: LocalAws) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for which in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(which, stop.set)
    saver = Saver(_keep)
    background = [asyncio.create_task(saver.run()), asyncio.create_task(_announce(options, aws))]

    async def until_stopped() -> None:
        await stop.wait()
        for task in background:
            task.cancel()
        # Containers and jobs go first: ending them may still want to write to S3.
        await asyncio.to_thread(aws.close)

    await serve(_application(options, aws, saver), _configuration(options), shutdown_trigger=until_stopped)


def _allow_many_files() -> None:
    """Sockets of many clients, containers and functions at once; the usual limit is 1,024 files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _keep() -> None:
    seams.save_state()
    memory.trim()


def _configuration(options: Options) -> Config:
    config = Config()
    config.bind = [f"127.0.0.1:{options.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = _DRAIN_SECONDS
    config.loglevel = options.log_level
    config.accesslog = None
    return config


async def _announce(options: Options, aws: LocalAws) -> None:
    """Once requests are answered: host what was hosted before, then tell the world."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", options.port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            break
    await asyncio.to_thread(aws.start)
    await asyncio.to_thread(memory.trim)
    told = {"pid": os.getpid(), "port": options.port, "started_at": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
    options.announcement.write_text(json.dumps(told))
    print(f"local AWS: ready on {options.endpoint_url}, data in {options.data_dir}")
    for line in inert.lines():
        print(f"local AWS: inert here: {line}")


def _application(options: Options, aws: LocalAws, saver: Saver) -> Callable[..., Awaitable[None]]:
    inner = seams.application()

    async def application(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        if scope["type"] == "http":
            if scope["path"] == _STATUS_PATH:
                await _answer_status(options, aws, send)
                return
            saver.note(scope["method"])
        await inner(scope, receive, send)

    return application


async def _answer_status(options: Options, aws: LocalAws, send: Send) -> None:
    document = await asyncio.to_thread(
        lambda: status.describe(options, named=aws.processes(), inert=inert.lines(), endpoints=aws.endpoints())
    )
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
