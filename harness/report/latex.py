"""The board as LaTeX tables for a paper, with booktabs' rules."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.board import Board
from harness.report.columns import Column
from harness.report.entries import Entry
from harness.report.latex_over_tasks import over_tasks
from harness.report.latex_table import MARKS, NONE, escape, group, table, width
from harness.report.text import FLAGS, baselines_named, failed_seeds, score

WIDE = 5  # tasks at most in one table
WIDEST = 530.0  # points: what fits the text of an article (345) at two thirds of the size
HEAD = (
    "% Made by `bench leaderboard --format latex`. Put \\usepackage{booktabs,graphicx} into the preamble and \\input this file.",
    "% Names beyond Latin, Greek and Cyrillic letters need LuaLaTeX or XeLaTeX and a font that has them.",
)


def to_latex(board: Board) -> str:
    """Tables of so many tasks each, and one over all tasks."""
    if not board.rows:
        return "\n".join([*HEAD, "% There are no results yet. Start with `bench run`."]) + "\n"
    parts = ["\n".join(HEAD)]
    parts += [_tasks(board, columns) for columns in _split(board)]
    if board.overall and board.overall.rows:
        parts.append(over_tasks(board))
    return "\n\n".join(parts) + "\n"


def _split(board: Board) -> list[list[Column]]:
    """The columns of each table: as many as can be read at the width of a page."""
    names = [row.title for row in board.table_rows]
    tables: list[list[Column]] = []
    room = 0.0
    for column in board.columns:
        cells = [escape(column.title), *_cells([row.entries.get(column.title) for row in board.table_rows], column)]
        wide = width([cells])
        if not tables or len(tables[-1]) == WIDE or wide > room:
            tables.append([])
            room = WIDEST - width([names])
        tables[-1].append(column)
        room -= wide
    return tables


def _tasks(board: Board, columns: Sequence[Column]) -> str:
    whole = len(columns) == len(board.columns) > 1
    averages = ["average"] if whole else []
    cells = [_cells([row.entries.get(column.title) for row in board.table_rows], column) for column in columns]
    if whole:
        cells.append([*(_bold(score(row.average), row.best) for row in board.table_rows), score(board.trivial_average)])
    titles = [rf"\emph{{{escape(row.title)}}}" if row.is_baseline else escape(row.title) for row in board.table_rows]
    names = [*titles, r"\emph{trivial answer}"]
    *rows, trivial = zip(names, *cells, strict=True)
    heads = ["model", *(escape(column.title) for column in columns), *averages]
    metrics = ["", *(escape(column.metric or "") for column in columns), *("" for _ in averages)]
    caption = "Scores on test (0--100, higher is better): mean over the seeds " + _seeds(columns)
    return table(caption, [heads, metrics], rows, [trivial], _notes(board, columns))


def _cells(entries: Sequence[Entry | None], column: Column) -> list[str]:
    """A column from top to bottom; what is invisible (`phantom`) keeps the numbers below each other."""
    halves = [_half(entry) for entry in entries]
    letters = [group(entry.standing.mark) if entry and entry.standing else "" for entry in entries]
    marks = [_marks(entry) for entry in entries]
    wide, longest = max(halves, key=len), max(letters, key=len)
    most = max(
        (own for own, entry in zip(marks, entries, strict=True) if entry and entry.mean is not None),
        key=len,
        default="",
    )
    cells = []
    for entry, half, own, mark in zip(entries, halves, letters, marks, strict=True):
        if entry and entry.mean is None:
            cells.append("failed" + mark)
            continue
        behind = rf"\rlap{{{mark}}}{_phantom(most)}" if mark and mark != most else mark or _phantom(most)
        cells.append(_mean(entry) + _spread(half, wide) + _superscript(own, longest) + behind)
    return [*cells, score(column.trivial) + _spread("", wide) + _superscript("", longest) + _phantom(most)]


def _marks(entry: Entry | None) -> str:
    """An entry's flags and failures."""
    marks = "".join(dict.fromkeys(f"${MARKS[flag]}$" for flag in MARKS if entry and flag in entry.flags))
    return marks + (rf"\textsuperscript{{$\times${len(entry.failed)}}}" if entry and entry.failed else "")


def _mean(entry: Entry | None) -> str:
    if entry is None:
        return NONE
    standing = entry.standing
    first = entry.best
    if standing and standing.letters:
        first = standing.ranks[0] == 1 if standing.brief and standing.ranks else "a" in standing.groups
    return _bold(score(entry.mean), first and "trivial" not in entry.flags)


def _half(entry: Entry | None) -> str:
    """Half the width of the interval, or where the score's range cuts it off, its longer side."""
    standing = entry.standing if entry else None
    return score(max(standing.high - entry.mean, entry.mean - standing.low)) if standing else ""


def _spread(half: str, wide: str) -> str:
    if not half:
        return _phantom(rf"\,$\pm$\,{wide}") if wide else ""
    return r"\,$\pm$\," + _phantom("0" * (len(wide) - len(half))) + half


def _superscript(letters: str, longest: str) -> str:
    return rf"\textsuperscript{{{letters}{_phantom(longest[len(letters) :])}}}" if longest else ""


def _phantom(text: str) -> str:
    return rf"\phantom{{{text}}}" if text else ""


def _notes(board: Board, columns: Sequence[Column]) -> list[str]:
    entries = [e for row in board.table_rows for column in columns if (e := row.entries.get(column.title))]
    lettered = any(entry.standing and entry.standing.letters for entry in entries)
    lines = []
    brief = any(entry.standing and entry.standing.brief for entry in entries)
    if any(entry.standing for entry in entries):
        lines.append(r"$\pm$: half of the 95\,\% interval, over test rows and seeds.")
    lines.append(
        r"\textsuperscript{1--9}: the rank in the column is one of these (95\,\% sure for all of the board together, Holm); "
        r"\textbf{bold}: nothing is shown to be better."
        if brief
        else r"\textsuperscript{a, b, \dots}: scores of a column that share a letter cannot be told apart (level 0.05 over all pairs "
        r"of the board, Holm); \textbf{bold}: the group a."
        if lettered
        else r"\textbf{Bold}: best of the column."
    )
    meanings: dict[str, list[str]] = {}
    for flag, (_, meaning) in FLAGS.items():
        if any(flag in entry.flags for entry in entries):
            meanings.setdefault(MARKS[flag], []).append(escape(meaning))
    lines += [f"${mark}$: {', or '.join(found)}." for mark, found in meanings.items()]
    lines += [rf"$\times N$: {escape(line.partition(' ')[2])}." for line in failed_seeds(entries)]
    lines += [f"{escape(line)}." for line in baselines_named(board)]
    if any(entry.mean is None for entry in entries) or len(entries) < len(board.table_rows) * len(columns):
        lines.append(f"{NONE}: no result.")
    return lines


def _seeds(columns: Sequence[Column]) -> str:
    return ", ".join(map(str, sorted({seed for column in columns for seed in column.seeds}))) or NONE


def _bold(text: str, bold: bool) -> str:
    return rf"\textbf{{{text}}}" if bold else text
