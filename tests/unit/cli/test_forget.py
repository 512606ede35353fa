"""`earshot forget` as it is typed: it asks first, shows what went, and says what stays."""

from typing import Any

import pytest
from typer.testing import CliRunner

from cli import forget
from cli.app import app
from erasure.receipt import Receipt
from erasure.store import Erased

RECEIPT = Receipt(
    customer="0" * 64,
    started_at="2026-03-01T10:00:00.000Z",
    finished_at="2026-03-01T10:00:09.000Z",
    runs=1,
    is_dry_run=False,
    feedbacks=2,
    erased={"ledger": Erased(records=2, objects=2), "lake/feedback": Erased(records=2, objects=1, versions=3)},
    kept=(("daily backups of the ledger", "2026-04-05"),),
)


class FakeForgetting:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def forget(self, customer: str, *, thorough: bool, dry_run: bool) -> tuple[Receipt, str]:
        self.asked.append((customer, thorough, dry_run))
        return RECEIPT, "s3://lake/reports/forget/r.json"


@pytest.fixture
def forgetting(monkeypatch: pytest.MonkeyPatch) -> FakeForgetting:
    fake = FakeForgetting()
    monkeypatch.setattr(forget, "forgetting", lambda *_: fake)
    return fake


def test_it_asks_before_anything_is_erased(forgetting: FakeForgetting) -> None:
    answer = CliRunner().invoke(app, ["forget", "C-1", "--stage", "dev"], input="n\n")
    assert answer.exit_code == 1
    assert "cannot be undone" in answer.output
    assert forgetting.asked == []


def test_what_went_and_what_stays_is_shown(forgetting: FakeForgetting) -> None:
    answer = CliRunner().invoke(app, ["forget", "C-1", "--thorough", "--yes", "--stage", "dev"])
    assert answer.exit_code == 0
    assert forgetting.asked == [("C-1", True, False)]
    assert "2 feedbacks, 4 records erased." in answer.output
    assert "daily backups of the ledger: 2026-04-05" in answer.output
    assert "s3://lake/reports/forget/r.json" in answer.output


def test_a_dry_run_does_not_ask(forgetting: FakeForgetting) -> None:
    answer = CliRunner().invoke(app, ["forget", "C-1", "--dry-run", "--stage", "dev", "--json"])
    assert answer.exit_code == 0
    assert forgetting.asked == [("C-1", False, True)]
    assert '"lake/feedback"' in answer.output


def test_nobody_is_no_customer(forgetting: FakeForgetting) -> None:
    assert CliRunner().invoke(app, ["forget", "  ", "--yes"]).exit_code == 2
    assert forgetting.asked == []
