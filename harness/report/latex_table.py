"""A table in LaTeX: what becomes of letters, and how wide it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.shown import sentence

NONE = "--"
LETTER, BETWEEN = 4.6, 12.0  # points: a digit at \small, and the space between two columns
PLAIN = re.compile(r"\\[a-zA-Z]+|\\,|[{}$\\]")  # what takes no room of its own
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


def escape(text: str) -> str:
    """Text as LaTeX shows it letter for letter."""
    return "".join(SPECIAL.get(letter, letter) for letter in sentence(text)).replace("-{}", "-").replace("--", "-{}-")


def group(mark: str) -> str:
    """The letters of a group, or the ranks that stand for them."""
    return mark.removeprefix("#").replace("–", "--")


def width(columns: Sequence[Sequence[str]]) -> float:
    """How wide a table with these columns of LaTeX cells is about, in points."""
    return sum(LETTER * max(len(PLAIN.sub("", cell)) for cell in cells) + BETWEEN for cells in columns)


def table(
    caption: str, heads: Sequence[Sequence[str]], rows: Sequence[Sequence[str]], below: Sequence[Sequence[str]],
    notes: Sequence[str],
) -> str:  # fmt: skip
    """A table with its caption; the lines of `below` stand under a rule of their own, the notes under the table. All are LaTeX."""
    lines = [r"\begin{table}[htbp]", r"\centering", rf"\caption{{{caption}.}}", r"\smallskip\small"]
    # A table that is wider than the text is scaled down to it.
    lines += [r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"]
    lines += [rf"\begin{{tabular}}{{l{'r' * (len(heads[0]) - 1)}}}", r"\toprule"]
    lines += [rf"{' & '.join(line)} \\" for line in heads]
    lines += [r"\midrule", *(rf"{' & '.join(line)} \\" for line in rows)]
    lines += [r"\midrule", *(rf"{' & '.join(line)} \\" for line in below)] if below else []
    lines += [r"\bottomrule", r"\end{tabular}}"]
    lines += [r"\par\smallskip", r"\begin{minipage}{\linewidth}\footnotesize", *notes, r"\end{minipage}"]
    return "\n".join([*lines, r"\end{table}"])
