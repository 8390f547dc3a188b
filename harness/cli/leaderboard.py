"""`bench leaderboard`: the table out of a results folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.collector import collector_off
from harness.cli.options import RESULTS
from harness.errors import unknown
from harness.files import write_text
from harness.remote.mirror import Mirror, read_store
from harness.store import Store

BOARD = "leaderboard.md"  # in the results folder
HTML = "html"  # needs more than a board: the predictions, and where the records are


def leaderboard(
    results: options.Results = RESULTS,
    form: Annotated[
        str, typer.Option("--format", envvar="BENCH_FORMAT", help="md, html, json, csv, slices (csv), latex, svg.")
    ] = "md",
    output: Annotated[
        Path | None, typer.Option("--output", envvar="BENCH_OUTPUT", help="A file; default: print.")
    ] = None,
    rows: Annotated[
        int, typer.Option("--rows", envvar="BENCH_ROWS", min=0, help="html: at most N rows of predictions a task.")
    ] = 500,
    with_texts: Annotated[
        bool,
        typer.Option(
            "--with-texts", envvar="BENCH_WITH_TEXTS", help="html: the texts of these rows too, out of the tasks' data."
        ),
    ] = False,
) -> None:
    """Make the leaderboard from a results folder."""
    store = read_store(results)
    text = page(store, output, rows, with_texts) if form == HTML else render(store, form)
    tell_damaged(store)
    if output is None:
        print(text, end="")
    else:
        write_text(output, text)


def page(store: Store, output: Path | None, rows: int, with_texts: bool = False) -> str:
    """A results folder as one HTML page, whose links lead from the place of `output` to the records."""
    from harness.grouping.board_records import BoardRecords
    from harness.report.page.render import page as made
    from harness.report.page.view import View
    from harness.stats.standings import standings

    with collector_off():
        records = BoardRecords.read(store)
        remote = isinstance(store, Mirror)
        folder = store.name if remote else os.path.relpath(store.root, output.parent if output else None)
        return made(View.of(records, standings(store, records), store, folder, rows, with_texts))


def render(store: Store, form: str) -> str:
    """A results folder in one of the formats; Markdown begins with a line that names the folder."""
    from harness.grouping.board_records import BoardRecords
    from harness.report.formats import FORMATS, formatted
    from harness.stats.standings import standings

    if form not in FORMATS:
        raise unknown("format", form, [*FORMATS, HTML])
    with collector_off():
        records = BoardRecords.read(store)
        text = formatted(form, records, standings(store, records))
    return _mark(store) + text if form == "md" else text


def tell_damaged(store: Store) -> None:
    """Name, on standard error, the records that were left out because they are damaged."""
    if store.damaged:
        from harness.recorded import damage_note

        typer.echo(damage_note(store.damaged), err=True)


def refresh(store: Store) -> str:
    """Write `leaderboard.md` into a results folder, or below its URL, and say where it is.

    Raises:
        BenchError: the URL cannot be written.
    """
    inside = store.root.absolute() / BOARD
    write_text(inside, render(store, "md"))
    return store.publish(inside.name) if isinstance(store, Mirror) else os.path.relpath(inside)


def _mark(store: Store) -> str:
    return f"<!-- bench leaderboard --results {Path(store.name).name} -->\n"
