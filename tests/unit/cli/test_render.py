"""What is printed: safe for terminals, and with times that are read at a glance."""

import io

import pytest
from rich.console import Console

from cli.errors import Problem
from cli.render import cell, print_problem, print_table, printable, seconds, size
from cli.steps import Steps


def test_what_customers_write_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[31mred\x07\u202e") == "a [31mred  "


def test_markup_of_customers_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("text",), [("[bold]not bold[/]",)])
    assert "[bold]not bold[/]" in capsys.readouterr().out


def test_a_problem_is_one_line_and_its_details_below(capsys: pytest.CaptureFixture[str]) -> None:
    print_problem(Problem("It failed.", details=("row 1", "row 2")))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "earshot: It failed.\n  row 1\n  row 2\n"


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (0.12345, "0.123"), (True, "yes"), (3, "3"), ("x", "x")])
def test_values_in_cells(value: object, text: str) -> None:
    assert cell(value) == text


def test_durations_and_sizes() -> None:
    assert [seconds(value) for value in (0.44, 12.3, 200)] == ["0.4 s", "12 s", "3 min 20 s"]
    assert [size(value) for value in (12, 3_400_000, 1_250_000_000)] == ["12 B", "3 MB", "1.25 GB"]


def test_steps_are_numbered_and_timed_and_a_failed_one_says_so() -> None:
    shown = io.StringIO()
    steps = Steps(Console(file=shown, width=100), total=2)
    with steps.step("First") as step:
        step.say("a line")
        step.result = "all good"
    with pytest.raises(ValueError, match="no"), steps.step("Second"):
        raise ValueError("no")
    lines = shown.getvalue().splitlines()
    assert lines[0] == "1/2 First"
    assert lines[1] == "    a line"
    assert lines[2].startswith("    all good  (0.0 s)")
    assert lines[3] == "2/2 Second"
    assert lines[4].startswith("    failed after")
    assert [title for title, _ in steps.times] == ["First"]
