"""Files as annotation tools and libraries write them, which are no rows of words and tags: named, with the way to such rows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import BenchError

LOOKED_AT = 50  # rows
LISTS = 'write a line {"words": ["Ann", "ran"], "tags": ["B-PER", "O"]} for each sentence (.jsonl), or CoNLL columns'
SPANS = f"its spans of characters must become a tag for each word: {LISTS}"
ANSWERS = {"accept", "reject", "ignore"}
_CONLLU = re.compile(r"#\s*(newdoc|newpar|sent_id|text|global\.columns)\b")


def check_text(path: Path, text: str) -> None:
    """Make sure that a file of text is not of a format that looks like columns and is none of ours.

    Raises:
        BenchError: WebAnno's TSV, CoNLL-U.
    """
    if text.startswith("#FORMAT=WebAnno"):
        raise BenchError(
            f"{path}: is a WebAnno (INCEpTION) TSV file, which is not read; export it there as CoNLL 2002 or CoNLL 2003, or {LISTS}"
        )
    head = text[:20_000].split("\n")[:200]
    tokens = [line.split("\t") for line in head if re.match(r"\d+(-\d+|\.\d+)?\t", line)]
    if any(map(_CONLLU.match, head)) and tokens and len(tokens[0]) >= 10:
        tagged = [n for n in range(2, len(tokens[0])) if _are_tags([one[n] for one in tokens if n < len(one)])]
        cure = f"tags: {tagged[0]}" if tagged else "tags: N (the column of the tags, from 0)"
        none = "" if tagged else "none of its columns holds IOB tags; with such a column "
        raise BenchError(
            f"{path}: is a CoNLL-U file, with comments and ten columns; {none}write in a task file (bench task new) "
            f'data: {{format: conll, files: {path.name}, separator: "\\t", words: 1, {cure}, comment: "#"}}'
        )


def check_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make sure that rows are not those of an annotation tool's export.

    Raises:
        BenchError: they are; the message names the tool.
    """
    some = rows[:LOOKED_AT]
    there = {str(name) for row in some for name in row}
    if what := _named(there, some):
        raise BenchError(f"{path}: {what}")
    if {"answer", "_input_hash"} <= there or {"answer", "_task_hash"} <= there:
        given = {str(row.get("answer")) for row in rows}
        if given <= ANSWERS and given != {"accept"}:
            raise BenchError(
                f"{path}: is a Prodigy export with rows whose answer is {' or '.join(sorted(given - {'accept'}))}, which are no examples; "
                f'keep those with "answer": "accept" alone, such as with jq -c \'select(.answer == "accept")\''
            )


def check_folder(folder: Path, names: Sequence[str]) -> None:
    """Make sure that a folder does not hold brat's pairs of files.

    Raises:
        BenchError: it does.
    """
    stems = {name.removesuffix(".ann") for name in names if name.endswith(".ann")}
    if paired := [name for name in names if name.endswith(".txt") and name.removesuffix(".txt") in stems]:
        raise BenchError(
            f"{folder}: holds brat's files, a .ann with spans of characters beside each .txt ({paired[0]}), which are not read; {SPANS}"
        )


def _named(there: set[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """What is said of the rows; empty where they are of no tool."""
    values = {name: [value for row in rows if (value := _parsed(row.get(name)))] for name in there}
    if {"tokenized_text", "ner"} <= there and _are_spans(values["ner"]):
        return f"is GLiNER's training data, `ner` with spans of words [first, last, type], which are not read; {LISTS}"
    for name, found in values.items():
        first = _first(found)
        if (
            isinstance(first, Mapping)
            and {"start", "end"} <= set(first)
            and isinstance(first.get("labels", first.get("label")), list)
        ):
            return f"{name!r} holds character spans with labels, as Label Studio exports them; export it there as CONLL2003: {SPANS}"
    if (
        "data" in there
        and {"annotations", "completions", "predictions"} & there
        and isinstance(rows[0].get("data"), Mapping)
        and all(isinstance(rows[0].get(name, []), list) for name in ("annotations", "completions", "predictions"))
    ):
        return (
            "is a Label Studio export with nested results, which are not read; export it there as CSV or JSON-MIN for labels of whole texts, "
            "as CONLL2003 for entities"
        )
    if "spans" in there and isinstance(_first(values["spans"]), Mapping) and "start" in _first(values["spans"]):
        return f"'spans' holds character spans [start, end, label], as Prodigy exports them; {SPANS}"
    for name in ("label", "labels", "entities", "annotations"):
        if _are_spans(values.get(name, ())):
            return f"{name!r} holds character spans [start, end, type], as doccano exports them; {SPANS}"
        first = _first(values.get(name, ()))
        if isinstance(first, Mapping) and (
            {"start_offset", "end_offset"} <= set(first) or {"start", "end"} <= set(first)
        ):
            return f"{name!r} holds character spans {{start, end, label}}, as doccano exports them; {SPANS}"
    paragraphs = _first(values.get("paragraphs", ()))
    if isinstance(paragraphs, Mapping) and "sentences" in paragraphs:
        return f"is spaCy's JSON of paragraphs, sentences and tokens, which is not read; {LISTS}"
    return ""


def _parsed(value: Any) -> Any:
    """A list that stands in a table as text; other values as they are."""
    if isinstance(value, str) and value.lstrip()[:2] in ("[{", "[["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _first(lists: Sequence[Any]) -> Any:
    return next((one for found in lists if isinstance(found, list) for one in found), None)


def _are_spans(lists: Sequence[Any]) -> bool:
    """Whether all items are `[number, number, name]`."""
    items = [one for found in lists if isinstance(found, list) for one in found]
    return bool(items) and all(
        isinstance(one, list)
        and len(one) >= 3
        and all(isinstance(part, int) and not isinstance(part, bool) for part in one[:2])
        and isinstance(one[2], str)
        for one in items
    )


def _are_tags(values: Sequence[str]) -> bool:
    return any(value != "O" for value in values) and all(re.fullmatch(r"O|[BIES]-\w+", value) for value in values)
