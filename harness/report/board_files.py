"""Make the leaderboard of a results folder in one of the formats, and write `leaderboard.md` into the folder."""

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

BOARD = "leaderboard.md"  # file name in the results folder
HTML = "html"  # not in `FORMATS`, because it also needs the predictions and the addresses of the records


def page(store: Store, output: Path | None, rows: int, with_texts: bool = False) -> str:
    """Return the leaderboard as an HTML page, whose links lead from the folder of `output` to the records."""
    from harness.grouping.board_records import BoardRecords
    from harness.report.page.render import page as render_page
    from harness.report.page.view import View
    from harness.stats.standings import standings

    with collector_off():
        records = BoardRecords.read(store)
        is_remote = isinstance(store, Mirror)
        folder = store.name if is_remote else os.path.relpath(store.root, output.parent if output else None)
        return render_page(View.of(records, standings(store, records), store, folder, rows, with_texts))


def render(store: Store, form: str) -> str:
    """Return the leaderboard in one of the other formats; Markdown begins with a line that names the folder.

    Raises:
        BenchError: the format is unknown, or there are no results.
    """
    from harness.grouping.board_records import BoardRecords
    from harness.report.formats import FORMATS, formatted
    from harness.stats.standings import standings

    if form not in FORMATS:
        raise unknown("format", form, [*FORMATS, HTML])
    with collector_off():
        records = BoardRecords.read(store)
        text = formatted(form, records, standings(store, records))
    return f"<!-- bench leaderboard --results {Path(store.name).name} -->\n{text}" if form == "md" else text


def refresh(store: Store) -> str:
    """Write `leaderboard.md` into a results folder, or below its URL, and return its path or URL.

    Raises:
        BenchError: the URL cannot be written to.
    """
    file = store.root.absolute() / BOARD
    write_text(file, render(store, "md"))
    return store.publish(file.name) if isinstance(store, Mirror) else os.path.relpath(file)


@contextmanager
def collector_off() -> Iterator[None]:
    """Turn the garbage collector off, which would scan very many objects without reference cycles again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
