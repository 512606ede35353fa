"""`python -m benchmarks.fuzz --executions 1000000`: a line for each parser, and how many inputs crashed it.

Ends with 1 where anything crashed; each such input is kept in a file that `--replay` runs again.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

from benchmarks.fuzz.coverage_guided import fuzz_guided, is_available
from benchmarks.fuzz.engine import Result, fuzz, run_once
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.targets import targets

KEPT = Path(".build") / "fuzz"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--executions", type=int, default=100_000, help="in sum over all parsers")
    parser.add_argument("--only", default="", help="parsers whose name holds this")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--engine", choices=("auto", "mutation", "atheris"), default="auto")
    parser.add_argument("--replay", type=Path, help="run one kept input through the parsers named by --only")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="earshot-fuzz-") as scratch:
        chosen = [target for target in targets(Path(scratch)) if given.only in target.name]
        if not chosen:
            parser.error(f"no parser's name holds {given.only!r}")
        if given.replay:
            results = [_replay(target, given.replay.read_bytes()) for target in chosen]
        else:
            is_guided = given.engine == "atheris" or (given.engine == "auto" and is_available())
            engine = "atheris" if is_guided else "mutation"
            print(f"{given.executions:,} executions over {len(chosen)} parsers, by {engine}")
            run, shares = _guided if is_guided else fuzz, sum(target.share for target in chosen)
            results = [
                _told(run(target, -(-given.executions * target.share // shares), seed=given.seed)) for target in chosen
            ]
    crashes = sum(len(result.crashes) for result in results)
    print(f"{sum(result.executions for result in results):,} executions, {crashes} crashes")
    return 1 if crashes else 0


def _guided(target: Target, executions: int, *, seed: int) -> Result:
    return fuzz_guided(target.name, executions, seed=seed)


def _replay(target: Target, data: bytes) -> Result:
    result = Result(target=target.name)
    run_once(target, data, result)
    return _told(result)


def _told(result: Result) -> Result:
    rate = result.executions / result.seconds if result.seconds else 0.0
    print(
        f"{result.target:28} {result.executions:>9,} executions {result.answered:>9,} answered "
        f"{rate:>8,.0f}/s slowest {result.slowest_seconds * 1000:>6.0f} ms {len(result.crashes):>2} crashes",
        flush=True,
    )
    for place, data in result.crashes.items():
        KEPT.mkdir(parents=True, exist_ok=True)
        kept = KEPT / hashlib.sha256(data).hexdigest()[:16]
        kept.write_bytes(data)
        print(f"    {place}\n    kept in {kept}")
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
