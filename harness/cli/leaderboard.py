"""`bench leaderboard`: the table out of a results folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.collector import collector_off
from harness.cli.options import RESULTS
from harness.errors import unknown
from harness.files import write_text
from harness.store import Store


def leaderboard(
    results: options.Results = RESULTS,
    form: Annotated[str, typer.Option("--format", envvar="BENCH_FORMAT", help="md, json, csv, latex, svg.")] = "md",
    output: Annotated[
        Path | None, typer.Option("--output", envvar="BENCH_OUTPUT", help="A file; default: print.")
    ] = None,
) -> None:
    """Make the leaderboard from a results folder."""
    text = render(results, form)
    if output is None:
        print(text, end="")
    else:
        write_text(output, text)


def render(results: Path, form: str) -> str:
    """A results folder in one of the formats; Markdown begins with a line that names the folder."""
    from harness.report.formats import FORMATS, formatted
    from harness.report.parts import Needed
    from harness.stats.standings import standings

    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
    with collector_off():
        store = Store(results)
        records = Needed.read(store)
        text = formatted(form, records, standings(store, records))
    return _mark(results) + text if form == "md" else text


def refresh(results: Path) -> Path:
    """Write `leaderboard.md` beside a results folder and return its path.

    A file of that name that was made from another folder, or by hand, is left alone: the new one goes into the folder then.
    """
    beside = results.absolute().parent / "leaderboard.md"
    if beside.exists() and not beside.read_text(encoding="utf-8").startswith(_mark(results)):
        beside = results.absolute() / "leaderboard.md"
    write_text(beside, render(results, "md"))
    return beside


def _mark(results: Path) -> str:
    return f"<!-- bench leaderboard --results {results.name} -->\n"
