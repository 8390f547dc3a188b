"""TMX, the exchange format of translation memories (LISA, TMX 1.4b specification)."""

from __future__ import annotations

import codecs
from collections import Counter
from pathlib import Path
from typing import Any
from xml.parsers import expat

from harness.data.file_layer import as_paths, read_bytes
from harness.data.place import PlacedRow
from harness.errors import BenchError

CODES = frozenset(("bpt", "ept", "it", "ph", "ut"))  # elements that hold another program's markup and no text


class _Units:
    """What a parser collects: (line, language -> segments) of each translation unit.

    Entities are refused: TMX needs none, and they can blow a small file up or name other files.
    """

    def __init__(self, path: Any):
        self.path = path
        self.units: list[tuple[int, dict[str, list[str]]]] = []
        self.declared: str | None = None  # the language from which the whole file translates
        self.language, self.codes, self.left_out = "", 0, 0
        self.segment: list[str] | None = None

    def parse(self, data: bytes) -> None:
        # The mark at the beginning of the file is right where its declaration, which programs copy, says something else.
        marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        self.parser = expat.ParserCreate("utf-16" if marked else None)
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.start, self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.EntityDeclHandler = self.parser.SkippedEntityHandler = self.entity
        try:
            self.parser.Parse(data, True)
        except expat.ExpatError as error:
            message = expat.ErrorString(error.code)
            raise BenchError(
                f"{self.path}:{error.lineno}: broken XML ({message}); mend it, or fetch it again"
            ) from None
        except (LookupError, ValueError) as error:  # an encoding that expat cannot read
            raise BenchError(f"{self.path}:1: cannot be read ({error}); save it as UTF-8") from None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "header":
            self.declared = attributes.get("srclang")
        elif name == "tu":
            self.units.append((self.parser.CurrentLineNumber, {}))
        elif name == "tuv":
            self.language = attributes.get("xml:lang") or attributes.get("lang") or ""
            if not self.units or not self.language:
                raise BenchError(
                    f"{self.path}:{self.parser.CurrentLineNumber}: a <tuv> outside of a <tu> or without xml:lang"
                )
        elif name == "seg":
            self.segment = []
        elif name in CODES:
            self.left_out += self.segment is not None and not self.codes
            self.codes += 1

    def end(self, name: str) -> None:
        if name == "seg" and self.segment is not None and self.units:
            text = " ".join("".join(self.segment).split("\n")).strip()
            self.units[-1][1].setdefault(self.language, []).append(text)
            self.segment = None
        elif name in CODES:
            self.codes -= 1

    def text(self, data: str) -> None:
        if self.segment is not None and not self.codes:
            self.segment.append(data)

    def entity(self, name: str, *_: Any) -> None:
        raise BenchError(
            f"{self.path}:{self.parser.CurrentLineNumber}: has the entity {name!r}; entities are not read: replace it by its text"
        )


def read(
    files: Any, *, source: str | None = None, target: str | None = None, report: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Rows `{"source": text, "target": text}`; a unit with several translations has a list of them as its target.

    Units without one of the two languages give no row. The report gets `source` and `target` (the languages), `incomplete`
    (the number of such units), `empty` (rows with a side without text), and what was left out: `codes` (another program's markup in the
    segments), `other_languages` (with their segments), `other_variants` (segments in `de-AT` where the unit has `de` as well) and
    `other_sources` (further segments in the source language).

    Args:
        source, target: language codes. `en` is also `en-GB`. They may be left out for a file of two languages that says from
            which one it translates (`srclang`).
    """
    rows: list[dict[str, Any]] = []
    counts = Counter(incomplete=0)
    others: Counter[str] = Counter()
    for path in as_paths(files):
        collected = _Units(path)
        collected.parse(read_bytes(path))
        source, target = _languages(collected, source, target)
        for line, unit in collected.units:
            sides = [_segments(unit, language) for language in (source, target)]
            there = 0
            for code, segments in unit.items():
                if any(language.lower() in (code.lower(), _base(code)) for language in (source, target)):
                    there += len(segments)
                else:
                    others[code] += len(segments)
            counts["other_variants"] += there - sum(map(len, sides))
            if all(sides):
                counts["other_sources"] += len(sides[0]) - 1
                targets = sides[1] if len(sides[1]) > 1 else sides[1][0]
                rows.append(PlacedRow({"source": sides[0][0], "target": targets}, path, line))
            else:
                counts["incomplete"] += 1
        counts["codes"] += collected.left_out
    if report is not None:
        report.update(source=source, target=target, incomplete=counts.pop("incomplete"))
        report.update(empty=sum(not (row["source"] and row["target"]) for row in rows))
        report.update({name: number for name, number in counts.items() if number})
        if others:
            report["other_languages"] = ", ".join(f"{code} ({number:,})" for code, number in others.most_common())
    return rows


def _segments(unit: dict[str, list[str]], language: str) -> list[str]:
    """A unit's texts in a language: those with its very code, or else those of its regions."""
    exact = [text for code, texts in unit.items() if code.lower() == language.lower() for text in texts]
    return exact or [text for code, texts in unit.items() if _base(code) == language.lower() for text in texts]


def _base(code: str) -> str:
    return code.lower().replace("_", "-").partition("-")[0]


def _languages(collected: _Units, source: str | None, target: str | None) -> tuple[str, str]:
    """The two languages, checked; the missing ones told by the file."""
    there = list(dict.fromkeys(code for _, unit in collected.units for code in unit))
    valid = {name for code in there for name in (code.lower(), _base(code))}
    for option, language in {"source": source, "target": target}.items():
        if language and language.lower() not in valid:
            raise BenchError(
                f"{collected.path}: no segments in {option}: {language!r}; the file has {', '.join(there) or 'none at all'}"
            )
    bases = list(dict.fromkeys(_base(code) for code in there))
    declared = _base(collected.declared or "")
    if source is None and target is None and declared in bases:
        source = declared
    others = [base for base in bases if base != _base(source or target or "")]
    if (source is None or target is None) and not (len(bases) == 2 and len(others) == 1):
        raise BenchError(
            f"{collected.path}: which of its languages ({', '.join(there) or 'none'}) is which? State source and target "
            f"in a task file (bench task new NAME --family translation), such as data: {{format: tmx, files: {Path(collected.path).name}, source: {there[0] if there else 'en'}, target: {there[1] if len(there) > 1 else 'de'}}}"
        )
    return source or others[0], target or others[0]
