"""Read SQuAD's nested JSON, versions 1.1 (Rajpurkar et al. 2016) and 2.0 (Rajpurkar, Jia and Liang 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.data.file_layer import as_paths
from harness.data.place import PlacedRow
from harness.data.readers.json_rows import load
from harness.data.readers.offsets import NOWHERE, align
from harness.data.scalars import Notes, boolean, scalar, whole_number
from harness.errors import BenchError


def read(files: Any, *, encoding: str = "utf-8-sig", report: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return rows `{"id", "title", "group", "context", "question", "answers": {"text": [...], "answer_start": [...]}}`.

    Offsets count code points, whatever the file counts (see `harness.data.readers.offsets`). Unanswerable questions have empty
    lists; an empty text at a negative offset is no answer. `group` is the title of the article, or its index if it has none.

    Args:
        report: Gets `questions`, `unanswerable`, `answers`, the counts of `offsets.align`, `truth_values` (values of `is_impossible`
            written as text or number), `impossible_with_answers` (questions that are marked as impossible but have answers, which
            are ignored) and `no_answers` (empty texts at a negative offset).
    """
    rows: list[dict[str, Any]] = []
    notes = Notes()
    articles = 0
    for path in as_paths(files):
        content = load(path, encoding)
        if not isinstance(content, dict):
            raise BenchError(f"{path}: {type(content).__name__} instead of SQuAD's object; for flat rows say format: json")
        for article, at in _items(content, "data", str(path), ": "):
            title = _text(article, "title", at, notes) if article.get("title") else ""
            group = title or str(articles)
            articles += 1
            for paragraph, at_paragraph in _items(article, "paragraphs", at):
                context = _text(paragraph, "context", at_paragraph, notes)
                for question, at_question in _items(paragraph, "qas", at_paragraph):
                    row = {
                        "id": _text(question, "id", at_question, notes),
                        "title": title,
                        "group": group,
                        "context": context,
                        "question": _text(question, "question", at_question, notes),
                        "answers": _answers(question, at_question, notes),
                    }
                    rows.append(PlacedRow(row, path, at_question.removeprefix(f"{path}: ")))
    counts: dict[str, Any] = {}
    align(rows, counts)
    if report is not None:
        answers = [len(row["answers"]["text"]) for row in rows]
        report.update(questions=len(rows), unanswerable=answers.count(0), answers=sum(answers), **counts)
        report.update({name: number for name, number in notes.items() if number})
    return rows


def _get(parent: Mapping[str, Any], key: str, where: str) -> Any:
    if key not in parent:
        raise BenchError(f"{where}: {key!r} is missing; found: {', '.join(parent) or 'nothing'}")
    return parent[key]


def _text(parent: Mapping[str, Any], key: str, where: str, notes: Notes) -> str:
    """Return a text, or a number as text."""
    value = _get(parent, key, where)
    if type(value) is str and value.isascii():
        return value
    try:
        text = scalar(value, notes)
    except ValueError:
        text = None
    if text is None:
        raise BenchError(f"{where}.{key}: {type(value).__name__} instead of a text")
    return text


def _items(parent: Mapping[str, Any], key: str, where: str, joint: str = ".") -> list[tuple[dict[str, Any], str]]:
    """Return the objects of a list, each with its path inside the file."""
    items = _get(parent, key, where)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BenchError(f"{where}{joint}{key}: must be a list of objects")
    return [(item, f"{where}{joint}{key}[{index}]") for index, item in enumerate(items)]


def _answers(question: Mapping[str, Any], where: str, notes: Notes) -> dict[str, list]:
    try:
        impossible = boolean(question.get("is_impossible"), notes) if "is_impossible" in question else False
    except ValueError as error:
        raise BenchError(f"{where}.is_impossible: {error}") from None
    if impossible:  # the question may have plausible answers, which do not count
        given = question.get("answers")
        notes["impossible_with_answers"] += isinstance(given, list) and any(
            isinstance(answer, dict) and answer.get("text") for answer in given
        )
        return {"text": [], "answer_start": []}
    texts: list[str] = []
    starts: list[int] = []
    for answer, at in _items(question, "answers", where):
        text = _text(answer, "text", at, notes)
        try:
            start = _get(answer, "answer_start", at)
            start = start if type(start) is int else whole_number(start)
        except ValueError as error:
            raise BenchError(f"{at}.answer_start: {error}") from None
        if not text:
            if start >= 0:
                raise BenchError(
                    f"{at}.text: '' at {start}; an answer must have text: for an unanswerable question write answers: []"
                )
            notes["no_answers"] += 1
            continue
        texts.append(text)
        starts.append(max(start, NOWHERE))
    return {"text": texts, "answer_start": starts}
