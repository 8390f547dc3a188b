"""Recognise files of annotation tools that are not read, and say how to export or convert them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import BenchError

SAMPLE = 50  # rows
LISTS = 'write a line {"words": ["Ann", "ran"], "tags": ["B-PER", "O"]} for each sentence (.jsonl), or CoNLL columns'
SPANS = f"its spans of characters must become a tag for each word: {LISTS}"
PRODIGY_ANSWERS = {"accept", "reject", "ignore"}
_CONLLU_COMMENT = re.compile(r"#\s*(newdoc|newpar|sent_id|text|global\.columns)\b")
_CONLLU_TOKEN = re.compile(r"\d+(-\d+|\.\d+)?\t")


def check_text(path: Path, text: str) -> None:
    """Raise a `BenchError` for WebAnno's TSV and for CoNLL-U, which look like columns of tokens and tags."""
    if text.startswith("#FORMAT=WebAnno"):
        raise BenchError(
            f"{path}: is a WebAnno (INCEpTION) TSV file, which is not read; export it there as CoNLL 2002 or CoNLL 2003, or {LISTS}"
        )
    lines = text[:20_000].split("\n")[:200]
    tokens = [line.split("\t") for line in lines if _CONLLU_TOKEN.match(line)]
    if any(map(_CONLLU_COMMENT.match, lines)) and tokens and len(tokens[0]) >= 10:
        tagged = [n for n in range(2, len(tokens[0])) if _are_tags([token[n] for token in tokens if n < len(token)])]
        option = f"tags: {tagged[0]}" if tagged else "tags: N (the column of the tags, from 0)"
        none = "" if tagged else "none of its columns holds IOB tags; with such a column "
        raise BenchError(
            f"{path}: is a CoNLL-U file, with comments and ten columns; {none}write in a task file (bench task new) "
            f'data: {{format: conll, files: {path.name}, separator: "\\t", words: 1, {option}, comment: "#"}}'
        )


def check_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Raise a `BenchError` for rows of an annotation tool's export; the message names the tool."""
    sample = rows[:SAMPLE]
    names = {str(name) for row in sample for name in row}
    if problem := _problem(names, sample):
        raise BenchError(f"{path}: {problem}")
    if {"answer", "_input_hash"} <= names or {"answer", "_task_hash"} <= names:
        answers = {str(row.get("answer")) for row in rows}
        if answers <= PRODIGY_ANSWERS and answers != {"accept"}:
            raise BenchError(
                f"{path}: is a Prodigy export with rows whose answer is {' or '.join(sorted(answers - {'accept'}))}, which are no examples; "
                f'keep those with "answer": "accept" alone, such as with jq -c \'select(.answer == "accept")\''
            )


def check_folder(folder: Path, names: Sequence[str]) -> None:
    """Raise a `BenchError` for a folder of brat's pairs of files."""
    stems = {name.removesuffix(".ann") for name in names if name.endswith(".ann")}
    if paired := [name for name in names if name.endswith(".txt") and name.removesuffix(".txt") in stems]:
        raise BenchError(
            f"{folder}: holds brat's files, a .ann with spans of characters beside each .txt ({paired[0]}), which are not read; {SPANS}"
        )


def _problem(names: set[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Say what the rows are and what to do; empty if they are of no known tool."""
    values = {name: [value for row in rows if (value := _parsed(row.get(name)))] for name in names}
    first = {name: _first_item(column) for name, column in values.items()}
    objects = {name: set(item) for name, item in first.items() if isinstance(item, Mapping)}
    if {"tokenized_text", "ner"} <= names and _are_spans(values["ner"]):
        return f"is GLiNER's training data, `ner` with spans of words [first, last, type], which are not read; {LISTS}"
    for name, keys in objects.items():
        if {"start", "end"} <= keys and isinstance(first[name].get("labels", first[name].get("label")), list):
            return f"{name!r} holds character spans with labels, as Label Studio exports them; export it there as CONLL2003: {SPANS}"
    results = ("annotations", "completions", "predictions")
    if (
        "data" in names
        and names & set(results)
        and isinstance(rows[0].get("data"), Mapping)
        and all(isinstance(rows[0].get(name, []), list) for name in results)
    ):
        return (
            "is a Label Studio export with nested results, which are not read; export it there as CSV or JSON-MIN for labels of whole texts, "
            "as CONLL2003 for entities"
        )
    if "start" in objects.get("spans", ()):
        return f"'spans' holds character spans [start, end, label], as Prodigy exports them; {SPANS}"
    for name in ("label", "labels", "entities", "annotations"):
        if _are_spans(values.get(name, ())):
            return f"{name!r} holds character spans [start, end, type], as doccano exports them; {SPANS}"
        keys = objects.get(name, set())
        if {"start_offset", "end_offset"} <= keys or {"start", "end"} <= keys:
            return f"{name!r} holds character spans {{start, end, label}}, as doccano exports them; {SPANS}"
    if "sentences" in objects.get("paragraphs", ()):
        return f"is spaCy's JSON of paragraphs, sentences and tokens, which is not read; {LISTS}"
    return ""


def _parsed(value: Any) -> Any:
    """Parse a list that a table holds as text; return other values as they are."""
    if isinstance(value, str) and value.lstrip()[:2] in ("[{", "[["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _items(values: Sequence[Any]) -> list[Any]:
    return [item for value in values if isinstance(value, list) for item in value]


def _first_item(values: Sequence[Any]) -> Any:
    return next(iter(_items(values)), None)


def _are_spans(values: Sequence[Any]) -> bool:
    """Whether all items of the lists are `[number, number, name]`."""
    items = _items(values)
    return bool(items) and all(
        isinstance(item, list)
        and len(item) >= 3
        and all(isinstance(part, int) and not isinstance(part, bool) for part in item[:2])
        and isinstance(item[2], str)
        for item in items
    )


def _are_tags(values: Sequence[str]) -> bool:
    return any(value != "O" for value in values) and all(re.fullmatch(r"O|[BIES]-\w+", value) for value in values)
