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


def leaderboard(
    results: options.Results = RESULTS,
    form: Annotated[str, typer.Option("--format", envvar="BENCH_FORMAT", help="md, json, csv.")] = "md",
    output: Annotated[
        Path | None, typer.Option("--output", envvar="BENCH_OUTPUT", help="A file; default: print.")
    ] = None,
) -> None:
    """Make the leaderboard from a results folder."""
    text = render(read_store(results), form)
    if output is None:
        print(text, end="")
    else:
        write_text(output, text)


def render(store: Store, form: str) -> str:
    """A results folder in one of the formats; Markdown begins with a line that names the folder."""
    from harness.report.formats import FORMATS, formatted
    from harness.report.parts import Needed
    from harness.stats.standings import standings

    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
    with collector_off():
        records = Needed.read(store)
        text = formatted(form, records, standings(store, records))
    return _mark(store) + text if form == "md" else text


def refresh(store: Store) -> str:
    """Write `leaderboard.md` beside a results folder and say where it is; with a URL it goes into the folder there.

    A file of that name that was made from another folder, or by hand, is left alone: the new one goes into the folder then.

    Raises:
        BenchError: the URL cannot be written.
    """
    inside = store.root.absolute() / "leaderboard.md"
    if isinstance(store, Mirror):
        write_text(inside, render(store, "md"))
        return store.publish(inside.name)
    beside = store.root.absolute().parent / "leaderboard.md"
    if beside.exists() and not beside.read_text(encoding="utf-8").startswith(_mark(store)):
        beside = inside
    write_text(beside, render(store, "md"))
    return os.path.relpath(beside)


def _mark(store: Store) -> str:
    return f"<!-- bench leaderboard --results {Path(store.name).name} -->\n"
