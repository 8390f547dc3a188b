"""The board on a terminal: which model to fine-tune, then the widest form of the table that fits, then learning curves."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from harness.grouping.costs import NONE, shown_costs
from harness.report.board import Board
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.board_text import baselines_named, legend, marks, mean, score, spread, troubles
from harness.report.curve_text import curve_lines, point_text, size_headings
from harness.report.curves import Curve
from harness.report.verdict import verdict
from harness.shown import plain

BEST = "*"  # also visible without colours
MOST = 12  # tasks at most with a line of their own in the verdict
NOTES = 5  # notes at most on trainings in trouble


def curve_tables(board: Board) -> list[RenderableType]:
    """A table of models × training rows for each curve."""
    return [part for curve in board.curves for part in (Text(), _curve_table(curve))]


def _curve_table(curve: Curve) -> RenderableType:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(Text.assemble(curve.task, "\n", (curve.metric or NONE, "dim not bold")), overflow="fold")
    for heading in size_headings(curve):
        table.add_column(Text(heading), justify="right")
    for line in curve.lines:
        table.add_row(Text(line.title, style="italic dim" if line.is_baseline else ""), *map(point_text, line.points))
    table.add_row(*(Text(text, style="dim") for text in ("trivial answer", *(score(s.trivial) for s in curve.sizes))))
    return Group(table, *(Text(text, style="dim") for text in curve_lines(curve)))


@dataclass(frozen=True)
class Form:
    """A form of the table.

    Attributes:
        costs: whether it has the columns of cost.
        inline: whether the standard deviation is beside the mean, not below it.
        gap: number of blanks between columns.
    """

    costs: bool
    inline: bool
    gap: int = 2


FORMS = (Form(True, True), Form(True, False), Form(False, True), Form(False, False), Form(False, False, 1))


@dataclass(frozen=True)
class Lines:
    """Sentences wrapped between words, with hanging indent; words longer than a line are not broken."""

    lines: Sequence[str]
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.lines:
            for part in textwrap.wrap(
                plain(line), options.max_width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
            ):
                yield Text(part, style=self.style, overflow="ignore", no_wrap=True)


def final_table(board: Board, file: str = "") -> RenderableType:
    """The verdict, the table of models × tasks with the best of each column marked, and a legend and notes below.

    Args:
        board: the board.
        file: the leaderboard file that notes refer to; empty: `bench leaderboard`.
    """
    if not board.rows:
        return Text("no results")
    answer = verdict(board)
    sentences = answer.lines(MOST)
    if len(answer.tasks) > MOST:
        sentences.append(f"which model to take on each task: {file or 'bench leaderboard'}")
    several = any(entry.sd is not None for row in board.rows for entry in row.entries.values())
    what = "mean ± sample standard deviation over seeds" if several else "score on test, 0-100"
    best = [f"{BEST} best of the column"] if any(e.best for row in board.rows for e in row.entries.values()) else []
    if any(row.is_baseline for row in board.rows):
        what += ", baselines in italics"
    lines = [", ".join([what, *best]), *baselines_named(board), *legend(board, groups=False)]
    trouble_lines = troubles(board)
    more = [f"{len(trouble_lines) - NOTES} more: {file or 'bench leaderboard'}"] if len(trouble_lines) > NOTES else []
    lines += [f"note: {note}" for note in [*trouble_lines[:NOTES], *more, *board.notes]]
    return Group(Lines(sentences), Text(), _Fitting(board), Lines(lines, "dim"), *curve_tables(board))


class _Fitting:
    """The table in the widest form that fits the terminal, else transposed, else as several tables with some of the tasks each."""

    def __init__(self, board: Board):
        self.board = board

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        def fits(table: Table) -> bool:
            return Measurement.get(console, options.update(max_width=10_000), table).maximum <= options.max_width

        board, narrow = self.board, FORMS[-1]
        tables = (_table(board, board.columns, form) for form in FORMS)
        if (fitting := next(filter(fits, tables), None)) is not None:
            yield fitting
        elif len(board.columns) > len(board.table_rows) + 1 and fits(turned := _turned(board, narrow)):
            yield turned
        else:
            for number, columns in enumerate(_parts(board, narrow, fits)):
                yield from [Text()] * (number > 0)
                yield _table(board, columns, narrow)


def _parts(board: Board, form: Form, fits) -> Iterator[Sequence[BoardColumn]]:
    """The columns of several tables: as many in each as fit, at least one."""
    part: list[BoardColumn] = []
    for column in board.columns:
        if part and not fits(_table(board, [*part, column], form)):
            yield part
            part = []
        part.append(column)
    yield part


def _table(board: Board, columns: Sequence[BoardColumn], form: Form) -> Table:
    """The table of some columns; the average is behind the last column of the board."""
    rows = board.table_rows
    table = Table(box=None, header_style="bold", padding=(0, form.gap, 0, 0), pad_edge=False)
    table.add_column("model", overflow="fold")
    headings = dict(zip((column.title for column in board.columns), _headings(board.columns), strict=True))
    for column in columns:
        heading = Text.assemble(headings[column.title], "\n", (column.metric or NONE, "dim not bold"))
        table.add_column(heading, justify="right", no_wrap=True)
    average = len(board.columns) > 1 and columns[-1] is board.columns[-1]
    if average:
        table.add_column("average" if form.inline else "avg", justify="right", no_wrap=True)
    costs = shown_costs(rows) if form.costs else []
    for cost in costs:
        table.add_column(cost.short or cost.of_task or cost.title, justify="right", no_wrap=True)
    cells = [_cells(rows, column, form) for column in columns]
    if average:
        cells.append([*(_number(score(row.average), row.best) for row in rows), Text(score(board.trivial_average))])
    cells += [[*(Text(cost.cell_text(row)) for row in rows), Text("")] for cost in costs]
    names = [*map(_title, rows), Text("trivial answer", style="dim")]
    for line in zip(names, *cells, strict=True):
        table.add_row(*line)
    return table


def _turned(board: Board, form: Form) -> Table:
    """Tasks × models, for many tasks and few models."""
    rows = board.table_rows
    table = Table(box=None, header_style="bold", padding=(0, form.gap, 0, 0), pad_edge=False)
    table.add_column("task", overflow="fold")
    for row in rows:
        table.add_column(_title(row), justify="right", no_wrap=True)
    table.add_column(Text("trivial", style="dim"), justify="right", no_wrap=True)
    for column, heading in zip(board.columns, _headings(board.columns), strict=True):
        name = Text.assemble(heading, " ", (column.metric or NONE, "dim"))
        table.add_row(name, *_cells(rows, column, form))
    averages = [_number(score(row.average), row.best) for row in rows]
    table.add_row("average", *averages, Text(score(board.trivial_average), style="dim"))
    return table


def _cells(rows: Iterable[Row], column: BoardColumn, form: Form) -> list[Text]:
    """A column from top to bottom, padded to the longest spread and marks so that numbers are aligned."""
    entries = [row.entries.get(column.title) for row in rows]
    spreads = [spread(entry.sd) if entry else "" for entry in entries]
    marked = max((len(marks(entry)) for entry in entries if entry), default=0)
    beside = max(map(len, spreads), default=0) if form.inline else 0
    cells = []
    for entry, after in zip(entries, spreads, strict=True):
        number = _number(mean(entry), bool(entry and entry.best))
        letters = (marks(entry) if entry else "").ljust(marked)
        text = Text.assemble(number, (after if form.inline else "").ljust(beside), (letters, "yellow"))
        if after and not form.inline:
            text.append(f"\n{after.replace(' ', '')}{' ' * marked}", style="dim")
        cells.append(text)
    return [*cells, Text(score(column.trivial) + " " * (beside + marked), style="dim")]


def _title(row: Row) -> Text:
    """The title of a row; baselines are dim and in italics."""
    return Text(plain(row.title), style="italic dim" if row.is_baseline else "")


def _number(text: str, best: bool) -> Text:
    return Text(BEST + text, style="bold green") if best else Text(text)


def _headings(columns: Sequence[BoardColumn]) -> list[str]:
    """Titles without their common first words: `mini-ner`, `mini-qa` → `ner`, `qa`."""
    words = [column.title.split("-") for column in columns]
    common = 0
    while len(words) > 1 and all(len(word) > common + 1 and word[common] == words[0][common] for word in words):
        common += 1
    return [plain("-".join(word[common:])) for word in words]
