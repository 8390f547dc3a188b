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

ROWS = 500  # rows of a task whose predictions go into the page
Lines = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class View:
    """A board with its records and predictions.

    Attributes:
        board: the board.
        places: the records of each entry, by seed, cut to what a board needs (`harness.grouping.board_records`).
        store: the results folder, for predictions and whole records.
        folder: the results folder relative to the page, for links.
        rows: number of rows of a task whose predictions go into the page at most.
        with_texts: whether to add the texts of these rows, where the data can be read.
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
        """The view of records and their standings, with registered published numbers."""
        board = Board.of(records, published=published(), standings=standings)
        return cls(board, standings.places[0], store, folder, rows, with_texts)

    @cached_property
    def _records(self) -> dict[tuple[str, str, str], Sequence[Record]]:
        return {(where.model, where.method, where.task): records for where, records in self.places.items()}

    @cached_property
    def rows_shown(self) -> list[Row]:
        """The rows of the main table, and then the baselines that it shows as one row."""
        titles = {row.title for row in self.board.table_rows}
        return [*self.board.table_rows, *(row for row in self.board.rows if row.title not in titles)]

    def behind(self, row: Row, column: BoardColumn) -> Row:
        """The row that an entry belongs to: for the row `best baseline` that of the best baseline of the column."""
        if not (row.is_baseline and row.model == BEST_BASELINE and column.hurdle):
            return row
        return next(one for one in self.board.rows if one.is_baseline and one.title == column.hurdle.model)

    def records(self, row: Row, column: BoardColumn) -> Sequence[Record]:
        """The records of an entry, by seed; empty where there is no such entry."""
        own = self.behind(row, column)
        return self._records.get((own.model, own.method, column.title), ())

    def rows_of(self, column: BoardColumn) -> list[Row]:
        """The rows with a score in a column, in the order of the board."""
        return [row for row in self.board.rows if (entry := row.entries.get(column.title)) and entry.mean is not None]

    def predictions(self, record: Record) -> Lines | None:
        """The predictions of a record; None where it has none or they cannot be read."""
        if not succeeded(record):
            return None
        try:
            return self.store.predictions(record["id"]) or None
        except (FileNotFoundError, ValueError):  # ValueError: a line is cut off
            return None

    def training(self, record: Record) -> Mapping[str, Any]:
        """The `training` of a record, from its file; empty where it has none."""
        if not succeeded(record):
            return {}
        whole = self.store.record(record["id"]) or {}
        return whole.get("training") or {}

    def address(self, record_id: str) -> str:
        """The address of the record of a cell, for a link of the page."""
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
