"""The board as LaTeX tables with the rules of booktabs: scores, ranks over all tasks, and learning curves."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.report.board import Board
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.board_text import FLAGS, baselines_named, failed_seeds, score
from harness.report.curves import Curve, CurveLine, CurvePoint, overtaking_sentences
from harness.report.entries import Entry
from harness.report.ranks_over_tasks import group_texts, ranked_title, shows_ranks
from harness.safe_text import sentence
from harness.stats.over_tasks import TaskMean

NONE = "--"
LETTER, GAP = 4.6, 12.0  # points: width of a digit at \small, and the space between two columns
MARKUP = re.compile(r"\\[a-zA-Z]+|\\,|[{}$\\]")  # markup without width
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\symbol{34}", "·": r"$\cdot$", "–": "--", "…": r"\dots{}", "\n": " ", "-": "-{}",
    "`": r"\symbol{96}", "†": r"\dag{}", "¶": r"\P{}",
}  # fmt: skip
MARKS = {
    "trivial": r"\dag", "baseline": r"\dag", "unproven": r"\dag", "failed-training": "!", "constant": r"\ddag",
    "truncated": r"\S", "remote-code": r"\circ", "searched": r"\star", "few-seeds": r"\P",
}  # fmt: skip
MAX_TASKS = 5  # tasks in one table
MAX_WIDTH = 530.0  # points: fits the text of an article (345) at two thirds of the size
HEAD = (
    "% Made by `bench leaderboard --format latex`. Put \\usepackage{booktabs,graphicx} into the preamble and \\input this file.",
    "% Names beyond Latin, Greek and Cyrillic letters need LuaLaTeX or XeLaTeX and a font that has them.",
)


def escape_latex(text: str) -> str:
    """Escape text for LaTeX."""
    return "".join(SPECIAL.get(letter, letter) for letter in sentence(text)).replace("-{}", "-").replace("--", "-{}-")


def group_mark(mark: str) -> str:
    """Return the letters of a group, or its ranks, for LaTeX."""
    return mark.removeprefix("#").replace("–", "--")


def width(columns: Sequence[Sequence[str]]) -> float:
    """Return the approximate width in points of a table with these columns of LaTeX cells."""
    return sum(LETTER * max(len(MARKUP.sub("", cell)) for cell in cells) + GAP for cells in columns)


def table(
    caption: str, heads: Sequence[Sequence[str]], rows: Sequence[Sequence[str]], below: Sequence[Sequence[str]],
    notes: Sequence[str],
) -> str:  # fmt: skip
    """Make a table environment from LaTeX texts: `below` are rows after a second rule, `notes` go under the table."""
    lines = [r"\begin{table}[htbp]", r"\centering", rf"\caption{{{caption}.}}", r"\smallskip\small"]
    # A table that is wider than the text is scaled down.
    lines += [r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"]
    lines += [rf"\begin{{tabular}}{{l{'r' * (len(heads[0]) - 1)}}}", r"\toprule"]
    lines += [rf"{' & '.join(line)} \\" for line in heads]
    lines += [r"\midrule", *(rf"{' & '.join(line)} \\" for line in rows)]
    lines += [r"\midrule", *(rf"{' & '.join(line)} \\" for line in below)] if below else []
    lines += [r"\bottomrule", r"\end{tabular}}"]
    lines += [r"\par\smallskip", r"\begin{minipage}{\linewidth}\footnotesize", *notes, r"\end{minipage}"]
    return "\n".join([*lines, r"\end{table}"])


def over_tasks_table(board: Board) -> str:
    """Make the table of ranks, normalised scores and wins, for a board that has them."""
    overall = board.overall
    rows = []
    for row, group in zip(overall.rows, group_texts(overall), strict=True):
        title = escape_latex(ranked_title(row)) + (rf"\textsuperscript{{{group_mark(group)}}}" if group else "")
        rows.append([title, *map(_figure, (row.rank, row.score, row.wins))])
    notes = [
        "Rank: mean of the ranks by mean score, 1 is best. Normalised: 0 is the trivial answer's score, 1 the best row's. Wins: the "
        r"chance that a training beats one of another row. In brackets 95\,\% intervals over tasks, seeds and test rows."
    ]
    if shows_ranks(overall):
        notes.append(
            r"\textsuperscript{1--9}: the rank by normalised score is one of these (95\,\% sure for all together, Holm)."
        )
    elif any(row.letters for row in overall.rows):
        notes.append(
            r"\textsuperscript{a, b, \dots}: rows that share a letter cannot be told apart (level 0.05, Holm)."
        )
    if any(row.few_seeds for row in overall.rows):
        notes.append(rf"${MARKS['few-seeds']}$: fewer seeds than others on some task.")
    if overall.friedman:
        test = overall.friedman
        p = "p < 0.001" if test.p < 0.001 else f"p = {test.p:.3f}"
        notes.append(
            rf"Friedman: $\chi^2_{{{test.degrees}}} = {test.statistic:.2f}$, ${p}$; "
            f"Nemenyi's critical difference {test.critical_difference:.2f}."
        )
    return table(f"Over {len(overall.tasks)} tasks", [["model", "rank", "normalised", "wins"]], rows, [], notes)


def _figure(figure: TaskMean | None) -> str:
    if figure is None:
        return NONE
    interval = "" if figure.low is None else f" ({_number(figure.low)}--{_number(figure.high)})"
    return _number(figure.value) + interval


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "$-$")


def curves_to_latex(board: Board) -> str:
    """Make a table for each learning curve; empty if there are no curves."""
    return "".join(f"\n{_curve_table(curve)}\n" for curve in board.curves)


def _curve_table(curve: Curve) -> str:
    caption = f"{escape_latex(curve.task)} ({escape_latex(curve.metric or '')}) by the number of training rows"
    heads = ["model", *(escape_latex(size.label) for size in curve.sizes)]
    rows = [[_title(line), *map(_point_cell, line.points)] for line in curve.lines]
    trivial = [r"\emph{trivial answer}", *(score(size.trivial) for size in curve.sizes)]
    notes = []
    if any(point and point.low is not None for line in curve.lines for point in line.points):
        notes.append(r"In brackets 95\,\% intervals, over test rows and seeds.")
    sentences = overtaking_sentences(curve.crossed, [size.label for size in curve.sizes]) if curve.crossed else []
    return table(caption, [heads], rows, [trivial], notes + [escape_latex(line) for line in (*sentences, *curve.notes)])


def _title(row: Row | CurveLine) -> str:
    return rf"\emph{{{escape_latex(row.title)}}}" if row.is_baseline else escape_latex(row.title)


def _point_cell(point: CurvePoint | None) -> str:
    if point is None or point.mean is None:
        return NONE if point is None else "failed"
    interval = "" if point.low is None else f" ({score(point.low)}--{score(point.high)})"
    return score(point.mean) + interval + (rf"\textsuperscript{{$\times${point.failed}}}" if point.failed else "")


def to_latex(board: Board) -> str:
    """Make tables of at most `MAX_TASKS` tasks each, and one over all tasks."""
    if not board.rows:
        return "\n".join([*HEAD, "% There are no results yet. Start with `bench run`."]) + "\n"
    parts = ["\n".join(HEAD)]
    parts += [_score_table(board, columns) for columns in _split(board)]
    if board.overall and board.overall.rows:
        parts.append(over_tasks_table(board))
    return "\n\n".join(parts) + "\n"


def _split(board: Board) -> list[list[BoardColumn]]:
    """Return the columns of each table: as many as fit the width of a page."""
    names = [row.title for row in board.table_rows]
    tables: list[list[BoardColumn]] = []
    room = 0.0
    for column in board.columns:
        column_width = width([[escape_latex(column.title), *_cells(board, column)]])
        if not tables or len(tables[-1]) == MAX_TASKS or column_width > room:
            tables.append([])
            room = MAX_WIDTH - width([names])
        tables[-1].append(column)
        room -= column_width
    return tables


def _score_table(board: Board, columns: Sequence[BoardColumn]) -> str:
    heads = ["model", *(escape_latex(column.title) for column in columns)]
    metrics = ["", *(escape_latex(column.metric or "") for column in columns)]
    cells = [_cells(board, column) for column in columns]
    if len(columns) == len(board.columns) > 1:
        heads.append("average")
        metrics.append("")
        cells.append([*(_bold(score(row.average), row.best) for row in board.table_rows), score(board.trivial_average)])
    names = [*map(_title, board.table_rows), r"\emph{trivial answer}"]
    *rows, trivial = zip(names, *cells, strict=True)
    caption = "Scores on test (0--100, higher is better): mean over the seeds " + _seeds(columns)
    return table(caption, [heads, metrics], rows, [trivial], _notes(board, columns))


def _cells(board: Board, column: BoardColumn) -> list[str]:
    """Return a column from top to bottom; invisible text (`phantom`) aligns the numbers."""
    entries = [row.entries.get(column.title) for row in board.table_rows]
    halves = [_half(entry) for entry in entries]
    groups = [group_mark(entry.standing.mark) if entry and entry.standing else "" for entry in entries]
    marks = [_marks(entry) for entry in entries]
    widest_half, widest_group = max(halves, key=len), max(groups, key=len)
    scored = (mark for mark, entry in zip(marks, entries, strict=True) if entry and entry.mean is not None)
    widest_mark = max(scored, key=len, default="")
    cells = []
    for entry, half, group, mark in zip(entries, halves, groups, marks, strict=True):
        if entry and entry.mean is None:
            cells.append("failed" + mark)
            continue
        padding = _phantom(widest_mark)
        end = rf"\rlap{{{mark}}}{padding}" if mark and mark != widest_mark else mark or padding
        cells.append(_mean(entry) + _spread(half, widest_half) + _superscript(group, widest_group) + end)
    trivial = score(column.trivial) + _spread("", widest_half) + _superscript("", widest_group) + _phantom(widest_mark)
    return [*cells, trivial]


def _marks(entry: Entry | None) -> str:
    marks = "".join(dict.fromkeys(f"${MARKS[flag]}$" for flag in MARKS if entry and flag in entry.flags))
    return marks + (rf"\textsuperscript{{$\times${len(entry.failed)}}}" if entry and entry.failed else "")


def _mean(entry: Entry | None) -> str:
    if entry is None:
        return NONE
    standing = entry.standing
    bold = entry.best
    if standing and standing.letters:
        bold = standing.ranks[0] == 1 if standing.brief and standing.ranks else "a" in standing.groups
    return _bold(score(entry.mean), bold and "trivial" not in entry.flags)


def _half(entry: Entry | None) -> str:
    """Return half the width of the interval, or its longer side if it is cut at the end of the scale."""
    standing = entry.standing if entry else None
    return score(max(standing.high - entry.mean, entry.mean - standing.low)) if standing else ""


def _spread(half: str, widest: str) -> str:
    if not half:
        return _phantom(rf"\,$\pm$\,{widest}") if widest else ""
    return r"\,$\pm$\," + _phantom("0" * (len(widest) - len(half))) + half


def _superscript(group: str, widest: str) -> str:
    return rf"\textsuperscript{{{group}{_phantom(widest[len(group) :])}}}" if widest else ""


def _phantom(text: str) -> str:
    return rf"\phantom{{{text}}}" if text else ""


def _notes(board: Board, columns: Sequence[BoardColumn]) -> list[str]:
    entries = [e for row in board.table_rows for column in columns if (e := row.entries.get(column.title))]
    standings = [entry.standing for entry in entries if entry.standing]
    lines = [r"$\pm$: half of the 95\,\% interval, over test rows and seeds."] if standings else []
    if any(standing.brief for standing in standings):
        lines.append(
            r"\textsuperscript{1--9}: the rank in the column is one of these (95\,\% sure for all of the board together, Holm); "
            r"\textbf{bold}: nothing is shown to be better."
        )
    elif any(standing.letters for standing in standings):
        lines.append(
            r"\textsuperscript{a, b, \dots}: scores of a column that share a letter cannot be told apart (level 0.05 over all pairs "
            r"of the board, Holm); \textbf{bold}: the group a."
        )
    else:
        lines.append(r"\textbf{Bold}: best of the column.")
    meanings: dict[str, list[str]] = {}
    for flag, (_, meaning) in FLAGS.items():
        if any(flag in entry.flags for entry in entries):
            meanings.setdefault(MARKS[flag], []).append(escape_latex(meaning))
    lines += [f"${mark}$: {', or '.join(texts)}." for mark, texts in meanings.items()]
    lines += [rf"$\times N$: {escape_latex(line.partition(' ')[2])}." for line in failed_seeds(entries)]
    lines += [f"{escape_latex(line)}." for line in baselines_named(board)]
    if any(entry.mean is None for entry in entries) or len(entries) < len(board.table_rows) * len(columns):
        lines.append(f"{NONE}: no result.")
    return lines


def _seeds(columns: Sequence[BoardColumn]) -> str:
    return ", ".join(map(str, sorted({seed for column in columns for seed in column.seeds}))) or NONE


def _bold(text: str, bold: bool) -> str:
    return rf"\textbf{{{text}}}" if bold else text
