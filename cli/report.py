"""`earshot report`: a run's reports from the lake, in one folder with a page that leads to each of them.

Responsible for finding, fetching and opening them. It does not know what they say.
"""

from __future__ import annotations

import html
import os
import re
import sys
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options
from cli.comparisons import comparison_of
from cli.connection import Connection, connect
from cli.errors import BadInput
from cli.project import LOCAL, Project
from cli.render import print_json, print_table, say

_RUN = re.compile(r"^reports/([0-9A-Za-z][0-9A-Za-z-]*)/(?:comparison|bias|evaluation)/")
# What a report is called where it lies in the lake -> what a reader calls it, in the order of reading.
TITLES = {
    "features.html": "The data: what came in, what was dropped and why",
    "comparison/comparison.html": "All candidates on the same test rows",
    "bias/bias.html": "Bias of the data and of the answers",
    "bias/explanations.html": "What the answers rest on, word by word",
    "bias/pretraining/report.html": "SageMaker Clarify on the training data",
    "bias/posttraining/report.html": "SageMaker Clarify on the model's answers",
}
INDEX = "index.html"

Run = Annotated[str | None, typer.Argument(help="A run of the model pipeline; the latest by default.")]
Output = Annotated[Path | None, typer.Option(help="Folder to write to; by default one in the project's home.")]
Open = Annotated[
    bool | None, typer.Option("--open/--no-open", help="Open the browser; by default where there is a display.")
]
List = Annotated[bool, typer.Option("--list", help="List the runs that have reports, and fetch nothing.")]


def report(
    run: Run = None,
    list_runs: List = False,
    output: Output = None,
    opens: Open = None,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Fetch the reports of a training run and open them."""
    connection = connect(stage)
    runs = runs_with_reports(connection)
    if list_runs:
        _list(connection, runs, as_json=as_json)
        return
    chosen = _chosen(runs, run)
    folder = (output or Project.from_env().home / "reports" / stage / chosen).resolve()
    fetched = fetch(connection, chosen, folder)
    index = folder / INDEX
    opened = _has_display() if opens is None else opens
    if opened:
        webbrowser.open(index.as_uri())
    if as_json:
        print_json({"run": chosen, "index": str(index), "reports": fetched, "opened": opened})
        return
    print_table(("report", "file"), [(TITLES.get(name, name), str(folder / name)) for name in fetched])
    say(f"The reports of run {chosen} are at {index}")


def runs_with_reports(connection: Connection) -> list[str]:
    """Names of runs, latest first: they are named after the moment they began."""
    found = {match[1] for key in _keys(connection, "reports/") if (match := _RUN.match(key))}
    return sorted(found, reverse=True)


def fetch(connection: Connection, run: str, folder: Path) -> list[str]:
    """Writes the run's pages and the index; returns their names below the folder, in the order of reading."""
    bucket = connection.output("data-lake", "LakeBucket")
    client = connection.client("s3")
    found: dict[str, str] = {}
    for prefix in (f"curated/features/{run}/features.html", f"reports/{run}/"):
        start = prefix.rpartition("/")[0] + "/"
        found |= {key.removeprefix(start): key for key in _keys(connection, prefix) if key.endswith(".html")}
    # A key is a name that somebody chose: nothing is written outside the folder.
    safe = {name: key for name, key in found.items() if ".." not in Path(name).parts and not Path(name).is_absolute()}
    order = list(TITLES)
    names = sorted(safe, key=lambda name: (order.index(name) if name in TITLES else len(order), name))
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(client.get_object(Bucket=bucket, Key=safe[name])["Body"].read())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX).write_text(_index(run, names, comparison_of(connection, run)), encoding="utf-8")
    return names


def _keys(connection: Connection, prefix: str) -> list[str]:
    bucket = connection.output("data-lake", "LakeBucket")
    pages = connection.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [str(entry["Key"]) for page in pages for entry in page.get("Contents", [])]


def _chosen(runs: list[str], run: str | None) -> str:
    if not runs:
        raise BadInput("There is no report yet: train a model with `earshot train`.")
    if run is None:
        return runs[0]
    if run not in runs:
        raise BadInput(f"There are no reports of a run '{run}': `earshot report --list` shows which there are.")
    return run


def _list(connection: Connection, runs: list[str], *, as_json: bool) -> None:
    rows = [_summary(connection, run) for run in runs]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(
            ("run", "champion", "macro-F1", "candidates"),
            [(row["run"], row["champion"], row["macro_f1"], ", ".join(row["candidates"])) for row in rows],
        )
    else:
        say("There is no report yet: train a model with `earshot train`.")


def _summary(connection: Connection, run: str) -> dict[str, Any]:
    comparison = comparison_of(connection, run) or {}
    candidates = comparison.get("candidates", [])
    champion = comparison.get("champion")
    best: dict[str, Any] = next((candidate for candidate in candidates if candidate["name"] == champion), {})
    return {
        "run": run,
        "champion": champion,
        "macro_f1": best.get("metrics", {}).get("macro_f1"),
        "candidates": [candidate["name"] for candidate in candidates],
    }


def _has_display() -> bool:
    """Whether somebody sits before a screen; a script's output is not for opening windows."""
    if not sys.stdout.isatty():
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _index(run: str, names: list[str], comparison: dict[str, Any] | None) -> str:
    champion = (comparison or {}).get("champion")
    told = f"The champion is {html.escape(str(champion))}." if champion else "No champion was named."
    entries = "".join(
        f'<li><a href="{html.escape(name, quote=True)}">{html.escape(TITLES.get(name, name))}</a></li>\n'
        for name in names
    )
    return _PAGE.replace("RUN", html.escape(run)).replace("TOLD", told).replace("ENTRIES", entries)


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Earshot: run RUN</title>
<style>
:root { color-scheme: light dark; }
body { font: 17px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 12vh auto; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; }
p { opacity: 0.75; margin-top: 0.25rem; }
ul { list-style: none; padding: 0; }
li { border-top: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
a { display: block; padding: 0.8rem 0; color: inherit; text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
</style>
<h1>Run RUN</h1>
<p>TOLD</p>
<ul>
ENTRIES</ul>
</html>
"""
