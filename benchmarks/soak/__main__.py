"""`python -m benchmarks.soak --runs 50 --messages 400`: the app on the running local AWS, harmed while it works.

Start and deploy it first (`earshot up`, or `make demo` for a model of one's own). In each run feedback is sent one to
three times over connections that a proxy cuts before or after the call, and every few seconds a process of the
functions or of the endpoint is killed. When it is over, everything accepted must be decided or dead with a reason, with
one row, and with one alert where it is negative. Dead letters are brought back once. Ends with 1 where anything is
lost or there twice.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from benchmarks.report import Value, arguments, finish, show
from benchmarks.soak.judgement import doubles, ledger, open_ends, wait_until_settled
from benchmarks.soak.traffic import Sent, cut_connections, send
from cli import local_aws
from cli.connection import AwsConnection, connect
from cli.dead_letters import dead_letter_queues
from cli.errors import NotReady
from cli.project import LOCAL, Project
from cli.redrive import redrive_queue

_VICTIMS = ("lambda ", "endpoint ")
_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of one run."""

    accepted: int
    calls: int
    without_answer: int
    server_errors: int
    killed: int
    brought_back: int
    broken: tuple[str, ...]


def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--messages", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--cut", type=float, default=0.05, help="share of connections cut before, and as many after")
    parser.add_argument("--kill-seconds", type=float, default=4.0, help="a process is killed so often; 0 kills none")
    parser.add_argument("--patience", type=float, default=600.0, help="seconds until all must be done")
    options = parser.parse_args()
    try:
        local_aws.require_running(Project.from_env())
    except NotReady as missing:
        print(missing.message, file=sys.stderr)
        return missing.exit_code
    connection = connect(LOCAL)
    runs: list[Run] = []
    for number in range(options.runs):
        prefix = f"soak-{int(time.time())}-{number}-"
        runs.append(
            play(
                connection,
                prefix,
                [f"{prefix}{at}" for at in range(options.messages)],
                senders=options.senders,
                cut=options.cut,
                kill_seconds=options.kill_seconds,
                patience=options.patience,
                seed=options.seed + number,
            )
        )
        print(
            f"run {number + 1} of {options.runs}: {runs[-1].accepted} accepted, {len(runs[-1].broken)} broken promises"
        )
        for line in runs[-1].broken[:_SHOWN]:
            print(f"    {line}", flush=True)
    return _report(runs, as_json=options.json)


def play(
    connection: AwsConnection,
    prefix: str,
    ids: Sequence[str],
    *,
    senders: int,
    cut: float,
    kill_seconds: float,
    patience: float,
    seed: int,
) -> Run:
    """One run; the inbox is emptied after it, so that the next one is as quick."""
    sent, killed, over = Sent(), [0], threading.Event()
    harm = threading.Thread(target=_kill_now_and_then, args=(kill_seconds, seed, over, killed), daemon=True)
    with cut_connections(cut, seed=seed) as api:
        threads = send(api, ids, sent, senders=senders, seed=seed)
        if kill_seconds:
            harm.start()
        for thread in threads:
            thread.join()
    over.set()
    wait_until_settled(connection, prefix, sent.accepted, seconds=patience)
    brought_back = sum(redrive_queue(connection, queue).moved for queue in dead_letter_queues(connection))
    if brought_back:
        wait_until_settled(connection, prefix, ledger(connection, prefix), seconds=patience)
    broken = (*open_ends(connection, prefix, sent.accepted), *doubles(connection, prefix))
    connection.client("sqs").purge_queue(QueueUrl=connection.output("intake", "AlertInbox"))
    return Run(
        accepted=len(sent.accepted),
        calls=sent.count,
        without_answer=sent.statuses["none"],
        server_errors=sent.statuses["500"],
        killed=killed[0],
        brought_back=brought_back,
        broken=broken,
    )


def _kill_now_and_then(every_seconds: float, seed: int, over: threading.Event, killed: list[int]) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same each time
    while not over.wait(every_seconds * chance.uniform(0.5, 1.5)):
        processes = local_aws.require_running(Project.from_env())["processes"]
        victims = [each for each in processes if each["what"].startswith(_VICTIMS)]
        for process in islice(chance.sample(victims, len(victims)), 1):
            try:
                os.kill(process["pid"], signal.SIGKILL)
            except ProcessLookupError:
                continue
            killed[0] += 1


def _report(runs: Sequence[Run], *, as_json: bool) -> int:
    figures: dict[str, Value] = {
        "runs": len(runs),
        "runs with a broken promise": sum(bool(run.broken) for run in runs),
        "accepted": sum(run.accepted for run in runs),
        "calls of the API": sum(run.calls for run in runs),
        "calls without an answer": sum(run.without_answer for run in runs),
        "answers 500": sum(run.server_errors for run in runs),
        "processes killed": sum(run.killed for run in runs),
        "dead letters brought back": sum(run.brought_back for run in runs),
    }
    show("soak", [{"what": what, "n": n} for what, n in figures.items()])
    finish(as_json, figures)
    return 1 if figures["runs with a broken promise"] else 0


if __name__ == "__main__":
    sys.exit(main())
