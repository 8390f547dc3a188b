"""The board on a terminal, in the widest form that fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from harness.report.board import Board
from harness.report.columns import Column
from harness.report.costs import costs_of
from harness.report.rows import Row
from harness.report.show import show
from harness.report.terminal_curves import curve_tables
from harness.report.text import NONE, legend, marks, mean, score, spread

__all__ = ["final_table", "show"]

BEST = "*"  # also seen where there is no colour


@dataclass(frozen=True)
class Form:
    """How much a table shows.

    Attributes:
        costs: the columns on parameters, time and memory.
        inline: the standard deviation beside the mean, not below it.
        gap: blanks between columns.
    """

    costs: bool
    inline: bool
    gap: int = 2


FORMS = (Form(True, True), Form(False, True), Form(False, False), Form(False, False, 1))


def final_table(board: Board) -> RenderableType:
    """Models × tasks, best of each column marked, with a legend and notes below."""
    if not board.rows:
        return Text("no results")
    several = any(entry.sd is not None for row in board.rows for entry in row.entries.values())
    what = "mean ± sample standard deviation over seeds" if several else "score on test, 0-100"
    best = [f"{BEST} best of the column"] if any(e.best for row in board.rows for e in row.entries.values()) else []
    if any(row.is_baseline for row in board.rows):
        what += ", baselines last"
    lines = [", ".join([what, *best]), *legend(board), *(f"note: {note}" for note in board.notes)]
    return Group(_Fitting(board), *(Text(line, style="dim") for line in lines), *curve_tables(board))


class _Fitting:
    """A renderable that chooses its form when the width is known: the widest that fits, else the table turned round."""

    def __init__(self, board: Board):
        self.board = board

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for form in FORMS:
            table = _table(self.board, form)
            if Measurement.get(console, options.update(max_width=10_000), table).maximum <= options.max_width:
                break
        else:
            if len(self.board.columns) > len(self.board.rows) + 1:
                table = _turned(self.board, FORMS[-1])
        yield table


def _table(board: Board, form: Form) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, form.gap, 0, 0), pad_edge=False)
    table.add_column("model", overflow="fold")
    for column, heading in zip(board.columns, _headings(board.columns), strict=True):
        table.add_column(
            Text.assemble(heading, "\n", (column.metric or NONE, "dim not bold")), justify="right", overflow="fold"
        )
    average = len(board.columns) > 1
    if average:
        table.add_column("average" if form.inline else "avg", justify="right")
    costs = costs_of(board.rows) if form.costs else []
    for cost in costs:
        table.add_column(cost.short or cost.of_task or cost.title, justify="right", no_wrap=True)
    cells = [_cells(board, column, form) for column in board.columns]
    if average:
        cells.append(
            [_number(score(row.average), row.best) for row in board.rows] + [Text(score(board.trivial_average))]
        )
    cells += [[*(Text(cost.shown(row)) for row in board.rows), Text("")] for cost in costs]
    names = [*map(_title, board.rows), Text("trivial answer", style="dim")]
    for line in zip(names, *cells, strict=True):
        table.add_row(*line)
    return table


def _turned(board: Board, form: Form) -> Table:
    """Tasks × models, for many tasks and few models."""
    table = Table(box=None, header_style="bold", padding=(0, form.gap, 0, 0), pad_edge=False)
    table.add_column("task", overflow="fold")
    for row in board.rows:
        table.add_column(_title(row), justify="right", overflow="fold")
    table.add_column(Text("trivial", style="dim"), justify="right")
    for column, heading in zip(board.columns, _headings(board.columns), strict=True):
        name = Text.assemble(heading, " ", (column.metric or NONE, "dim"))
        table.add_row(name, *_cells(board, column, form))
    averages = [_number(score(row.average), row.best) for row in board.rows]
    table.add_row("average", *averages, Text(score(board.trivial_average), style="dim"))
    return table


def _cells(board: Board, column: Column, form: Form) -> list[Text]:
    """A column from top to bottom, with room for the longest spread and marks, so that numbers stand below each other."""
    entries = [row.entries.get(column.title) for row in board.rows]
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
    """Baselines stand apart, as the trivial answer does."""
    return Text(row.title, style="italic dim" if row.is_baseline else "")


def _number(text: str, best: bool) -> Text:
    return Text(BEST + text, style="bold green") if best else Text(text)


def _headings(columns: Sequence[Column]) -> list[str]:
    """Titles without the words that all begin with: `mini-ner`, `mini-qa` → `ner`, `qa`."""
    words = [column.title.split("-") for column in columns]
    common = 0
    while len(words) > 1 and all(len(word) > common + 1 and word[common] == words[0][common] for word in words):
        common += 1
    return ["-".join(word[common:]) for word in words]
