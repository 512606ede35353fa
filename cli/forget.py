"""`earshot forget`: erases a customer from every store of a stage, and writes a receipt.

Responsible for asking first, and for which stores a stage has. How each of them is emptied is known to `erasure`.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.connection import Connection, connect
from cli.errors import BadInput, Problem
from cli.project import LOCAL
from cli.render import console, error_console, print_json, print_table, say
from cli.steps import Steps

if TYPE_CHECKING:
    from erasure.forgetting import Forgetting
    from erasure.receipt import Receipt

RECEIPTS = "reports/forget/"
QUEUES_OF = "intake"


def forget(
    customer: Annotated[
        str, typer.Argument(help="The shop's reference of the customer, an e-mail address or a phone number.")
    ],
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Look through the whole ledger, not only its index of customers.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be erased.")] = False,
    yes: options.Yes = False,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Erase a customer from every store and every version. Cut off, it goes on where it was with the next call."""
    if not customer.strip():
        raise BadInput("Name the customer to forget.")
    if not (yes or dry_run):
        typer.confirm(f"Erase customer '{customer}' from stage {stage}? This cannot be undone.", abort=True, err=True)
    steps = Steps(error_console() if as_json else console())
    receipt, place = _forget(forgetting(connect(stage), steps), customer, thorough=thorough, dry_run=dry_run)
    if as_json:
        print_json({**receipt.to_document(), "receipt": place})
    else:
        _show(receipt, place)


def _forget(use_case: Forgetting, customer: str, *, thorough: bool, dry_run: bool) -> tuple[Receipt, str | None]:
    from erasure.versions import NotDeletedError

    try:
        return use_case.forget(customer, thorough=thorough, dry_run=dry_run)
    except NotDeletedError as error:
        raise Problem(f"{error} Lift what holds them, such as a legal hold, and run the command again.") from error


def forgetting(connection: Connection, steps: Steps) -> Forgetting:
    """The use case over the stores of a stage."""
    from erasure.buckets import DroppedFiles, answer_store, find_in_lake, lake_stores, probe_store
    from erasure.desk import DeskItems
    from erasure.forgetting import Forgetting
    from erasure.ledger import LedgerItems, OriginalItems
    from erasure.progress import Notebook
    from erasure.queues import QueuedMessages
    from erasure.receipt import what_stays
    from erasure.store import Note
    from erasure.subject import Subject
    from erasure.versions import VersionedBucket
    from stacks.settings import STAGES

    dynamodb, s3 = connection.client("dynamodb"), connection.client("s3")
    tables = {name.lower(): connection.output("intake", name) for name in ("Ledger", "Originals", "Desk")}
    lake_name = connection.output("data-lake", "LakeBucket")
    lake = VersionedBucket(s3=s3, bucket=lake_name)
    drops = VersionedBucket(s3=s3, bucket=connection.output("intake", "DropBucket"))
    ledger = LedgerItems(dynamodb=dynamodb, table=tables["ledger"])
    originals = OriginalItems(dynamodb=dynamodb, table=tables["originals"])
    settings = next(each for each in STAGES if each.name == connection.stage)

    def find(subject: Subject, *, thorough: bool, note: Note) -> Subject:
        return originals.find(ledger.find(find_in_lake(lake, subject), thorough=thorough, note=note))

    def keep(receipt: Receipt) -> str:
        key = f"{RECEIPTS}{receipt.customer[:32]}/{receipt.finished_at.replace(':', '')}.json"
        lake.write(key, receipt.to_json(), content_type="application/json")
        return f"s3://{lake_name}/{key}"

    return Forgetting(
        find=find,
        # Results of queries first: they are found by the texts, which the ledger knows. Then what others follow from.
        stores=(
            answer_store(lake),
            ledger,
            originals,
            DeskItems(dynamodb=dynamodb, table=tables["desk"]),
            QueuedMessages(sqs=connection.client("sqs"), urls=queue_urls(connection)),
            DroppedFiles(bucket=drops),
            *lake_stores(lake),
            probe_store(VersionedBucket(s3=s3, bucket=connection.output("data-lake", "ArtifactBucket"))),
        ),
        notebook=Notebook(dynamodb=dynamodb, table=tables["desk"], now=_now),
        keep=keep,
        what_stays=lambda now: what_stays(
            now,
            dynamodb=dynamodb,
            tables=tables,
            backup_days=settings.intake.backup_days,
            log_days=settings.platform.log_days,
        ),
        step=steps.step,
        now=_now,
    )


def queue_urls(connection: Connection) -> list[str]:
    """Every queue of the intake stack: work, alerts, their inbox, and the dead letters of all."""
    from cli.project import stack_name

    pages = (
        connection.client("cloudformation")
        .get_paginator("list_stack_resources")
        .paginate(StackName=stack_name(connection.stage, QUEUES_OF))
    )
    return [
        resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::SQS::Queue"
    ]


def _show(receipt: Receipt, place: str | None) -> None:
    rows = [[store, *map(str, asdict(erased).values())] for store, erased in receipt.erased.items()]
    print_table(["store", "records", "objects", "versions"], rows)
    total = sum(erased.records for erased in receipt.erased.values())
    if receipt.is_dry_run:
        say(f"{receipt.feedbacks} feedbacks and {total} records would be erased. Nothing was changed.")
        return
    if not total and not receipt.feedbacks:
        say("Nothing of this customer is left." + (f" An earlier receipt is at {place}." if place else ""))
        return
    say(f"{receipt.feedbacks} feedbacks, {total} records erased.", style="bold")
    say("What stays, and until when:")
    for what, until in receipt.kept:
        say(f"  {what}: {until}")
    say(f"Receipt: {place}")


def _now() -> datetime:
    return datetime.now(UTC)
