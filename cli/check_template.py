"""`earshot check-template`: the rules of `policy/` applied to CloudFormation templates, ours or anybody's.

Responsible for finding the templates in what the user names and for saying what was found. It needs no account, no
network and no deployed app, and knows no rule. The rules are loaded only when this command runs: others start without.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.errors import BAD_INPUT, FAILED, BadInput, Problem
from cli.render import print_json, print_problem, printable

if TYPE_CHECKING:
    from policy import Finding, Report

TEMPLATE_NAMES = ("*.template.json", "*.template.yaml", "*.template.yml")

Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILE...", help="Templates, JSON or YAML; or folders, such as cdk.out.", show_default=False),
]


def check_template(
    files: Files = None,
    as_json: options.Json = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Ask for practices, too, that a template need not follow (tracing, say).")
    ] = False,
    list_rules: Annotated[bool, typer.Option("--list-rules", help="Print the rules and leave.")] = False,
) -> None:
    """Check CloudFormation templates: is what they describe safe and reliable by default?

    Exit codes: 0 nothing found, 1 something was, 2 a file cannot be read.
    """
    from policy import Template, TemplateError, examine

    if list_rules:
        _print_rules(as_json)
        return
    reports: dict[Path, Report] = {}
    unreadable: dict[Path, str] = {}
    today = datetime.now(tz=UTC).date()
    for path in _templates(files or []):
        try:
            reports[path] = examine(Template.load(path), today=today, strict=strict)
        except TemplateError as error:
            unreadable[path] = str(error)
    if as_json:
        _print_document(reports, unreadable)
    else:
        _print_lines(reports)
    for path, why in unreadable.items():
        print_problem(BadInput(f"{path}: {printable(why)}."))
    if unreadable:
        raise typer.Exit(BAD_INPUT)
    if any(report.findings for report in reports.values()):
        raise typer.Exit(FAILED)


def _templates(named: Iterable[Path]) -> list[Path]:
    """The files that the user names, and the templates in the folders."""
    found: dict[Path, None] = {}
    for path in named:
        inside = sorted(match for name in TEMPLATE_NAMES for match in path.rglob(name)) if path.is_dir() else [path]
        if not inside:
            raise BadInput(f"{path}: the folder holds no template ({', '.join(TEMPLATE_NAMES)}).")
        found.update(dict.fromkeys(inside))
    if not found:
        raise BadInput("Name the templates to check: earshot check-template FILE...")
    return list(found)


def _print_lines(reports: dict[Path, Report]) -> None:
    for path, report in reports.items():
        for finding in report.findings:
            typer.echo(printable(f"{path}: {_line(finding)}"))
        for notice in report.notices:
            print_problem(Problem(f"{path}: note: {printable(notice)}."))


def _line(finding: Finding) -> str:
    detail = f" ({finding.detail})" if finding.detail else ""
    return f"{finding.rule_id} {finding.logical_id}: {finding.why}{detail}. Mend: {finding.mend}."


def _print_document(reports: dict[Path, Report], unreadable: dict[Path, str]) -> None:
    documents: list[dict[str, object]] = [
        {
            "file": str(path),
            "findings": [asdict(finding) for finding in report.findings],
            "acknowledged": [{**asdict(finding), "reason": reason} for finding, reason in report.acknowledged],
            "notices": list(report.notices),
        }
        for path, report in reports.items()
    ]
    documents += [{"file": str(path), "error": why} for path, why in unreadable.items()]
    print_json({"ok": not unreadable and not any(report.findings for report in reports.values()), "files": documents})


def _print_rules(as_json: bool) -> None:
    from policy import RULES

    rules = sorted(RULES.values(), key=lambda rule: rule.id)
    if as_json:
        print_json(
            [
                {name: getattr(rule, name) for name in ("id", "title", "why", "mend", "controls", "practice")}
                for rule in rules
            ]
        )
        return
    for rule in rules:
        controls = f" [{', '.join(rule.controls)}]" if rule.controls else ""
        typer.echo(f"{rule.id}  {rule.title}{controls}")
