"""`bench leaderboard`: the table out of a results folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.options import RESULTS
from harness.files import write_text
from harness.remote.mirror import read_store
from harness.report.board_files import HTML, page, render
from harness.store import Store


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
    say_damaged(store)
    if output is None:
        print(text, end="")
    else:
        write_text(output, text)


def say_damaged(store: Store) -> None:
    """Name, on standard error, the records that were left out because they are damaged."""
    if store.damaged:
        from harness.record_parsing import damage_note

        typer.echo(damage_note(store.damaged), err=True)
