"""The board as LaTeX tables for a paper, with booktabs' rules."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.board import Board
from harness.report.columns import Column
from harness.report.entries import Entry
from harness.report.over_tasks import title
from harness.report.overall import Figure
from harness.report.ranks import briefly, groups
from harness.report.text import FAILED, FLAGS, score

WIDE = 5  # tasks in one table
HEAD = (
    "% Made by `bench leaderboard --format latex`. Put \\usepackage{booktabs} into the preamble and \\input this file.",
    "% Names beyond Latin, Greek and Cyrillic letters need LuaLaTeX or XeLaTeX and a font that has them.",
)
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\symbol{34}", "·": r"$\cdot$", "–": "--", "…": r"\dots{}", "\n": " ", "-": "-{}",
    "`": r"\symbol{96}", "†": r"\dag{}", "¶": r"\P{}",
}  # fmt: skip
MARKS = {
    "trivial": r"\dag", "baseline": r"\dag", "unproven": r"\dag", "constant": r"\ddag", "truncated": r"\S",
    "remote-code": r"\circ", "searched": r"\star", "few-seeds": r"\P",
}  # fmt: skip
NONE = "--"


def to_latex(board: Board) -> str:
    """Tables of so many tasks each, and one over all tasks."""
    if not board.rows:
        return "\n".join([*HEAD, "% There are no results yet. Start with `bench run`."]) + "\n"
    parts = ["\n".join(HEAD)]
    for start in range(0, len(board.columns), WIDE):
        parts.append(_tasks(board, board.columns[start : start + WIDE]))
    if board.overall and board.overall.rows:
        parts.append(_over_tasks(board))
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Text as LaTeX shows it letter for letter."""
    return "".join(SPECIAL.get(letter, letter) for letter in text).replace("-{}", "-").replace("--", "-{}-")


def _tasks(board: Board, columns: Sequence[Column]) -> str:
    whole = len(columns) == len(board.columns) > 1
    averages = ["average"] if whole else []
    cells = [_cells([row.entries.get(column.title) for row in board.rows], column) for column in columns]
    if whole:
        cells.append([*(_bold(score(row.average), row.best) for row in board.rows), score(board.trivial_average)])
    names = [*(escape(row.title) for row in board.rows), r"\emph{trivial answer}"]
    *rows, trivial = zip(names, *cells, strict=True)
    heads = ["model", *(escape(column.title) for column in columns), *averages]
    metrics = ["", *(escape(column.metric or "") for column in columns), *("" for _ in averages)]
    caption = "Scores on test (0--100, higher is better): mean over the seeds " + _seeds(columns)
    return table(caption, [heads, metrics], rows, [trivial], _notes(board, columns))


def _cells(entries: Sequence[Entry | None], column: Column) -> list[str]:
    """A column from top to bottom; what is invisible (`phantom`) keeps the numbers below each other."""
    halves = [_half(entry) for entry in entries]
    letters = [_group(entry.standing.mark) if entry and entry.standing else "" for entry in entries]
    wide, longest = max(halves, key=len), max(letters, key=len)
    cells = []
    for entry, half, own in zip(entries, halves, letters, strict=True):
        marks = "".join(dict.fromkeys(f"${MARKS[flag]}$" for flag in MARKS if entry and flag in entry.flags))
        failed = rf"\textsuperscript{{$\times${len(entry.failed)}}}" if entry and entry.failed else ""
        cells.append(_mean(entry) + _spread(half, wide) + _superscript(own, longest) + marks + failed)
    return [*cells, score(column.trivial) + _spread("", wide) + _superscript("", longest)]


def _mean(entry: Entry | None) -> str:
    if entry is None or entry.mean is None:
        return "failed" if entry else NONE
    standing = entry.standing
    first = entry.best
    if standing and standing.letters:
        first = standing.ranks[0] == 1 if standing.brief and standing.ranks else "a" in standing.groups
    return _bold(score(entry.mean), first and "trivial" not in entry.flags)


def _half(entry: Entry | None) -> str:
    """Half the width of the interval."""
    standing = entry.standing if entry else None
    return score((standing.high - standing.low) / 2) if standing else ""


def _spread(half: str, wide: str) -> str:
    if not half:
        return _phantom(rf"\,$\pm$\,{wide}") if wide else ""
    return r"\,$\pm$\," + _phantom("0" * (len(wide) - len(half))) + half


def _superscript(letters: str, longest: str) -> str:
    return rf"\textsuperscript{{{letters}{_phantom(longest[len(letters) :])}}}" if longest else ""


def _group(mark: str) -> str:
    return mark.removeprefix("#").replace("–", "--")


def _phantom(text: str) -> str:
    return rf"\phantom{{{text}}}" if text else ""


def _notes(board: Board, columns: Sequence[Column]) -> list[str]:
    entries = [e for row in board.rows for column in columns if (e := row.entries.get(column.title))]
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
    lines += [
        f"${MARKS[flag]}$: {escape(meaning)}."
        for flag, (_, meaning) in FLAGS.items()
        if any(flag in entry.flags for entry in entries)
    ]
    if any(entry.failed for entry in entries):
        lines.append(rf"$\times N$: {escape(FAILED[1])}.")
    if any(entry is None or entry.mean is None for entry in entries) or len(entries) < len(board.rows) * len(columns):
        lines.append(f"{NONE}: no result.")
    return lines


def _over_tasks(board: Board) -> str:
    found = board.overall
    lettered = any(row.letters for row in found.rows)
    rows = [
        [
            escape(title(row)) + (rf"\textsuperscript{{{_group(group)}}}" if group else ""),
            *map(_figure, (row.rank, row.score, row.wins)),
        ]
        for row, group in zip(found.rows, groups(found), strict=True)
    ]
    notes = [
        "Rank: mean of the ranks by mean score, 1 is best. Normalised: 0 is the trivial answer's score, 1 the best row's. Wins: the "
        r"chance that a training beats one of another row. In brackets 95\,\% intervals over tasks, seeds and test rows."
    ]
    if briefly(found):
        notes.append(
            r"\textsuperscript{1--9}: the rank by normalised score is one of these (95\,\% sure for all together, Holm)."
        )
    elif lettered:
        notes.append(
            r"\textsuperscript{a, b, \dots}: rows that share a letter cannot be told apart (level 0.05, Holm)."
        )
    if found.friedman:
        test = found.friedman
        p = "p < 0.001" if test.p < 0.001 else f"p = {test.p:.3f}"
        notes.append(
            rf"Friedman: $\chi^2_{{{test.degrees}}} = {test.statistic:.2f}$, ${p}$; "
            f"Nemenyi's critical difference {test.critical_difference:.2f}."
        )
    return table(f"Over {len(found.tasks)} tasks", [["model", "rank", "normalised", "wins"]], rows, [], notes)


def _figure(figure: Figure | None) -> str:
    if figure is None:
        return NONE
    return f"{figure.value:.2f}" + ("" if figure.low is None else f" ({figure.low:.2f}--{figure.high:.2f})")


def _seeds(columns: Sequence[Column]) -> str:
    return ", ".join(map(str, sorted({seed for column in columns for seed in column.seeds}))) or NONE


def _bold(text: str, bold: bool) -> str:
    return rf"\textbf{{{text}}}" if bold else text


def table(
    caption: str, heads: Sequence[Sequence[str]], rows: Sequence[Sequence[str]], below: Sequence[Sequence[str]],
    notes: Sequence[str],
) -> str:  # fmt: skip
    """A table with its caption; the lines of `below` stand under a rule of their own, the notes under the table. All are LaTeX."""
    lines = [r"\begin{table}[htbp]", r"\centering", rf"\caption{{{caption}.}}", r"\smallskip\small"]
    lines += [rf"\begin{{tabular}}{{l{'r' * (len(heads[0]) - 1)}}}", r"\toprule"]
    lines += [rf"{' & '.join(line)} \\" for line in heads]
    lines += [r"\midrule", *(rf"{' & '.join(line)} \\" for line in rows)]
    lines += [r"\midrule", *(rf"{' & '.join(line)} \\" for line in below)] if below else []
    lines += [r"\bottomrule", r"\end{tabular}"]
    lines += [r"\par\smallskip", r"\begin{minipage}{\linewidth}\footnotesize", *notes, r"\end{minipage}"]
    return "\n".join([*lines, r"\end{table}"])
