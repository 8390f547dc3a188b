"""The board on a terminal and in a notebook."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from harness.grouping.costs import NONE, shown_costs
from harness.report.board import Board
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.board_text import baselines_named, legend, marks, mean, score, spread, troubles
from harness.report.curves import Curve, curve_sentences, point_text, size_headings
from harness.report.verdict import verdict
from harness.safe_text import plain

BEST = "*"  # also visible without colours
MAX_TASKS = 12  # tasks with a line of their own in the verdict
MAX_TROUBLES = 5  # notes on trainings that failed or fell short


@dataclass(frozen=True)
class TableLayout:
    """A layout of the table.

    Attributes:
        costs: whether it has the columns of cost.
        inline: whether the standard deviation is beside the mean, not below it.
        gap: number of blanks between columns.
    """

    costs: bool
    inline: bool
    gap: int = 2


LAYOUTS = (TableLayout(True, True), TableLayout(True, False), TableLayout(False, True), TableLayout(False, False), TableLayout(False, False, 1))


@dataclass(frozen=True)
class Sentences:
    """Sentences wrapped between words, with a hanging indent; words longer than a line are not broken."""

    sentences: Sequence[str]
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for sentence in self.sentences:
            for line in textwrap.wrap(
                plain(sentence), options.max_width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
            ):
                yield Text(line, style=self.style, overflow="ignore", no_wrap=True)


def final_table(board: Board, file: str = "") -> RenderableType:
    """Return the verdict, the table of models × tasks, a legend, notes and learning curves.

    Args:
        board: the board.
        file: the leaderboard file that notes refer to; empty: `bench leaderboard`.
    """
    if not board.rows:
        return Text("no results")
    full_board = file or "bench leaderboard"
    sentences = verdict(board).lines(MAX_TASKS)
    if len(board.columns) > MAX_TASKS:
        sentences.append(f"which model to take on each task: {full_board}")
    entries = [entry for row in board.rows for entry in row.entries.values()]
    with_sd = any(entry.sd is not None for entry in entries)
    explained = ["mean ± sample standard deviation over seeds" if with_sd else "score on test, 0-100"]
    explained += ["baselines in italics"] if any(row.is_baseline for row in board.rows) else []
    explained += [f"{BEST} best of the column"] if any(entry.best for entry in entries) else []
    lines = [", ".join(explained), *baselines_named(board), *legend(board, groups=False)]
    trouble_lines = troubles(board)
    left_out = len(trouble_lines) - MAX_TROUBLES
    more = [f"{left_out} more: {full_board}"] if left_out > 0 else []
    lines += [f"note: {note}" for note in [*trouble_lines[:MAX_TROUBLES], *more, *board.notes]]
    curves = [part for curve in board.curves for part in (Text(), _curve_table(curve))]
    return Group(Sentences(sentences), Text(), _FittingTable(board), Sentences(lines, "dim"), *curves)


def _curve_table(curve: Curve) -> RenderableType:
    table = _empty_table(2)
    table.add_column(Text.assemble(curve.task, "\n", (curve.metric or NONE, "dim not bold")), overflow="fold")
    for heading in size_headings(curve):
        table.add_column(Text(heading), justify="right")
    for line in curve.lines:
        table.add_row(Text(line.title, style="italic dim" if line.is_baseline else ""), *map(point_text, line.points))
    trivial = ("trivial answer", *(score(size.trivial) for size in curve.sizes))
    table.add_row(*(Text(text, style="dim") for text in trivial))
    return Group(table, *(Text(sentence, style="dim") for sentence in curve_sentences(curve)))


class _FittingTable:
    """The table in the widest layout that fits the terminal, else transposed, else split into several tables."""

    def __init__(self, board: Board):
        self.board = board

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        def fits(table: Table) -> bool:
            return Measurement.get(console, options.update(max_width=10_000), table).maximum <= options.max_width

        board, narrow = self.board, LAYOUTS[-1]
        tables = (_table(board, board.columns, layout) for layout in LAYOUTS)
        if (fitting := next(filter(fits, tables), None)) is not None:
            yield fitting
        elif len(board.columns) > len(board.table_rows) + 1 and fits(transposed := _transposed(board, narrow)):
            yield transposed
        else:
            for number, columns in enumerate(_column_groups(board, narrow, fits)):
                yield from [Text()] * (number > 0)
                yield _table(board, columns, narrow)


def _column_groups(board: Board, layout: TableLayout, fits: Callable[[Table], bool]) -> Iterator[Sequence[BoardColumn]]:
    """Return the columns of several tables: as many in each as fit, at least one."""
    columns: list[BoardColumn] = []
    for column in board.columns:
        if columns and not fits(_table(board, [*columns, column], layout)):
            yield columns
            columns = []
        columns.append(column)
    yield columns


def _empty_table(gap: int) -> Table:
    return Table(box=None, header_style="bold", padding=(0, gap, 0, 0), pad_edge=False)


def _table(board: Board, columns: Sequence[BoardColumn], layout: TableLayout) -> Table:
    """Return the table of some columns; the average follows the last column of the board."""
    rows = board.table_rows
    table = _empty_table(layout.gap)
    table.add_column("model", overflow="fold")
    headings = dict(zip((column.title for column in board.columns), _headings(board.columns), strict=True))
    for column in columns:
        heading = Text.assemble(headings[column.title], "\n", (column.metric or NONE, "dim not bold"))
        table.add_column(heading, justify="right", no_wrap=True)
    cells = [_cells(rows, column, layout) for column in columns]
    if len(board.columns) > 1 and columns[-1] is board.columns[-1]:
        table.add_column("average" if layout.inline else "avg", justify="right", no_wrap=True)
        cells.append([*(_number(score(row.average), row.best) for row in rows), Text(score(board.trivial_average))])
    for cost in shown_costs(rows) if layout.costs else ():
        table.add_column(cost.short or cost.of_task or cost.title, justify="right", no_wrap=True)
        cells.append([*(Text(cost.cell_text(row)) for row in rows), Text("")])
    names = [*map(_title, rows), Text("trivial answer", style="dim")]
    for line in zip(names, *cells, strict=True):
        table.add_row(*line)
    return table


def _transposed(board: Board, layout: TableLayout) -> Table:
    """Return the table of tasks × models, for many tasks and few models."""
    rows = board.table_rows
    table = _empty_table(layout.gap)
    table.add_column("task", overflow="fold")
    for row in rows:
        table.add_column(_title(row), justify="right", no_wrap=True)
    table.add_column(Text("trivial", style="dim"), justify="right", no_wrap=True)
    for column, heading in zip(board.columns, _headings(board.columns), strict=True):
        name = Text.assemble(heading, " ", (column.metric or NONE, "dim"))
        table.add_row(name, *_cells(rows, column, layout))
    averages = [_number(score(row.average), row.best) for row in rows]
    table.add_row("average", *averages, Text(score(board.trivial_average), style="dim"))
    return table


def _cells(rows: Iterable[Row], column: BoardColumn, layout: TableLayout) -> list[Text]:
    """Return a column from top to bottom, padded to the longest spread and marks so that numbers are aligned."""
    entries = [row.entries.get(column.title) for row in rows]
    spreads = [spread(entry.sd) if entry else "" for entry in entries]
    marks_width = max((len(marks(entry)) for entry in entries if entry), default=0)
    spread_width = max(map(len, spreads), default=0) if layout.inline else 0
    cells = []
    for entry, sd in zip(entries, spreads, strict=True):
        number = _number(mean(entry), bool(entry and entry.best))
        letters = (marks(entry) if entry else "").ljust(marks_width)
        text = Text.assemble(number, (sd if layout.inline else "").ljust(spread_width), (letters, "yellow"))
        if sd and not layout.inline:
            text.append(f"\n{sd.replace(' ', '')}{' ' * marks_width}", style="dim")
        cells.append(text)
    return [*cells, Text(score(column.trivial) + " " * (spread_width + marks_width), style="dim")]


def _title(row: Row) -> Text:
    return Text(plain(row.title), style="italic dim" if row.is_baseline else "")


def _number(text: str, best: bool) -> Text:
    return Text(BEST + text, style="bold green") if best else Text(text)


def _headings(columns: Sequence[BoardColumn]) -> list[str]:
    """Return the titles without their common first words: `mini-ner`, `mini-qa` → `ner`, `qa`."""
    words = [column.title.split("-") for column in columns]
    common = 0
    while len(words) > 1 and all(len(word) > common + 1 and word[common] == words[0][common] for word in words):
        common += 1
    return [plain("-".join(word[common:])) for word in words]


def notebook_table(board: Board) -> str:
    """Return the board as a small piece of HTML, without scripts and with inline styles only."""
    if not board.rows:
        return "<p>no results</p>"
    rows, costs = board.table_rows, shown_costs(board.table_rows)
    has_average = len(board.columns) > 1
    headings = ["model", *(f"{_html(one.title)}<br><small>{_html(one.metric or NONE)}</small>" for one in board.columns)]
    headings += ["average"] * has_average + [_html(cost.title) for cost in costs]
    lines = []
    for row in rows:
        title = _html(row.title)
        cells = [f"<i>{title}</i>" if row.is_baseline else title]
        for column in board.columns:
            entry = row.entries.get(column.title)
            number = _html(mean(entry) + spread(entry.sd if entry else None))
            letters = f"<sup>{_html(marks(entry))}</sup>" if entry and marks(entry) else ""
            cells.append((f"<b>{number}</b>" if entry and entry.best else number) + letters)
        cells += [f"<b>{score(row.average)}</b>" if row.best else score(row.average)] * has_average
        lines.append(cells + [_html(cost.cell_text(row)) for cost in costs])
    trivial = [score(column.trivial) for column in board.columns] + [score(board.trivial_average)] * has_average
    lines.append(["<i>trivial answer</i>", *trivial, *("" for _ in costs)])
    head = "".join(f"<th style='{_alignment(number)}'>{heading}</th>" for number, heading in enumerate(headings))
    body = ""
    for line in lines:
        cells = (f"<td style='{_alignment(number)};white-space:nowrap'>{cell}</td>" for number, cell in enumerate(line))
        body += f"<tr>{''.join(cells)}</tr>"
    notes = [*baselines_named(board), *legend(board, groups=False)]
    notes += [f"note: {line}" for line in [*troubles(board), *board.notes]]
    return (
        f"<ul>{''.join(f'<li>{_html(line)}</li>' for line in verdict(board).lines())}</ul>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<small>scores on test, 0-100; bold: best of the column{''.join(f'<br>{_html(line)}' for line in notes)}</small>"
    )


def _alignment(column: int) -> str:
    return f"text-align:{'right' if column else 'left'}"


def _html(text: str) -> str:
    return escape(plain(text))
