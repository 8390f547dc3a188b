"""The input of the sections of the page (`View`), and the templates that they fill (`fill`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.files import dump_json
from harness.grouping.groups import BoardPlace, succeeded
from harness.published import published
from harness.report.board import Board
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import BEST_BASELINE, Row
from harness.safe_text import visible
from harness.stats.standings import Standings
from harness.store import Record, Store

ROWS = 500  # test rows of a task whose predictions are on the page
# Characters that end a script element, or that change the direction of text.
UNSAFE_IN_SCRIPT = "<>&\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
Lines = Sequence[Mapping[str, Any]]  # predictions, one mapping for each test row


@dataclass(frozen=True)
class View:
    """A board with its records and predictions.

    Attributes:
        board: the board.
        places: the records of each entry, by seed, cut to what a board needs (`harness.grouping.board_records`).
        store: the results folder, for predictions and whole records.
        folder: the results folder relative to the page, for links.
        rows: maximum number of test rows of a task whose predictions are on the page.
        with_texts: whether to add the texts of these rows, if the data can be read.
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
        """Make the view of records and their standings, with registered published numbers."""
        board = Board.of(records, published=published(), standings=standings)
        return cls(board, standings.places[0], store, folder, rows, with_texts)

    @cached_property
    def _records(self) -> dict[tuple[str, str, str], Sequence[Record]]:
        return {(place.model, place.method, place.task): records for place, records in self.places.items()}

    @cached_property
    def rows_shown(self) -> list[Row]:
        """The rows of the main table, followed by the baselines that it combines into one row."""
        titles = {row.title for row in self.board.table_rows}
        return [*self.board.table_rows, *(row for row in self.board.rows if row.title not in titles)]

    def source_row(self, row: Row, column: BoardColumn) -> Row:
        """Return the row that an entry comes from: for `best baseline`, the row of the best baseline of the column."""
        if not (row.is_baseline and row.model == BEST_BASELINE and column.hurdle):
            return row
        return next(other for other in self.board.rows if other.is_baseline and other.title == column.hurdle.model)

    def records(self, row: Row, column: BoardColumn) -> Sequence[Record]:
        """Return the records of an entry, by seed; empty if there is no such entry."""
        row = self.source_row(row, column)
        return self._records.get((row.model, row.method, column.title), ())

    def rows_of(self, column: BoardColumn) -> list[Row]:
        """Return the rows with a score in a column, in the order of the board."""
        return [row for row in self.board.rows if (entry := row.entries.get(column.title)) and entry.mean is not None]

    def predictions(self, record: Record) -> Lines | None:
        """Return the predictions of a record; None if it has none or they cannot be read."""
        if not succeeded(record):
            return None
        try:
            return self.store.predictions(record["id"]) or None
        except (FileNotFoundError, ValueError):  # ValueError: a line is cut off
            return None

    def training(self, record: Record) -> Mapping[str, Any]:
        """Return the `training` of a record from its file; empty if it has none."""
        if not succeeded(record):
            return {}
        return (self.store.record(record["id"]) or {}).get("training") or {}

    def address(self, record_id: str) -> str:
        """Return the address of a record, for a link of the page."""
        return quote(f"{self.folder}/cells/{record_id}/record.json", safe="/.~-_")


@dataclass(frozen=True)
class Part:
    """The content of a section.

    Attributes:
        html: the content below its heading, which must be useful without JavaScript too.
        data: JSON data for the script of the section; None if it needs none.
    """

    html: Markup
    data: Any = None


@dataclass(frozen=True)
class Section:
    """An entry of `harness.report.page.render.SECTIONS`.

    Attributes:
        name: its anchor, and the name by which its script finds its data; letters and hyphens.
        title: its heading.
        make: returns its content, or None if there is nothing to show.
        scripts: files of `js/` that it needs. Each script is on the page once.
        half: whether two such sections in a row are side by side in a wide window.
    """

    name: str
    title: str
    make: Callable[[View], Part | None]
    scripts: tuple[str, ...] = ()
    half: bool = False


def fill(template: str, /, **values: Any) -> Markup:
    """Fill a file of `templates/` with these values.

    Every value is escaped unless it is `Markup`, so that no text of a record can become a tag.
    """
    return Markup(_templates().get_template(template).render(values))


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness.report.page"),
        autoescape=True,
        finalize=_printable,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["data_block"] = data_block
    return environment


def _printable(value: Any) -> Any:
    """Make control characters and direction marks visible; None becomes empty."""
    if value is None:
        return ""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def data_block(data: Any) -> Markup:
    """Return JSON for a script element, in which nothing can end the element. NaN and infinity become null."""
    text = dump_json(data, separators=(",", ":"))
    for letter in UNSAFE_IN_SCRIPT:
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)
