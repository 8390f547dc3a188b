"""Read translations: line-parallel files, sentence pairs on lines, and TMX (LISA, TMX 1.4b specification)."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.parsers import expat

from harness.data.file_layer import as_paths, read_bytes, read_text, split_lines
from harness.data.place import PlacedRow
from harness.data.readers.quotes import unquoted
from harness.errors import BenchError

TMX_CODES = frozenset(("bpt", "ept", "it", "ph", "ut"))  # elements that hold markup of another program and no text


def read_lines(files: Any, *, encoding: str = "utf-8-sig", report: dict[str, Any] | None = None) -> list[dict[str, str]]:
    """Return rows of line-parallel files, in which line N of one file belongs to line N of the others.

    Outer white space is removed; what is inside a line stays, including U+0085, U+2028 and a lone carriage return.

    Args:
        files: Column → path, or paths that are read in pairs.
        report: Gets `empty`, the number of rows with an empty side. They are kept: otherwise the files would not be aligned.
    """
    if not isinstance(files, Mapping):
        raise BenchError("format 'lines' needs a file per column, such as {source: train.en, target: train.de}")
    columns = {name: as_paths(paths) for name, paths in files.items()}
    if len({len(paths) for paths in columns.values()}) > 1:
        counts = ", ".join(f"{len(paths)} for {name}" for name, paths in columns.items())
        raise BenchError(f"format 'lines' needs as many files for each column, but there are {counts}")
    rows: list[dict[str, str]] = []
    for paths in zip(*columns.values(), strict=True):
        texts = [[line.strip() for line in split_lines(read_text(path, encoding))] for path in paths]
        if len({len(lines) for lines in texts}) > 1:
            counts = ", ".join(f"{path}: {len(lines)}" for path, lines in zip(paths, texts, strict=True))
            raise BenchError(
                f"files that should be parallel differ in their number of lines ({counts}); from where they differ on, no line "
                "belongs to its neighbour: fetch them again"
            )
        for number, lines in enumerate(zip(*texts, strict=True), start=1):
            rows.append(PlacedRow(zip(columns, lines, strict=True), paths[0], number))
    if report is not None:
        report.update(empty=sum(not all(row.values()) for row in rows))
    return rows


def read_pairs(
    files: Any,
    *,
    source: int = 0,
    target: int = 1,
    separator: str = "\t",
    encoding: str = "utf-8-sig",
    report: dict[str, Any] | None = None,
) -> list[dict[str, str]]:
    """Return rows `{"source", "target", "group"}` of lines `text<TAB>translation[<TAB>attribution]`, as Tatoeba has them.

    Blank lines are skipped, and other fields are ignored, so lines may differ in their number of fields. The source of a row is
    its `group`, so that all translations of a sentence stay in one split.

    Args:
        source, target: The index of each field; `source: 1, target: 0` reverses the direction.
        separator: The text between fields.
        report: Gets `repeated` (rows whose source occurred before), `empty` (rows with an empty side), `unread` (lines with text
            in other fields), and `quoted` (cells whose quotes were removed, see `harness.data.readers.quotes`).
    """
    rows: list[dict[str, str]] = []
    unread, counts = 0, Counter()
    for path in as_paths(files):
        lines = enumerate(split_lines(read_text(path, encoding)), start=1)
        records = [(number, line.split(separator) if line.strip() else []) for number, line in lines]
        for number, fields in unquoted(records, '"', counts):
            if not fields:
                continue
            try:
                row = {"source": fields[source].strip(), "target": fields[target].strip()}
            except IndexError:
                raise BenchError(
                    f"{path}:{number}: {len(fields)} field(s), so none with index {max(source, target)}; "
                    "check the separator (a tab by default), source and target"
                ) from None
            used = {source % len(fields), target % len(fields)}
            unread += any(field.strip() for index, field in enumerate(fields) if index not in used)
            rows.append(PlacedRow(row | {"group": row["source"]}, path, number))
    if report is not None:
        repeated = len(rows) - len({row["source"] for row in rows})
        report.update(repeated=repeated, empty=_count_empty(rows))
        report.update({"unread": unread} if unread else {})
        report.update(counts)
    return rows


def read_tmx(
    files: Any, *, source: str | None = None, target: str | None = None, report: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return rows `{"source": text, "target": text}`; a unit with several translations has a list of them as its target.

    Units that lack one of the two languages give no row.

    Args:
        source, target: Language codes; `en` includes `en-GB`. They may be omitted for a file of two languages that names the one
            it translates from (`srclang`).
        report: Gets the languages as `source` and `target`, `incomplete` (units without a row), `empty` (rows with an empty side),
            and what was ignored: `codes` (markup inside segments), `other_languages` (with their numbers of segments),
            `other_variants` (segments in `de-AT` if the unit has `de` too) and `other_sources` (further segments of the source).
    """
    rows: list[dict[str, Any]] = []
    counts = Counter(incomplete=0)
    other_languages: Counter[str] = Counter()
    for path in as_paths(files):
        parser = _TmxParser(path)
        parser.parse(read_bytes(path))
        source, target = _languages(parser, source, target)
        for line, unit in parser.units:
            sides = [_segments(unit, language) for language in (source, target)]
            matching = 0
            for code, segments in unit.items():
                if any(language.lower() in (code.lower(), _base_language(code)) for language in (source, target)):
                    matching += len(segments)
                else:
                    other_languages[code] += len(segments)
            counts["other_variants"] += matching - sum(map(len, sides))
            if all(sides):
                counts["other_sources"] += len(sides[0]) - 1
                translations = sides[1] if len(sides[1]) > 1 else sides[1][0]
                rows.append(PlacedRow({"source": sides[0][0], "target": translations}, path, line))
            else:
                counts["incomplete"] += 1
        counts["codes"] += parser.ignored_codes
    if report is not None:
        report.update(source=source, target=target, incomplete=counts.pop("incomplete"), empty=_count_empty(rows))
        report.update({name: number for name, number in counts.items() if number})
        if other_languages:
            listed = (f"{code} ({number:,})" for code, number in other_languages.most_common())
            report["other_languages"] = ", ".join(listed)
    return rows


class _TmxParser:
    """Collects the translation units of a TMX file.

    Entities are refused: TMX does not need them, and they can expand a small file enormously or name other files.

    Attributes:
        units: (line, language → segments) of each unit.
        source_language: The language that the file says it translates from.
        ignored_codes: The number of elements with markup of another program.
    """

    def __init__(self, path: Any):
        self.path = path
        self.units: list[tuple[int, dict[str, list[str]]]] = []
        self.source_language: str | None = None
        self.ignored_codes = 0
        self._language = ""
        self._code_depth = 0
        self._segment: list[str] | None = None
        self._parser: Any = None

    def parse(self, data: bytes) -> None:
        # A byte order mark is right even if the XML declaration, which programs copy, says something else.
        utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        self._parser = expat.ParserCreate("utf-16" if utf16 else None)
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._start, self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.EntityDeclHandler = self._parser.SkippedEntityHandler = self._entity
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            message = expat.ErrorString(error.code)
            raise BenchError(f"{self.path}:{error.lineno}: broken XML ({message}); mend it, or fetch it again") from None
        except (LookupError, ValueError) as error:  # an encoding that expat cannot read
            raise BenchError(f"{self.path}:1: cannot be read ({error}); save it as UTF-8") from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "header":
            self.source_language = attributes.get("srclang")
        elif name == "tu":
            self.units.append((self._parser.CurrentLineNumber, {}))
        elif name == "tuv":
            self._language = attributes.get("xml:lang") or attributes.get("lang") or ""
            if not self.units or not self._language:
                raise BenchError(f"{self.path}:{self._parser.CurrentLineNumber}: a <tuv> outside of a <tu> or without xml:lang")
        elif name == "seg":
            self._segment = []
        elif name in TMX_CODES:
            self.ignored_codes += self._segment is not None and not self._code_depth
            self._code_depth += 1

    def _end(self, name: str) -> None:
        if name == "seg" and self._segment is not None and self.units:
            text = " ".join("".join(self._segment).split("\n")).strip()
            self.units[-1][1].setdefault(self._language, []).append(text)
            self._segment = None
        elif name in TMX_CODES:
            self._code_depth -= 1

    def _text(self, data: str) -> None:
        if self._segment is not None and not self._code_depth:
            self._segment.append(data)

    def _entity(self, name: str, *_: Any) -> None:
        raise BenchError(
            f"{self.path}:{self._parser.CurrentLineNumber}: has the entity {name!r}; entities are not read: replace it by its text"
        )


def _count_empty(rows: list[dict[str, Any]]) -> int:
    return sum(not (row["source"] and row["target"]) for row in rows)


def _segments(unit: dict[str, list[str]], language: str) -> list[str]:
    """Return a unit's texts with exactly this language code, or else those of its regional variants."""
    exact = [text for code, texts in unit.items() if code.lower() == language.lower() for text in texts]
    return exact or [text for code, texts in unit.items() if _base_language(code) == language.lower() for text in texts]


def _base_language(code: str) -> str:
    return code.lower().replace("_", "-").partition("-")[0]


def _languages(parser: _TmxParser, source: str | None, target: str | None) -> tuple[str, str]:
    """Check the two languages, and take missing ones from the file."""
    codes = list(dict.fromkeys(code for _, unit in parser.units for code in unit))
    valid = {name for code in codes for name in (code.lower(), _base_language(code))}
    for option, language in {"source": source, "target": target}.items():
        if language and language.lower() not in valid:
            raise BenchError(
                f"{parser.path}: no segments in {option}: {language!r}; the file has {', '.join(codes) or 'none at all'}"
            )
    bases = list(dict.fromkeys(_base_language(code) for code in codes))
    declared = _base_language(parser.source_language or "")
    if source is None and target is None and declared in bases:
        source = declared
    others = [base for base in bases if base != _base_language(source or target or "")]
    if (source is None or target is None) and not (len(bases) == 2 and len(others) == 1):
        first, second = codes[0] if codes else "en", codes[1] if len(codes) > 1 else "de"
        raise BenchError(
            f"{parser.path}: which of its languages ({', '.join(codes) or 'none'}) is which? State source and target in a task "
            "file (bench task new NAME --family translation), such as "
            f"data: {{format: tmx, files: {Path(parser.path).name}, source: {first}, target: {second}}}"
        )
    return source or others[0], target or others[0]
