"""Quotation marks in delimited tables: which ones enclose cells, and which ones show that cells are cut or merged.

No CSV knows curly quotes, or straight ones after a blank: they stay part of the text, and a delimiter between them cuts the cell
in two. A straight quote without its partner swallows the rows that follow.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from harness.data.place import PlacedRow, place
from harness.errors import BenchError
from harness.safe_text import short

Records = Iterable[tuple[int, list[str]]]

CLOSING = {"“": "”“", "„": "“”", "”": "”", "‟": "”", "«": "»", "»": "«"}  # opening mark → marks that may close it
# What programs leave unquoted where they quote all texts.
UNQUOTED = re.compile(r"[-+]?\d*[.,]?\d+([eE][-+]?\d+)?|NA|NaN|TRUE|FALSE|null|NULL|")
SAMPLE, MOSTLY = 100, 0.9  # records, and the share of their cells in quotes above which the quotes are hardly text
FEW, OFTEN = 3, 0.05  # rows with an odd cell, and their share, from which it is the way in which the file is written
CURLY_CELLS = 0.5  # cells in curly quotes per row from which these are hardly text
MAX_CLASSES = 50  # distinct values of a column of classes
MANY_LINES = 3  # row-like lines inside a cell that are reported even if no column of classes confirms them
CURE = 'write straight ones, such as with: sed \'s/[“”„]/"/g\''


class Quotes(NamedTuple):
    """How a table writes fields that contain its delimiter."""

    quoting: str
    quote: str
    escape: str | None


def unquoted(records: list[tuple[int, list[str]]], quote: str, counts: Counter[str]) -> Records:
    """Return records without the quotes that a program put around their cells; unchanged if the quotes must be text.

    Args:
        records: (line, fields) pairs.
        counts: Gets `quoted`, the number of cells that were in quotes; or `kept_quotes`, if nearly all cells are in quotes but
            some are written in another way.
    """

    def enclosed(cell: str) -> bool:
        return len(cell) > 1 and cell[0] == cell[-1] == quote

    for inner in (quote + quote, "\\" + quote):  # quotes inside a cell as in CSV, and as R's write.table writes them
        all_texts, doubled, number = True, False, 0
        for cell in (cell for _, fields in records for cell in fields):
            if quote in cell:
                rest = cell[1:-1].replace(inner, "") if enclosed(cell) else quote
                if quote in rest:
                    break
                number, doubled = number + 1, doubled or len(rest) < len(cell) - 2
            elif all_texts and not UNQUOTED.fullmatch(cell.strip()):
                all_texts = False
        else:
            if number and (all_texts or (doubled and inner[0] == quote)):
                counts["quoted"] += number
                return (
                    (at, [cell[1:-1].replace(inner, quote) if quote in cell else cell for cell in fields])
                    for at, fields in records
                )
    sample = [cell for _, fields in records[:SAMPLE] for cell in fields]
    if sum(map(enclosed, sample)) > MOSTLY * len(sample):
        counts["kept_quotes"] += sum(enclosed(cell) for _, fields in records for cell in fields)
    return iter(records)


def quote_report(rows: Sequence[PlacedRow], text: str, delimiter: str, quotes: Quotes) -> dict[str, Any]:
    """Return what to report about the quotes of a table's rows.

    The keys are `single_quotes`, `spaced_quotes` and `curly_quotes` (numbers of cells), and `cut_quotes` and `swallowed` with
    the places of the rows.

    Raises:
        BenchError: Many rows have a cell that is cut, or a cell has surely swallowed rows.
    """
    report: dict[str, Any] = {}
    may_enclose = (quotes.quoting, quotes.quote) == ("minimal", '"')
    if may_enclose and text.count(f"{delimiter}'") + text.count("\n'") >= FEW:
        single = sum(len(cell) > 2 and cell[0] == cell[-1] == "'" for row in rows for cell in row.values())
        if single >= max(FEW, OFTEN * len(rows)):
            report["single_quotes"] = single
    may_swallow = quotes.quote in text and quotes.quoting != "none" and text.count("\n") > len(rows) + 1
    if may_swallow and (places := _swallowed(rows, delimiter)):
        report |= {"swallowed": len(places), "swallowed_at": places}
    if f"{delimiter} {quotes.quote}" in text:
        spaced = sum(
            cell[:2] == f" {quotes.quote}" and cell.rstrip()[-1] == quotes.quote for row in rows for cell in row.values()
        )
        if spaced >= max(FEW, OFTEN * len(rows)):
            report["spaced_quotes"] = spaced
    if any(mark in text for mark in CLOSING):
        report |= _curly_quotes(rows)
    return report


def unbalanced_hint(fields: Sequence[str]) -> str:
    """Return what to add to the error about a row with a wrong number of fields; empty if all its marks are closed."""
    if any(cell[:2] == ' "' and '"' not in cell[2:] for cell in fields):
        return "; a quotation mark behind a blank encloses nothing: delete the blank before it"
    if any(_is_open(cell.strip()) for cell in fields):
        return f"; curly quotation marks (“ ”) enclose nothing in a CSV: {CURE}"
    return ""


def _curly_quotes(rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    cut, curly = [], 0
    for row in rows:
        if not any(cell[:1] in CLOSING for cell in row.values() if cell):
            continue
        cells = [cell.strip() for cell in row.values()]
        curly += sum(len(cell) > 2 and cell[0] in CLOSING and cell[-1] in CLOSING[cell[0]] for cell in cells)
        if _is_cut(cells):
            cut.append(place(row, "a row"))
    if len(cut) >= max(FEW, OFTEN * len(rows)):
        raise BenchError(
            f"{cut[0]}: a cell that begins with a curly quotation mark ends in another column, as in {len(cut):,} rows: these "
            f"marks enclose nothing in a CSV, and its delimiter has cut the text in two; {CURE}"
        )
    report: dict[str, Any] = {"cut_quotes": len(cut), "cut_quotes_at": cut} if cut else {}
    if curly >= max(FEW, CURLY_CELLS * len(rows)):
        report["curly_quotes"] = curly
    return report


def _is_open(cell: str) -> bool:
    """Whether a cell begins with an opening mark that it does not close."""
    return cell != "" and cell[0] in CLOSING and not any(mark in cell[1:] for mark in CLOSING[cell[0]])


def _is_cut(cells: Sequence[str]) -> bool:
    """Whether a cell begins with an opening mark and the closing mark ends a later cell."""
    return any(
        _is_open(cell)
        and any(later and later[-1] in CLOSING[cell[0]] and later[0] not in CLOSING for later in cells[number + 1 :])
        for number, cell in enumerate(cells)
    )


def _swallowed(rows: Sequence[PlacedRow], delimiter: str) -> list[str]:
    """Return the places of cells that an unclosed quote has probably filled with the rows after it.

    Each line of such a cell has as many delimiters as the table; its first and last line together make up one row. It is certain
    if the lines also have values of the table's columns of classes in the right positions.
    """
    suspects = []
    for row in rows:
        if not any("\n" in cell for cell in row.values()):
            continue
        lines_before, width = 0, len(row)
        for column, (name, cell) in enumerate(row.items()):
            lines = [line.removesuffix("\r").split(delimiter) for line in cell.split("\n")]
            widths = [width - column, *[width] * (len(lines) - 2), column + 1]
            if width > 1 and len(lines) > 1 and [len(line) for line in lines] == widths:
                suspects.append((f"{row.file}:{row.spot + lines_before}", column, name, lines))
            lines_before += len(lines) - 1
    classes = _class_columns(rows) if suspects else {}
    places = []
    for at, column, name, lines in suspects:
        # Column → value of each line. The first line lacks the columns before the cell, the last one those after it.
        cells = [dict(enumerate(lines[0][1:], column + 1)), *(dict(enumerate(line)) for line in lines[1:-1])]
        cells.append(dict(enumerate(lines[-1][:column])))
        known = [{index: line[index] for index in classes if index in line and index != column} for line in cells]
        known = [line for line in known if line]
        confirmed = sum(all(value and value in classes[index] for index, value in line.items()) for line in known)
        if confirmed < len(known) or not (confirmed or len(lines) - 2 >= MANY_LINES):
            continue
        if confirmed > 1:
            raise BenchError(
                f"{at}: the cell of column {short(name)!r} that begins here has {len(lines)} lines, which are rows of the table, "
                f"such as {short(delimiter.join(lines[1]))!r}; a quotation mark lacks its partner: mend the line, or say "
                "quoting: none where quotes are text"
            )
        places.append(at)
    return places


def _class_columns(rows: Sequence[PlacedRow]) -> dict[int, set[str]]:
    """Return column → its values, for columns with few distinct values."""
    classes = {}
    for column, name in enumerate(rows[0]):
        values = {row[name] for row in rows if "\n" not in row[name]}
        if 1 < len(values) <= min(MAX_CLASSES, max(3, len(rows) // 5)):
            classes[column] = values
    return classes
