"""What a data file alone says about a task: its format, and which of its columns is what.

Formats and columns are told by names that are usual, never by what rows hold, but for the few endings that mean two things.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.data.files import read_text
from harness.data.folder import ENDINGS, formats
from harness.data.readers import READERS, answers
from harness.errors import BenchError
from harness.family import TaskFamily

Row = Mapping[str, Any]

# format -> the columns that its rows have by themselves
GIVES = {
    "conll": {"words", "tags"},
    "squad": {"question", "context", "answers"},
    "spans": {"question", "context", "answers"},
    "pairs": {"source", "target"},
    "lines": {"source", "target"},
    "tmx": {"source", "target"},
    "labelled": {"text", "label"},
}
# option of the format `spans` -> what data sets call that column, in lower case
SPANS = {
    "answers": ("answers",),
    "text": ("answer_text", "answer", "answers_text", "human_ans_spans", "answers"),
    "start": ("answer_start", "start", "answer_begin", "start_index", "answer_start_index"),
    "end": ("answer_end", "end", "end_index", "answer_end_index"),
    "span": ("human_ans_indices", "answer_span", "span", "answer_indices"),
    "id": ("id", "question_id", "qid", "q_review_id", "q_id"),
}
NO_ANSWER = ("ANSWERNOTFOUND", "CANNOTANSWER")  # words at the end of contexts: SubjQA's; CoQA's and QuAC's


def format_of(family: TaskFamily, path: Path, reference: str) -> str:
    """The format of a file for a family.

    Raises:
        BenchError: an unknown ending, or one that no format of this family's has.
    """

    def fits(format: str) -> bool:
        return format not in GIVES or set(family.columns) <= GIVES[format]

    fitting = [name for name in formats(path) if fits(name)]
    if not fitting:
        kinds = ", ".join(formats(path))
        why = f"stands for {kinds}, where there is no {' or '.join(family.columns)}" if kinds else "is unknown"
        valid = ", ".join(ending for ending, names in ENDINGS.items() if any(map(fits, names)))
        raise BenchError(
            f"task {reference}: the ending {path.suffix!r} {why}; valid: {valid}; for another one write a task file "
            f"(bench task new) with data: {{format: FORMAT, files: {path.name}}}, FORMAT being one of {', '.join(READERS)}"
        )
    if "jsonl" in fitting and "json" in fitting:
        return _json(path, fitting)
    if fitting[0] == "tsv" and len(fitting) > 1:
        first = {name.strip().lower() for name in read_text(path).partition("\n")[0].split("\t")}
        titled = all(first & set(usual(family, name)) for name in family.columns)
        return fitting[0] if titled else fitting[1]
    return fitting[0]


def _json(path: Path, fitting: Sequence[str]) -> str:
    """Of the formats that files called .json have: an object a line, SQuAD's nest, or a list of rows."""
    text = read_text(path)
    first, _, rest = text.lstrip().partition("\n")
    try:
        one = json.loads(first)
        if isinstance(one, dict) and rest.strip():
            return "jsonl"
    except (ValueError, RecursionError):
        pass  # the first line is no whole object
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return "json"  # its reader says what is wrong, and where
    articles = content.get("data") if isinstance(content, dict) else None
    nested = isinstance(articles, list) and articles and isinstance(articles[0], dict) and "paragraphs" in articles[0]
    return "squad" if nested and "squad" in fitting else "json"


def usual(family: TaskFamily, column: str) -> tuple[str, ...]:
    """What data sets call a column, in lower case, the likeliest first."""
    return column, *family.usual_names.get(column, ())


def names_in(row: Row) -> dict[str, str]:
    """Lower-case name -> column, those inside of structs (`translation.en`) too."""
    names = {str(name).strip().lower(): str(name) for name in row}
    for name, value in row.items():
        if isinstance(value, Mapping):
            for inner in value:
                names.setdefault(f"{name}.{inner}".lower(), f"{name}.{inner}")
    return names


def columns_of(
    family: TaskFamily, needed: Sequence[str], row: Row, reference: str, format: str, file: str
) -> dict[str, str]:
    """The data set's column for each of the family's that is there; those `needed` must be.

    Raises:
        BenchError: none has a usual name; the message says what to write instead.
    """
    there = names_in(row)
    columns: dict[str, str] = {}
    for name in (*needed, *family.optional_columns):
        match = next((there[one] for one in usual(family, name) if one in there), None)
        if match is not None:
            columns[name] = match
        elif name in needed:
            shown = [title if len(title) <= 30 else title[:30] + "…" for title in map(str, row)]
            header = ", header: false" if format in ("csv", "tsv") else ""
            example = ", ".join(f"{one}: {place}" for place, one in enumerate(family.columns))
            hint = " (no header? count the columns from 0)" if header else ""
            raise BenchError(
                f"task {reference}: none of its columns ({', '.join(shown)}) is called "
                f"{' or '.join(usual(family, name)[:8])}; write a task file (bench task new) with "
                f"data: {{format: {format}{header}, files: {file}}} and columns: {{{example}}}{hint}, or rename one"
            )
    return columns


def spans_of(rows: Sequence[Row], columns: Mapping[str, str]) -> dict[str, Any] | None:
    """Options of the format `spans` for a table, or None where no column of answers has a usual name."""
    there = names_in(rows[0])
    found: dict[str, Any] = {}
    for option, names in SPANS.items():
        match = next((there[name] for name in names if name in there), None)
        if match is not None:
            found[option] = match
    if "answers" in found:
        try:
            for row in rows[:100]:
                answers.pairs(row.get(found["answers"]))
            found = {option: column for option, column in found.items() if option in ("answers", "id")}
        except ValueError:
            del found["answers"]
    if "span" in found:
        found.pop("start", None), found.pop("end", None)
    if "text" not in found and not {"answers", "span"} & set(found) and not {"start", "end"} <= set(found):
        return None
    if "start" not in found:
        found.pop("end", None)
    contexts = [str(row.get(columns["context"])).rstrip() for row in rows[:100]]
    word = next((word for word in NO_ANSWER if all(context.endswith(word) for context in contexts)), None)
    if word:
        found["no_answer"] = word
    if "id" in found and not _tells_questions_apart(found["id"], rows, columns):
        del found["id"]
    return {**{name: columns[name] for name in ("question", "context")}, **found}


def _tells_questions_apart(id: str, rows: Sequence[Row], columns: Mapping[str, str]) -> bool:
    """Whether rows with the same value have the same question and context; it may be the document's number instead."""
    asked: dict[str, list[Any]] = {}
    for row in rows:
        question = [row.get(columns[name]) for name in ("question", "context")]
        if asked.setdefault(str(row.get(id)), question) != question:
            return False
    return True
