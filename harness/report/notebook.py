"""The board as a small piece of HTML for notebooks: no styles or scripts but its own."""

from __future__ import annotations

from html import escape

from harness.grouping.costs import shown_costs
from harness.report.board import Board
from harness.report.board_text import NONE, baselines_named, legend, marks, mean, score, spread, troubles
from harness.report.verdict import verdict
from harness.shown import plain


def leaderboard(board: Board) -> str:
    """The verdict, models × tasks with the best of each column in bold, and a legend."""
    if not board.rows:
        return "<p>no results</p>"
    rows, costs = board.table_rows, shown_costs(board.table_rows)
    average = len(board.columns) > 1
    headings = ["model", *(f"{_text(one.title)}<br><small>{_text(one.metric or NONE)}</small>" for one in board.columns)]
    headings += ["average"] * average + [_text(cost.title) for cost in costs]
    lines = []
    for row in rows:
        cells = []
        for column in board.columns:
            entry = row.entries.get(column.title)
            number = _text(mean(entry) + spread(entry.sd if entry else None))
            cells.append((f"<b>{number}</b>" if entry and entry.best else number) + (f"<sup>{_text(marks(entry))}</sup>" if entry and marks(entry) else ""))
        cells += [f"<b>{score(row.average)}</b>" if row.best else score(row.average)] * average
        cells += [_text(cost.cell_text(row)) for cost in costs]
        name = _text(row.title)
        lines.append([f"<i>{name}</i>" if row.is_baseline else name, *cells])
    trivial = [score(column.trivial) for column in board.columns] + [score(board.trivial_average)] * average + [""] * len(costs)
    lines.append(["<i>trivial answer</i>", *trivial])
    head = "".join(f"<th style='text-align:{'right' if number else 'left'}'>{one}</th>" for number, one in enumerate(headings))
    body = "".join(f"<tr>{''.join(_cell(number, one) for number, one in enumerate(line))}</tr>" for line in lines)
    notes = [*baselines_named(board), *legend(board, groups=False), *(f"note: {line}" for line in [*troubles(board), *board.notes])]
    return (
        f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in verdict(board).lines())}</ul>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<small>scores on test, 0-100; bold: best of the column{''.join(f'<br>{_text(line)}' for line in notes)}</small>"
    )


def _cell(number: int, content: str) -> str:
    return f"<td style='text-align:{'right' if number else 'left'};white-space:nowrap'>{content}</td>"


def _text(text: str) -> str:
    return escape(plain(text))
