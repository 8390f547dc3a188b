"""Delimiter-separated values: CSV (RFC 4180) and TSV.

The two differ in their defaults only. In a CSV a double quote encloses fields. In a TSV it is a character like any
other: files such as GLUE's have unbalanced quotes, and a reader that honours them swallows all rows up to the next one. A TSV that
cannot be meant so is read as a program has quoted it, and told; say `quoting: minimal` or `none` to decide it yourself.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from harness.data.file_layer import as_paths, read_text, split_lines
from harness.data.odd_quotes import hint, odd_marks
from harness.data.place import PlacedRow
from harness.errors import BenchError, unknown
from harness.safe_text import short

QUOTING = ("minimal", "all", "none", "auto")
FIELD_LIMIT = 2**31 - 1  # characters; Python's own limit of 131,072 is less than a long article
AUTO = "auto"
OTHERS = {";": "semicolon", "\t": "tab", "|": "bar"}  # what stands in a CSV where a comma should
SEP = re.compile(
    r'"?sep=(.)"?[,;\t|]*(?:\r\n|\n|\Z)', re.IGNORECASE
)  # what tells Excel the delimiter, in the first line

BARE = re.compile(
    r"[-+]?\d*[.,]?\d+([eE][-+]?\d+)?|NA|NaN|TRUE|FALSE|null|NULL|"
)  # what stands without quotes where texts have them
SAMPLE, MOSTLY = 100, 0.9  # records, and the share of their cells in quotes from which quotes are hardly text
HEAD = 1000  # records that show whether a text is a table
ODD, OFTEN = 3, 0.05  # cells in single quotes, and their share of the rows, from which these are hardly text
FEW = 50  # values of a column of classes, at most
MANY_LINES = 3  # lines like rows inside of a cell that are told though no column of classes confirms it

Records = Iterable[tuple[int, list[str]]]


class Quotes(NamedTuple):
    """How a table writes fields that hold its delimiter."""

    quoting: str
    quote: str
    escape: str | None


def read_csv(
    files: Any,
    *,
    delimiter: str = AUTO,
    quoting: str = "minimal",
    quote: str = '"',
    escape: str | None = None,
    header: bool | Sequence[str] = True,
    encoding: str = "utf-8-sig",
    report: dict[str, Any] | None = None,
) -> list[dict[str, str]]:
    """Rows of strings; `NA`, `null` and empty fields stay the text that they are.

    Blank lines, and rows whose fields are all blank, are skipped; the report counts them as `empty_rows`. A first line `sep=;`,
    which is for Excel, says which delimiter `auto` takes; the report then has it as `first_line`.

    Args:
        delimiter: one character; or `auto`: the comma, unless it does not cut every line into the same number of fields
            (two or more) and one of semicolon, tab and bar does. The report then gets `delimiter`, the one that was taken.
        quoting: `minimal` or `all`: quotes enclose fields, which may then hold delimiters, line ends and doubled quotes.
            `none`: quotes are ordinary text. `auto`: they are, unless every cell with a quote is written as a program quotes it, and all
            cells stand in quotes but for numbers, or one has doubled quotes inside; the report then has how many as `quoted`.
        quote: the character that encloses fields.
        escape: a character, such as the backslash, that takes its meaning from a quote or delimiter behind it.
        header: True: the first row names the columns; False: they are called "0", "1", ...; a list: their names.
    """
    if quoting not in QUOTING:
        raise unknown("quoting", quoting, QUOTING)
    marks = {"delimiter": "," if delimiter == AUTO else delimiter, "quote": quote, "escape": escape or "\0"}
    for name, mark in marks.items():
        if len(mark) != 1 or mark in "\r\n":
            raise BenchError(f"{name} is {mark!r}; it must be one character")
    if len(set(marks.values())) < len(marks):
        raise BenchError("delimiter, quote and escape must be three different characters")
    quotes = Quotes(quoting, quote, escape)
    rows: list[dict[str, str]] = []
    swallowed: list[str] = []
    counts: Counter[str] = Counter()
    odd: dict[str, Any] = {}
    for path in as_paths(files):
        text, said = read_text(path, encoding), None
        if line := SEP.match(text):
            text, said = "\n" + text[line.end() :], line[1]  # the others keep their numbers
            counts["empty_rows"] -= 1
            if delimiter not in (AUTO, said):
                raise BenchError(
                    f"{path}:1: {line[0].strip()} says another delimiter than the format's, {delimiter!r}; "
                    f"say in a task file delimiter: {said!r}, or delete the line"
                )
            if report is not None:
                report.update(first_line=line[0].strip())
        mark, records = delimiter, None
        if delimiter == AUTO:
            mark, records = (said, None) if said else _detect(path, text, quotes)
        if report is not None and delimiter == AUTO and mark != ",":
            report.update(delimiter=OTHERS.get(mark, mark))
        try:
            found = _as_dicts(path, records or _records(path, text, mark, quotes, counts), header, counts)
        except BenchError as error:
            other = odd_quotes(path, text) if (delimiter, quotes) == (AUTO, Quotes("minimal", '"', None)) else {}
            more = f"; in a task file {', '.join(f'{name}: {json.dumps(value)}' for name, value in other.items())} make a table of it"
            raise BenchError(f"{error}{more if other else ''}") from None
        counts["single_quotes"] += _single_quotes(found, text, mark, quotes)
        if quote in text and text.count("\n") > len(found) + 1 and quotes.quoting != "none":
            swallowed += _swallowed(found, mark)
        for name, value in odd_marks(found, text, mark, quote).items():
            odd[name] = odd[name] + value if name in odd else value  # numbers, and lists of places
        rows += found
    if report is not None:
        report.update(odd)
        report.update({name: number for name, number in counts.items() if number})
        if swallowed:
            report.update(swallowed=len(swallowed), swallowed_at=swallowed)
    return rows


def read_tsv(
    files: Any,
    *,
    delimiter: str = "\t",
    quoting: str = AUTO,
    quote: str = '"',
    escape: str | None = None,
    header: bool | Sequence[str] = True,
    encoding: str = "utf-8-sig",
    report: dict[str, Any] | None = None,
) -> list[dict[str, str]]:
    """As `read_csv`, with a TSV's defaults: tabs, and quotes that are text unless every cell has them."""
    return read_csv(
        files, delimiter=delimiter, quoting=quoting, quote=quote, escape=escape, header=header, encoding=encoding,
        report=report,
    )  # fmt: skip


def odd_quotes(path: Path, text: str) -> dict[str, str]:
    """The options `quote` and `delimiter` with which single quotes make a table of a CSV that is none otherwise; empty where not."""
    marks = [mark for mark in (",", *OTHERS) if f"{mark}'" in text]
    if not marks or any(
        _table(path, text, mark, Quotes("minimal", '"', None), HEAD) for mark in (",", *OTHERS) if mark in text
    ):
        return {}
    found = [mark for mark in marks if _table(path, text, mark, Quotes("minimal", "'", None), None)]
    return {"quote": "'", "delimiter": found[0]} if len(found) == 1 else {}


def _single_quotes(rows: Sequence[PlacedRow], text: str, delimiter: str, quotes: Quotes) -> int:
    """How many cells of a CSV stand in single quotes, where these are enough to be meant as quotes."""
    if (quotes.quoting, quotes.quote) != ("minimal", '"') or text.count(f"{delimiter}'") + text.count("\n'") < ODD:
        return 0
    number = sum(len(cell) > 2 and cell[0] == cell[-1] == "'" for row in rows for cell in row.values())
    return number if number >= max(ODD, OFTEN * len(rows)) else 0


def head(path: Path, text: str, kind: str, most: int, quote: str = '"') -> list[list[str]]:
    """The fields of the first records of a `csv` or `tsv` with the usual quoting, its header among them, empty ones left out.

    Raises:
        BenchError: one of them is broken.
    """
    quotes = Quotes("minimal" if kind == "csv" else AUTO, quote, None)
    if line := SEP.match(text):
        text = text[line.end() :]
    mark = "\t" if kind == "tsv" else line[1] if line else _detect(path, text, quotes, most)[0]
    records = (fields for _, fields in _records(path, text, mark, quotes) if not _is_empty(fields))
    return list(islice(records, most))


def _detect(
    path: Path, text: str, quotes: Quotes, most: int | None = None
) -> tuple[str, list[tuple[int, list[str]]] | None]:
    """The delimiter and its records: the comma (without them), unless another one alone makes a table of the text.

    Args:
        most: records that are looked at; default: all.
    """
    tables = {",": _table(path, text, ",", quotes, most)}
    if tables[","] is None:
        tables |= {mark: _table(path, text, mark, quotes, most) for mark in OTHERS if mark in text}
    fitting = [(mark, records) for mark, records in tables.items() if records]
    return fitting[0] if len(fitting) == 1 else (",", None)


def _table(
    path: Path, text: str, delimiter: str, quotes: Quotes, most: int | None
) -> list[tuple[int, list[str]]] | None:
    """All records, where they have the same number of fields and more than one; None where not."""
    records, width = [], 0
    try:
        for number, fields in islice(_records(path, text, delimiter, quotes), most):
            if (fields and fields[0] and not fields[0].isspace()) or not _is_empty(fields):
                width = width or len(fields)
                if len(fields) < 2 or len(fields) != width:
                    return None
            records.append((number, fields))
    except BenchError:  # a quote in the wrong place: said when the delimiter is known
        return None
    return records if width else None


def _is_empty(fields: Sequence[str]) -> bool:
    """Whether a line holds nothing but blanks and delimiters."""
    return not "".join(fields).strip()


def _records(
    path: Path, text: str, delimiter: str, quotes: Quotes, counts: Counter[str] | None = None
) -> Iterator[tuple[int, list[str]]]:
    """(line on which it starts, fields) of every record, without fields where the line is blank."""
    if quotes.quoting == AUTO and quotes.quote in text:
        return unquoted(list(_plain(text, delimiter)), quotes.quote, Counter() if counts is None else counts)
    return _plain(text, delimiter) if quotes.quoting in ("none", AUTO) else _quoted(path, text, delimiter, quotes)


def unquoted(
    records: list[tuple[int, list[str]]], quote: str, counts: Counter[str]
) -> Iterator[tuple[int, list[str]]]:
    """Records without the quotes that a program put around their cells; as they are where quotes must be text.

    `counts` gets the cells that were `quoted`, or those of `kept_quotes` where nearly all cells have them and some are written otherwise.
    """

    def stands(cell: str) -> bool:
        return len(cell) > 1 and cell[0] == cell[-1] == quote

    for inner in (quote + quote, "\\" + quote):  # as CSV has it, and as R's write.table
        whole, doubled, number = True, False, 0
        for cell in (cell for _, fields in records for cell in fields):
            if quote in cell:
                rest = cell[1:-1].replace(inner, "") if stands(cell) else quote
                if quote in rest:
                    break
                number, doubled = number + 1, doubled or len(rest) < len(cell) - 2
            elif whole and not BARE.fullmatch(cell.strip()):
                whole = False
        else:
            if number and (whole or (doubled and inner[0] == quote)):
                counts["quoted"] += number
                return (
                    (at, [cell[1:-1].replace(inner, quote) if quote in cell else cell for cell in fields])
                    for at, fields in records
                )
    first = [cell for _, fields in records[:SAMPLE] for cell in fields]
    if sum(map(stands, first)) > MOSTLY * len(first):
        counts["kept_quotes"] += sum(stands(cell) for _, fields in records for cell in fields)
    return iter(records)


def _swallowed(rows: Sequence[PlacedRow], delimiter: str) -> list[str]:
    """Places of cells that a quote without its partner has filled with the rows behind it, as far as that can be doubted.

    Such a cell has as many delimiters in each of its lines as the table, the first and the last line making up one row together. That is
    sure where its lines also have the classes of the table where these belong.

    Raises:
        BenchError: one is sure, with two rows or more.
    """
    suspects = []
    for row in rows:
        if not any("\n" in cell for cell in row.values()):
            continue
        above, width = 0, len(row)
        for column, (name, cell) in enumerate(row.items()):
            lines = [line.removesuffix("\r").split(delimiter) for line in cell.split("\n")]
            widths = [width - column, *[width] * (len(lines) - 2), column + 1]
            if width > 1 and len(lines) > 1 and [len(line) for line in lines] == widths:
                suspects.append((row, above, column, name, lines))
            above += len(lines) - 1
    if not suspects:
        return []
    classes: dict[int, set[str]] = {}
    for column, name in enumerate(rows[0]):
        values = {row[name] for row in rows if "\n" not in row[name]}
        if 1 < len(values) <= min(FEW, max(3, len(rows) // 5)):
            classes[column] = values
    doubts = []
    for row, above, column, name, lines in suspects:
        shifted = [dict(enumerate(lines[0][1:], column + 1)), *(dict(enumerate(line)) for line in lines[1:-1])]
        shifted.append(dict(enumerate(lines[-1][:column])))
        told = [{place: line[place] for place in classes if place in line and place != column} for line in shifted]
        sure = sum(all(value and value in classes[place] for place, value in line.items()) for line in told if line)
        if sure < sum(map(bool, told)) or not (sure or len(lines) - 2 >= MANY_LINES):
            continue
        at = f"{row.file}:{row.spot + above}"
        if sure > 1:
            raise BenchError(
                f"{at}: the cell of column {short(name)!r} that begins here has {len(lines)} lines, which are rows of the table, such as "
                f"{short(delimiter.join(lines[1]))!r}; a quotation mark lacks its partner: mend the line, or say quoting: none where quotes are text"
            )
        doubts.append(at)
    return doubts


def _plain(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    # Not csv.QUOTE_NONE: it gives up at a carriage return inside a line.
    for number, line in enumerate(split_lines(text), start=1):
        yield number, line.split(delimiter) if line else []


def _quoted(path: Path, text: str, delimiter: str, quotes: Quotes) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quotes.quote,
        escapechar=quotes.escape,
        strict=True,
    )
    while True:
        number = reader.line_num + 1
        limit = csv.field_size_limit(FIELD_LIMIT)  # a global of the csv module: set for this record only
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise BenchError(
                f"{path}:{number}: broken CSV ({error}); mend the line, or say in a task file's data (bench task new NAME) "
                "quoting: none, where quotes are text, or another `quote` or `escape`"
            ) from None
        finally:
            csv.field_size_limit(limit)
        if fields is None:
            return
        yield number, fields


def _as_dicts(path: Path, records: Records, header: bool | Sequence[str], counts: Counter[str]) -> list[dict[str, str]]:
    """Rows under their columns' names; `counts` gets the number of `empty_rows`, and of `repeated_headers` where files were put together."""
    records, first = iter(records), None
    for first in records:
        if not _is_empty(first[1]):
            break
        counts["empty_rows"] += 1
    else:
        return []
    if header is True:
        # The unnamed first column of a table that a data frame wrote gets its index for a name.
        names = [name.strip() or str(index) for index, name in enumerate(first[1])]
        number = first[0]
    else:
        names = [str(index) for index in range(len(first[1]))] if header is False else [str(name) for name in header]
        number, records = 0, chain([first], records)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        at = f"{path}:{number}" if number else str(path)
        raise BenchError(f"{at}: column {short(twice)!r} occurs twice; rename one, or name all columns in `header`")
    rows, title = [], first[1] if header is True and len(names) > 1 else None
    for number, fields in records:
        if title and fields and fields[0].endswith(title[0]) and is_repeated(title, fields):
            counts["repeated_headers"] += 1
            continue
        if (not fields or not fields[0] or fields[0].isspace()) and _is_empty(fields):
            counts["empty_rows"] += 1
            continue
        if len(fields) != len(names):
            raise BenchError(
                f"{path}:{number}: {len(fields)} fields where {len(names)} columns are expected "
                f"({_brief(names)}); check delimiter and quoting{'' if header is True else ', and header'}{hint(fields)}"
            )
        rows.append(PlacedRow(zip(names, fields, strict=True), path, number))
    return rows


def is_repeated(title: Sequence[str], fields: Sequence[str]) -> bool:
    """Whether a row is the header once more, maybe behind the byte order mark of the file that began there."""
    return list(fields[1:]) == list(title[1:]) and fields[0].lstrip("\ufeff") == title[0]


def _brief(names: Sequence[str]) -> str:
    shown = [short(name, 30) for name in names[:20]]
    return ", ".join(shown) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
