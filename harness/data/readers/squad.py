"""SQuAD's nested JSON, versions 1.1 (Rajpurkar et al. 2016) and 2.0 (Rajpurkar, Jia and Liang 2018)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from harness.data.files import as_paths
from harness.data.place import PlacedRow
from harness.data.readers.answers import find, whole
from harness.data.readers.json_rows import load
from harness.errors import BenchError


def read(files: Any, *, encoding: str = "utf-8-sig", report: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Rows `{"id", "title", "group", "context", "question", "answers": {"text": [...], "answer_start": [...]}}`.

    Offsets count code points. Unanswerable questions have empty lists. `group` is the article: its title, or its index
    where it has none. An answer that does not stand at its offset is moved to where its text does stand, if that is
    the only place or the only one near by; otherwise it is left as it is. The report gets `questions`, `unanswerable`,
    `answers`, `misaligned` (answers not at their offset) and `repaired` (those of them that were moved).
    """
    rows, counts = [], Counter()
    articles = 0
    for path in as_paths(files):
        content = load(path, encoding)
        if not isinstance(content, dict):
            raise BenchError(
                f"{path}: {type(content).__name__} instead of SQuAD's object; for flat rows say format: json"
            )
        for article, at in _items(content, "data", str(path), ": "):
            title = str(article.get("title") or "")
            group = title or str(articles)
            articles += 1
            for paragraph, at_paragraph in _items(article, "paragraphs", at):
                context = _text(paragraph, "context", at_paragraph)
                for question, at_question in _items(paragraph, "qas", at_paragraph):
                    row = {"id": str(_get(question, "id", at_question)), "title": title, "group": group}
                    row |= {"context": context, "question": _text(question, "question", at_question)}
                    row |= {"answers": _answers(question, context, at_question, counts)}
                    rows.append(PlacedRow(row, path, at_question.removeprefix(f"{path}: ")))
    if report is not None:
        report.update(
            questions=len(rows), **{key: counts[key] for key in ("unanswerable", "answers", "misaligned", "repaired")}
        )
    return rows


def _get(parent: Mapping[str, Any], key: str, here: str) -> Any:
    if key not in parent:
        raise BenchError(f"{here}: {key!r} is missing; found: {', '.join(parent) or 'nothing'}")
    return parent[key]


def _text(parent: Mapping[str, Any], key: str, here: str) -> str:
    text = _get(parent, key, here)
    if not isinstance(text, str):
        raise BenchError(f"{here}.{key}: {type(text).__name__} instead of a text")
    return text


def _items(parent: Mapping[str, Any], key: str, here: str, joint: str = ".") -> list[tuple[dict[str, Any], str]]:
    """The objects of a list, each with its path inside the file."""
    items = _get(parent, key, here)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BenchError(f"{here}{joint}{key}: must be a list of objects")
    return [(item, f"{here}{joint}{key}[{index}]") for index, item in enumerate(items)]


def _answers(question: Mapping[str, Any], context: str, here: str, counts: Counter) -> dict[str, list]:
    texts: list[str] = []
    starts: list[int] = []
    # Unanswerable questions may carry plausible answers, which are none.
    answers = [] if question.get("is_impossible") else _items(question, "answers", here)
    for answer, at in answers:
        text, start = _get(answer, "text", at), _get(answer, "answer_start", at)
        try:
            start = whole(start)
        except ValueError as error:
            raise BenchError(f"{at}.answer_start: {error}") from None
        if not isinstance(text, str) or not text:
            raise BenchError(f"{at}.text: {text!r}; an answer must have text (an unanswerable question has no answers)")
        if start < 0 or not context.startswith(text, start):
            counts["misaligned"] += 1
            place = find(context, text, start)
            if place is not None:
                counts["repaired"] += 1
                start = place
        texts.append(text)
        starts.append(start)
    counts["answers"] += len(texts)
    counts["unanswerable"] += not texts
    return {"text": texts, "answer_start": starts}
