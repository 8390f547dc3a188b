"""The input of the sections of the page, `View`: the board with its records and predictions; and what a section is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from harness.grouping.groups import BoardPlace, succeeded
from harness.published import published
from harness.report.board import Board
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import BEST_BASELINE, Row
from harness.stats.standings import Standings
from harness.store import Record, Store

ROWS = 500  # of a task's predictions that go into the page
Lines = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class View:
    """A board and what is behind it.

    Attributes:
        board: everything that is counted comes from here.
        places: the records of each of the board's entries, by seed.
        store: the results folder, for what the board does not hold; of `places` the records are cut (`harness.grouping.board_records`).
        folder: the results folder as the page's links name it, relative to the page.
        rows: of a task's predictions that go into the page at most.
        with_texts: whether the texts of these rows do, where the data can be read.
    """

    board: Board
    places: Mapping[BoardPlace, Sequence[Record]]
    store: Store
    folder: str
    rows: int = ROWS
    with_texts: bool = False

    @classmethod
    def of(
        cls,
        records: Iterable[Record],
        standings: Standings,
        store: Store,
        folder: str,
        rows: int = ROWS,
        with_texts: bool = False,
    ) -> View:
        """The view of records and their standings, with the published numbers that are registered."""
        board = Board.of(records, published=published(), standings=standings)
        return cls(board, standings.places[0], store, folder, rows, with_texts)

    @cached_property
    def _records(self) -> dict[tuple[str, str, str], Sequence[Record]]:
        return {(where.model, where.method, where.task): records for where, records in self.places.items()}

    @cached_property
    def rows_shown(self) -> list[Row]:
        """Those of the board's table, and last the baselines that it has in one row."""
        titles = {row.title for row in self.board.table_rows}
        return [*self.board.table_rows, *(row for row in self.board.rows if row.title not in titles)]

    def behind(self, row: Row, column: BoardColumn) -> Row:
        """The row that an entry was made for: of the row `best baseline` the one of the column's best baseline."""
        if not (row.is_baseline and row.model == BEST_BASELINE and column.hurdle):
            return row
        return next(one for one in self.board.rows if one.is_baseline and one.title == column.hurdle.model)

    def records(self, row: Row, column: BoardColumn) -> Sequence[Record]:
        """The records behind an entry, by seed; none where there is no such entry."""
        own = self.behind(row, column)
        return self._records.get((own.model, own.method, column.title), ())

    def rows_of(self, column: BoardColumn) -> list[Row]:
        """The rows that have a score in a column, in the board's order."""
        return [row for row in self.board.rows if (found := row.entries.get(column.title)) and found.mean is not None]

    def predictions(self, record: Record) -> Lines | None:
        """A record's predictions; None where it has none or they cannot be read."""
        if not succeeded(record):
            return None
        try:
            return self.store.predictions(record["id"]) or None
        except (FileNotFoundError, ValueError):  # ValueError: cut off by a crash of another program
            return None

    def training(self, record: Record) -> Mapping[str, Any]:
        """A record's `training`, from its file; empty where it has none."""
        if not succeeded(record):
            return {}
        found = self.store.record(record["id"]) or {}
        return found.get("training") or {}

    def address(self, record_id: str) -> str:
        """Where the page finds a cell's record."""
        return quote(f"{self.folder}/cells/{record_id}/record.json", safe="/.~-_")


@dataclass(frozen=True)
class Part:
    """The content of a section.

    Attributes:
        html: below its heading; must be of use without JavaScript too.
        data: for the script of the section, as JSON. None where it needs none.
    """

    html: Markup
    data: Any = None


@dataclass(frozen=True)
class Section:
    """An entry of `harness.report.page.render.SECTIONS`.

    Attributes:
        name: its anchor, and the name that its script asks for its data by; letters and hyphens.
        title: its heading.
        make: returns its content, or None where there is nothing to show.
        scripts: files of `js/` that it needs. A script is in the page once, however many sections name it.
        half: whether two such sections in a row stand side by side where the window is wide.
    """

    name: str
    title: str
    make: Callable[[View], Part | None]
    scripts: tuple[str, ...] = ()
    half: bool = False
