"""The result of `bench task check` on a terminal: rows, classes, lengths, tokens and findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.check.lengths import Lengths, Tokens
from harness.check.reading import READER_NOTES
from harness.check.report import Report
from harness.finding import ERROR, NOTE, WARNING, Finding
from harness.report.board_text import split_counts
from harness.safe_text import plain, short

MAX_CLASSES = 30  # classes or entity types in the table
STYLES = {ERROR: "bold red", WARNING: "yellow", NOTE: "dim"}


def check_table(report: Report, tokens: Tokens | None = None) -> RenderableType:
    """Return the result of the check of one task."""
    head = Text.assemble((plain(report.task), "bold"), f"  {report.family}  {plain(report.source)}")
    parts: list[RenderableType] = [head]
    if report.rows:
        parts.append(_indented(_rows(report), top=0))
    if report.kinds:
        parts.append(_indented(_kinds(report)))
    if report.lengths:
        parts.append(_indented(_lengths(report.lengths)))
    if tokens:
        parts.append(_indented(_tokens(tokens, report.rows)))
    if report.findings:
        parts += [Text(""), _findings(report.findings)]
    return Group(*parts, Text(f"\n{levelsplit_counts([report])}", style="bold"))


def levelsplit_counts(reports: Sequence[Report]) -> str:
    """Return the number of errors and warnings: `no errors, 2 warnings`."""
    counts = {level: sum(len(report.of(level)) for report in reports) for level in (ERROR, WARNING)}
    return ", ".join(f"{number or 'no'} {level}{'' if number == 1 else 's'}" for level, number in counts.items())


def _rows(report: Report) -> RenderableType:
    lines = [("rows", split_counts(report.rows)), ("splits", report.split_rule or "")]
    if dict(report.rows) != dict(report.whole):
        lines.insert(1, ("of", split_counts(report.whole)))
    for split, counts in report.found.items():
        text = "; ".join(
            READER_NOTES[name].format(_number(value)) if name in READER_NOTES else f"{name.replace('_', ' ')} {_number(value)}"
            for name, value in counts.items()
            if value and not isinstance(value, list | bool)
        )
        lines += [(f"read: {split}", text)] if text else []
    grid = Table.grid(padding=(0, 2))
    for name, value in lines:
        grid.add_row(Text(name, style="dim"), Text(plain(value)))
    return grid


def _kinds(report: Report) -> Table:
    table = _plain_table("", *report.rows)
    shown = list(report.kinds.items())
    for name, counts in shown[:MAX_CLASSES]:
        table.add_row(Text(short(name)), *(Text(f"{counts.get(split, 0):,}") for split in report.rows))
    if len(shown) > MAX_CLASSES:
        table.add_row(Text(f"and {len(shown) - MAX_CLASSES} more", style="dim"), *("" for _ in report.rows))
    return table


def _lengths(lengths: Iterable[Lengths]) -> Table:
    table = _plain_table("length", "split", "unit", "median", "95 %", "longest", left=3)
    for column in lengths:
        numbers = (f"{number:,}" for number in (column.median, column.p95, column.longest))
        table.add_row(Text(plain(column.column)), column.split, column.unit, *numbers)
    return table


def _tokens(tokens: Tokens, rows: Mapping[str, int]) -> RenderableType:
    table = _lengths([*tokens.columns, *tokens.read])
    lines = []
    for split, number in rows.items():
        cut, windows = tokens.truncated[split], tokens.windows[split]
        cut_text = f"{cut:,} cut ({cut / number:.1%})" if cut else "nothing is cut"
        cut_text += f", read in {windows:,} overlapping windows" if windows > number else ""
        lines.append(f"{split}: {cut_text}")
    summary = f"{tokens.model} reads at most {tokens.max_length:,} tokens at once; {'; '.join(lines)}"
    return Group(table, Text(summary))


def _findings(findings: Iterable[Finding]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for finding in findings:
        message = Text.assemble(plain(finding.message), (f"  [{finding.code}]", "dim"))
        grid.add_row(Text(finding.level, style=STYLES[finding.level]), message)
        for example in finding.examples:
            grid.add_row("", Text(f"  {plain(example)}", style="dim"))
    return grid


def _plain_table(*headings: str, left: int = 1) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number < left else "right", overflow="fold")
    return table


def _indented(body: RenderableType, top: int = 1) -> Padding:
    return Padding(body, (top, 0, 0, 2))


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
