"""A results folder as a leaderboard in one of the formats, and `leaderboard.md` in the folder."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import unknown
from harness.files import write_text
from harness.remote.mirror import Mirror
from harness.store import Store

BOARD = "leaderboard.md"  # in the results folder
HTML = "html"  # needs more than a board: the predictions, and where the records are


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
    """A results folder in one of the formats; Markdown begins with a line that names the folder.

    Raises:
        BenchError: no such format, or no results.
    """
    from harness.grouping.board_records import BoardRecords
    from harness.report.formats import FORMATS, formatted
    from harness.stats.standings import standings

    if form not in FORMATS:
        raise unknown("format", form, [*FORMATS, HTML])
    with collector_off():
        records = BoardRecords.read(store)
        text = formatted(form, records, standings(store, records))
    return _mark(store) + text if form == "md" else text


def refresh(store: Store) -> str:
    """Write `leaderboard.md` into a results folder, or below its URL, and return where it is.

    Raises:
        BenchError: the URL cannot be written.
    """
    inside = store.root.absolute() / BOARD
    write_text(inside, render(store, "md"))
    return store.publish(inside.name) if isinstance(store, Mirror) else os.path.relpath(inside)


def _mark(store: Store) -> str:
    return f"<!-- bench leaderboard --results {Path(store.name).name} -->\n"


@contextmanager
def collector_off() -> Iterator[None]:
    """For work that builds very many objects and no circles: the garbage collector would look through all of them again and again."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
