"""Renews what upgrades are held against: the lock of stateful resources, and the templates of a release.

    python -m tests.upgrades lock --reason "The alert topic is split by department; subscriptions are confirmed again"
    python -m tests.upgrades release 0.2.0

`docs/upgrades.md` says when.
"""

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.synthesis import STAGES, Assembly, stand_in_assets, synthesise
from tests.upgrades import lock, released
from tests.upgrades.stateful import stateful_resources


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.upgrades", description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    locking = commands.add_parser("lock", help="lock the stateful resources as they are now")
    locking.add_argument("--reason", required=True, help="why what is given up may be given up")
    releasing = commands.add_parser("release", help="keep the templates of prod as those of a release")
    releasing.add_argument("version")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        app = Assembly(synthesise(stand_in_assets(Path(folder) / "build"), Path(folder) / "cdk.out", validate=False))
        if options.command == "lock":
            given_up = lock.write(
                locked_stages(app), day=datetime.now(tz=UTC).date().isoformat(), reason=options.reason
            )
            print("\n".join([f"{lock.LOCK} is renewed.", *(f"Given up: {loss}" for loss in given_up)]))
        else:
            print(f"{released.keep(options.version, prod_templates(app))} is kept.")


def locked_stages(app: Assembly) -> dict[str, lock.Stacks]:
    """The stateful resources of every stage."""
    return {
        stage: {
            stack: stateful_resources(template)
            for (in_stage, stack), template in sorted(app.templates.items())
            if in_stage == stage
        }
        for stage in STAGES
    }


def prod_templates(app: Assembly) -> dict[str, dict[str, object]]:
    """The templates of the stage that holds what is worth keeping, by stack."""
    return {stack: template for (stage, stack), template in app.templates.items() if stage == released.STAGE}


if __name__ == "__main__":
    main()
