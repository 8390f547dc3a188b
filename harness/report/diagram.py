"""The critical-difference diagram (Demšar 2006): average ranks on a line, and bars over those that cannot be told apart."""

from __future__ import annotations

import html
from collections.abc import Sequence

from rich.cells import cell_len

from harness.report.board import Board
from harness.report.over_tasks import title
from harness.report.overall import Overall, Ranked
from harness.shown import plain

AXIS = 420  # pixels from the first rank to the last
LETTER = 7.2  # pixels, of 12-pixel text
STEP, BAR = 20, 9  # pixels between names, and between bars
TOP = 48  # pixels above the axis
NOTHING = "No ranks over tasks: it takes two rows with a score on each of two tasks."


def escape(text: str) -> str:
    """A text as XML has it, which knows no control characters."""
    return html.escape(plain(text))


def diagram(board: Board) -> str:
    """An SVG picture of the average ranks, the best one left.

    A bar joins the rows that share a letter, and has a dot for each of them: a row between two dots is not of the group. The
    critical difference at the top is Nemenyi's; the groups are the board's, by paired differences (docs/statistics.md).
    """
    found = board.overall
    name = f"<title>{escape(f'Average ranks over {_joined(board)}')}</title>"  # what a reader's program says of the picture
    if found is None or not found.rows:
        return _picture(8 * len(NOTHING), 40, [name, _text(10, 25, NOTHING)])
    return _Diagram(found).picture(name)


def _joined(board: Board) -> str:
    return ", ".join(column.title for column in board.columns) or "no tasks"


class _Diagram:
    """Places of the things in one picture."""

    def __init__(self, found: Overall):
        self.found, self.rows = found, found.rows
        names = [f"{title(row)} ({row.rank.value:.2f})" for row in self.rows]
        self.names = dict(zip(self.rows, names, strict=True))
        self.margin = 24 + LETTER * max(map(cell_len, names))
        self.width = AXIS + 2 * self.margin
        self.bars = _bars(self.rows)
        self.first = TOP + 18 + BAR * len(self.bars)  # height of the first name

    def x(self, rank: float) -> float:
        return self.margin + (rank - 1) / (len(self.rows) - 1) * AXIS

    def picture(self, name: str) -> str:
        half = (len(self.rows) + 1) // 2
        left, right = self.rows[:half], self.rows[half:][::-1]  # the outermost first, so that no lines cross
        parts = [name, *self._axis(), *self._distance()]
        for side, rows, anchor in ((self.margin - 6, left, "end"), (self.margin + AXIS + 6, right, "start")):
            for number, row in enumerate(rows):
                y, x = self.first + STEP * number, self.x(row.rank.value)
                parts.append(f'<path d="M{x:.1f} {TOP}V{y:.1f}H{side:.1f}" fill="none" stroke="#555"/>')
                parts.append(_text(side + (-5 if anchor == "end" else 5), y + 4, self.names[row], anchor))
        for number, members in enumerate(self.bars):
            y, places = TOP + 12 + BAR * number, [self.x(row.rank.value) for row in members]
            parts.append(_line(min(places), y, max(places), y, 3))
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x in places]
        return _picture(self.width, self.first + STEP * half, parts)

    def _axis(self) -> list[str]:
        number = len(self.rows)
        every = -(-number // 20)  # so many ranks that their numbers do not touch
        parts = [_line(self.x(1), TOP, self.x(number), TOP, 1.5)]
        for rank in sorted({1, *range(every, number + 1, every)}):
            parts.append(_line(self.x(rank), TOP - 6, self.x(rank), TOP, 1))
            parts.append(_text(self.x(rank), TOP - 10, str(rank), "middle"))
        return parts

    def _distance(self) -> list[str]:
        """The critical difference, where it is shorter than the axis."""
        test = self.found.friedman
        if test is None or test.critical_difference > len(self.rows) - 1:
            return []
        start, end = self.x(1), self.x(1 + test.critical_difference)
        ends = [_line(x, 8, x, 16, 1) for x in (start, end)]
        return [_line(start, 12, end, 12, 1), *ends, _text(end + 6, 16, f"CD = {test.critical_difference:.2f}")]


def _bars(rows: Sequence[Ranked]) -> list[list[Ranked]]:
    """The members of each group of two or more, in the order of the letters."""
    split = {row: row.letters.split(".") if "." in row.letters else list(row.letters) for row in rows}
    letters = sorted({letter for own in split.values() for letter in own}, key=lambda letter: (len(letter), letter))
    groups = [[row for row in rows if letter in split[row]] for letter in letters]
    return [group for group in groups if len(group) > 1]


def _line(x: float, y: float, to_x: float, to_y: float, width: float) -> str:
    places = f'x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"'
    return f'<line {places} stroke="black" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _picture(width: float, height: float, parts: Sequence[str]) -> str:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
    return "\n".join([head, f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>', *parts, "</svg>"]) + "\n"
