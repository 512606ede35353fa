"""`python -m supply_chain [CHECK...]`: runs the checks and prints what they found; `bill` writes bills of materials.

Exits 1 when there is a finding, 2 when a tool is missing or broke. A check that could not look says 'not checked'.
"""

import argparse
import sys
from pathlib import Path

from supply_chain.checks import CHECKS, ROOT, Result, ToolError, bill_of_materials

BILLS = ROOT / ".build" / "bills"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m supply_chain", description=__doc__)
    parser.add_argument(
        "checks", nargs="*", metavar="CHECK", help=f"{', '.join(CHECKS)} (all when none is named) or bill"
    )
    wanted = parser.parse_args(arguments).checks or list(CHECKS)
    unknown = sorted(set(wanted) - CHECKS.keys() - {"bill"})
    if unknown:
        parser.error(f"there is no check {', '.join(unknown)}")
    try:
        results = {name: CHECKS[name]() for name in wanted if name != "bill"}
        if "bill" in wanted:
            _write_bills(BILLS)
    except ToolError as error:
        print(f"supply_chain: {error}", file=sys.stderr)
        return 2
    for name, result in results.items():
        print(f"{name:<12}{_verdict(result)}")
        for finding in result.findings:
            print(f"  {finding}")
    return 1 if any(result.findings for result in results.values()) else 0


def _verdict(result: Result) -> str:
    if result.not_checked:
        return f"NOT CHECKED: {result.not_checked}"
    return f"{len(result.findings) or 'no'} finding{'' if len(result.findings) == 1 else 's'} in {result.looked_at}"


def _write_bills(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for lock in sorted(ROOT.glob("requirements*.txt")):
        target = folder / f"{lock.stem}.cdx.json"
        bill_of_materials(lock, target)
        print(f"bill        {target.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
