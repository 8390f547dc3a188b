"""Ranks over all tasks: the section of leaderboard.md, and the critical-difference diagram (Demšar 2006)."""

from __future__ import annotations

import html
from collections.abc import Sequence

from rich.cells import cell_len

from harness.grouping.costs import NONE
from harness.report.board import Board
from harness.report.board_text import FLAGS
from harness.report.markdown_tables import escape, table
from harness.safe_text import plain
from harness.stats.multiple_tests import rank_intervals, rank_text, split_letters, too_many_letters
from harness.stats.over_tasks import Friedman, Overall, Ranked, TaskMean

WIDTH = 31  # characters of the scale of ranks
AXIS = 420  # pixels from the first rank to the last
LETTER = 7.2  # pixels, of 12-pixel text
STEP, BAR = 20, 9  # pixels between names, and between bars
TOP = 48  # pixels above the axis
NOTHING = "No ranks over tasks: it takes two rows with a score on each of two tasks."


def shows_ranks(overall: Overall) -> bool:
    """Whether the rows need so many letters that ranks are shown instead."""
    return too_many_letters([row.letters for row in overall.rows]) and all(row.score for row in overall.rows)


def group_texts(overall: Overall) -> list[str]:
    """Return the group of each row: letters, or the ranks by normalised score that it may have."""
    if not shows_ranks(overall):
        return [row.letters for row in overall.rows]
    intervals = rank_intervals([(row.score.value, split_letters(row.letters)) for row in overall.rows if row.score])
    return [rank_text(interval) for interval in intervals]


def over_tasks(board: Board) -> list[str]:
    """Return the section: average ranks with their intervals drawn, normalised scores, win rates and groups."""
    overall = board.overall
    if overall is None:
        return []
    parts = ["## Over all tasks"]
    if overall.rows:
        parts += [over_tasks_introduction(overall), _markdown_table(overall)]
        parts += [friedman_sentence(overall.friedman, overall)] if overall.friedman else []
    notes = "\n".join(f"- {escape(note)}" for note in over_tasks_notes(overall))
    return [*parts, notes] if notes else parts


def over_tasks_notes(overall: Overall) -> list[str]:
    """Return the notes, and a sentence on each row that is left out."""
    left_out = [f"{row.title} is left out: no score on {', '.join(row.missing)}." for row in overall.left_out]
    return [*overall.notes, *left_out]


def over_tasks_introduction(overall: Overall) -> str:
    """Return a paragraph that explains the figures."""
    text = (
        f"The {len(overall.rows)} rows with a score on all {len(overall.tasks)} tasks. Rank: the mean over tasks of the rank by mean "
        "score, 1 is best. Normalised: the mean over tasks of the score where 0 is the trivial answer's and 1 the best row's. Wins: "
        "the chance that a training of this row beats one of another row on the same task."
    )
    if any(row.rank.low is not None for row in overall.rows):
        text += " In brackets 95 % intervals: what more tasks of this kind, other seeds and other test rows would give."
    if shows_ranks(overall):
        text += (
            " Group: between which ranks by normalised score a row lies (95 % sure for all together); two without a rank in common "
            "cannot be equal."
        )
    elif any(row.letters for row in overall.rows):
        text += " Rows that share a letter cannot be told apart over the tasks (level 0.05 over all pairs)."
    return text


def friedman_sentence(test: Friedman, overall: Overall) -> str:
    """Return the result of the test and the critical difference as a sentence."""
    p = "p < 0.001" if test.p < 0.001 else f"p = {test.p:.3f}"
    caution = "" if len(overall.tasks) >= 10 else f", of which {len(overall.tasks)} tasks allow no more than a rough idea"
    return (
        f"Friedman's test that all rows are equal: χ² = {test.statistic:.2f}, {test.degrees} degrees of freedom, {p}{caution}. "
        f"Critical difference of two average ranks (Nemenyi, level 0.05): {test.critical_difference:.2f}."
    )


def figure_text(figure: TaskMean | None, digits: int = 2) -> str:
    """Format a figure with its interval: `1.20 (1.00 … 2.41)`."""
    if figure is None:
        return NONE
    interval = "" if figure.low is None else f" ({figure.low:.{digits}f} … {figure.high:.{digits}f})"
    return f"{figure.value:.{digits}f}{interval}"


def ranked_title(row: Ranked) -> str:
    """Return the title of a row, with a mark if it has fewer seeds."""
    return row.title + (FLAGS["few-seeds"][0] if row.few_seeds else "")


def _markdown_table(overall: Overall) -> str:
    rows = overall.rows
    headers = ["model", "rank", "normalised", "wins"]
    columns = [
        [escape(ranked_title(row)) for row in rows],
        [figure_text(row.rank) for row in rows],
        [figure_text(row.score) for row in rows],
        [figure_text(row.wins) for row in rows],
    ]
    if any(row.letters for row in rows):
        headers.append("group")
        columns.append(group_texts(overall) if shows_ranks(overall) else [_padded_letters(row, overall) for row in rows])
    if any(row.rank.low is not None for row in rows):
        headers.append(f"1 {'rank'.center(WIDTH - 6)} {len(rows)}")
        columns.append([f"`{_rank_bar(row.rank, len(rows))}`" for row in rows])
    return table(headers, list(zip(*columns, strict=True)))


def _padded_letters(row: Ranked, overall: Overall) -> str:
    """Align the letters of all rows: `a·c` has a dot for the group `b` that the row is not in."""
    if any("." in other.letters for other in overall.rows):
        return row.letters
    letters = sorted({letter for other in overall.rows for letter in other.letters})
    return f"`{''.join(letter if letter in row.letters else '·' for letter in letters)}`"


def _rank_bar(rank: TaskMean, rows: int) -> str:
    """Draw the interval on a scale from 1 to the number of rows, with a dot at the mean: `──●─────·····`."""
    low, dot, high = (round((value - 1) / (rows - 1) * (WIDTH - 1)) for value in (rank.low, rank.value, rank.high))
    return "".join("●" if at == dot else "─" if low <= at <= high else "·" for at in range(WIDTH))


def escape_xml(text: str) -> str:
    """Escape text for XML, without control characters."""
    return html.escape(plain(text))


def diagram(board: Board) -> str:
    """Draw the average ranks as SVG, the best one left.

    A bar joins the rows that share a letter, and has a dot for each of them; a row between two dots is not in the
    group. The critical difference at the top is Nemenyi's; the groups are the board's, from paired differences
    (docs/statistics.md).
    """
    overall = board.overall
    tasks = ", ".join(column.title for column in board.columns) or "no tasks"
    name = f"<title>{escape_xml(f'Average ranks over {tasks}')}</title>"  # accessible name of the picture
    if overall is None or not overall.rows:
        return _svg(8 * len(NOTHING), 40, [name, _svg_text(10, 25, NOTHING)])
    return _Diagram(overall).svg(name)


class _Diagram:
    """The layout of one diagram.

    Attributes:
        names: row → its title and average rank.
        margin: pixels left and right of the axis.
        width: width of the picture, in pixels.
        bars: members of each group of rows that cannot be told apart.
        first: y of the first name, in pixels.
    """

    def __init__(self, overall: Overall):
        self.overall, self.rows = overall, overall.rows
        names = [f"{ranked_title(row)} ({row.rank.value:.2f})" for row in self.rows]
        self.names = dict(zip(self.rows, names, strict=True))
        self.margin = 24 + LETTER * max(map(cell_len, names))
        self.width = AXIS + 2 * self.margin
        self.bars = _bars(self.rows)
        self.first = TOP + 18 + BAR * len(self.bars)

    def x(self, rank: float) -> float:
        return self.margin + (rank - 1) / (len(self.rows) - 1) * AXIS

    def svg(self, name: str) -> str:
        half = (len(self.rows) + 1) // 2
        left, right = self.rows[:half], self.rows[half:][::-1]  # outermost first, so that lines do not cross
        parts = [name, *self._axis(), *self._critical_difference()]
        for side, rows, anchor in ((self.margin - 6, left, "end"), (self.margin + AXIS + 6, right, "start")):
            for number, row in enumerate(rows):
                y, x = self.first + STEP * number, self.x(row.rank.value)
                parts.append(f'<path d="M{x:.1f} {TOP}V{y:.1f}H{side:.1f}" fill="none" stroke="#555"/>')
                parts.append(_svg_text(side + (-5 if anchor == "end" else 5), y + 4, self.names[row], anchor))
        for number, members in enumerate(self.bars):
            y, xs = TOP + 12 + BAR * number, [self.x(row.rank.value) for row in members]
            parts.append(_svg_line(min(xs), y, max(xs), y, 3))
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x in xs]
        return _svg(self.width, self.first + STEP * half, parts)

    def _axis(self) -> list[str]:
        number = len(self.rows)
        every = -(-number // 20)  # step of the labels, so that they do not touch
        parts = [_svg_line(self.x(1), TOP, self.x(number), TOP, 1.5)]
        for rank in sorted({1, *range(every, number + 1, every)}):
            parts.append(_svg_line(self.x(rank), TOP - 6, self.x(rank), TOP, 1))
            parts.append(_svg_text(self.x(rank), TOP - 10, str(rank), "middle"))
        return parts

    def _critical_difference(self) -> list[str]:
        """Draw the critical difference as a bar, if it is shorter than the axis."""
        test = self.overall.friedman
        if test is None or test.critical_difference > len(self.rows) - 1:
            return []
        start, end = self.x(1), self.x(1 + test.critical_difference)
        ends = [_svg_line(x, 8, x, 16, 1) for x in (start, end)]
        return [_svg_line(start, 12, end, 12, 1), *ends, _svg_text(end + 6, 16, f"CD = {test.critical_difference:.2f}")]


def _bars(rows: Sequence[Ranked]) -> list[list[Ranked]]:
    """Return the members of each group of two or more rows, in the order of the letters."""
    letters = {row: row.letters.split(".") if "." in row.letters else list(row.letters) for row in rows}
    in_order = sorted({letter for own in letters.values() for letter in own}, key=lambda letter: (len(letter), letter))
    groups = [[row for row in rows if letter in letters[row]] for letter in in_order]
    return [group for group in groups if len(group) > 1]


def _svg_line(x: float, y: float, to_x: float, to_y: float, width: float) -> str:
    ends = f'x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"'
    return f'<line {ends} stroke="black" stroke-width="{width}"/>'


def _svg_text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape_xml(text)}</text>'


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
    return "\n".join([head, f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>', *parts, "</svg>"]) + "\n"
