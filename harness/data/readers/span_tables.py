"""Read flat question answering: a table with a question, a context and an answer in every row, such as SubjQA's CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.column_profiles import name_words
from harness.data.place import place, placed
from harness.data.readers.offsets import POINTS, align
from harness.data.readers.qa_answers import (
    COUNTED,
    AnswerColumns,
    detect_unit,
    locate,
    parse_answers,
    without_no_answer,
)  # fmt: skip
from harness.data.scalars import Notes, at_a_glance
from harness.data.values import text as as_text
from harness.errors import BenchError, unknown

Row = Mapping[str, Any]

NEEDS = ("question", "context")  # columns that must be known
# Option → usual names of that column, in lower case.
USUAL = {
    "answers": ("answers",),
    "text": ("answer_text", "answer", "answers_text", "human_ans_spans", "answers", "text"),
    "start": ("answer_start", "start", "answer_begin", "start_index", "answer_start_index"),
    "end": ("answer_end", "end", "end_index", "answer_end_index"),
    "span": ("human_ans_indices", "answer_span", "span", "answer_indices"),
    "impossible": ("is_impossible", "impossible"),
    "id": ("id", "question_id", "qid", "q_review_id", "q_id"),
    "group": ("group",),
}
NO_ANSWER = ("ANSWERNOTFOUND", "CANNOTANSWER")  # last words of contexts in SubjQA, and in CoQA and QuAC
# How annotators who disagree are merged. SQuAD 2.0's script uses `any`: a question has no answer only if no reference has one.
DISAGREEMENT = ("any", "majority")


def options(rows: Sequence[Row], columns: Mapping[str, str]) -> dict[str, Any] | None:
    """Return options of the format `spans` for a table, or None if no column of answers has a usual name.

    Args:
        columns: Column of `NEEDS` → the table's column.
    """
    others = [str(name) for name in rows[0] if str(name) not in columns.values()]
    by_lower = {name.strip().lower(): name for name in others}
    by_name = {"_".join(name_words(name)): name for name in by_lower.values()} | by_lower
    chosen: dict[str, Any] = {}
    for option, names in USUAL.items():
        match = next((by_name[name] for name in names if name in by_name), None)
        if match is not None:
            chosen[option] = match
    if "answers" in chosen:
        try:
            for row in rows[:100]:
                parse_answers(row.get(chosen["answers"]))
            complete = ("answers", "impossible", "id", "group")
            chosen = {option: column for option, column in chosen.items() if option in complete}
        except ValueError:
            del chosen["answers"]
    if "span" in chosen:
        chosen.pop("start", None), chosen.pop("end", None)
    if "text" not in chosen and not {"answers", "span"} & set(chosen) and not {"start", "end"} <= set(chosen):
        return None
    if "start" not in chosen:
        chosen.pop("end", None)
    contexts = [at_a_glance(row.get(columns["context"])).rstrip() for row in rows[:100]]
    word = next((word for word in NO_ANSWER if all(context.endswith(word) for context in contexts)), None)
    if word:
        chosen["no_answer"] = word
    if "id" in chosen and not _identifies_questions(chosen["id"], rows, columns):
        del chosen["id"]
    return {**{name: columns[name] for name in NEEDS}, **chosen}


def _identifies_questions(id: str, rows: Sequence[Row], columns: Mapping[str, str]) -> bool:
    """Whether rows with the same id have the same question and context; it may be the document's id instead."""
    questions: dict[str, list[Any]] = {}
    for row in rows:
        question = [row.get(columns[name]) for name in NEEDS]
        if questions.setdefault(str(row.get(id)), question) != question:
            return False
    return True


def read(
    files: Any,
    *,
    table: str = "csv",
    delimiter: str | None = None,
    quoting: str | None = None,
    header: bool | Sequence[str] | None = None,
    key: str | None = None,
    encoding: str | None = None,
    question: str = "question",
    context: str = "context",
    answers: str | None = None,
    text: str | None = None,
    start: str | None = None,
    end: str | None = None,
    span: str | None = None,
    inclusive: bool = False,
    no_answer: str | None = None,
    impossible: str | None = None,
    id: str | None = None,
    group: str | None = None,
    disagreement: str = "any",
    report: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return rows `{"question", "context", "answers": {"text": [...], "answer_start": [...]}, "group"}`, `id`, and other columns.

    The answer is what the span cuts out of the context, whatever the text column says; the texts of all rows show what spans
    count. An answer with only a start is treated as in the format `squad`. An answer without any place is placed at the first
    occurrence of its text. An empty text, or a negative start, is no answer.

    Args:
        table: The format of the files: csv, tsv, json, jsonl, parquet or arrow.
        delimiter, quoting, header, key, encoding: Options of that format.
        question, context: The columns of these; by index for a table without header.
        answers: A column of `{text, answer_start}` or of a list of them; may be printed as JSON or Python.
        text, start, end: Columns of the answer's text, its first character, and the one after its last.
        span: A column with start and end, such as `"(287, 338)"`.
        inclusive: Whether `end` is the last character itself.
        no_answer: A word that stands for "no answer" as a text and ends every context (SubjQA's ANSWERNOTFOUND, QuAC's
            CANNOTANSWER). It is cut off the contexts: otherwise models would find it there.
        impossible: A column that says whether a question has no answer, such as `is_impossible`.
        id: A column; rows with the same id are one question, answered by several annotators.
        group: A column whose rows must stay in one split; by default the context.
        disagreement: What to do if only some annotators found an answer. `any` keeps every answer, `majority` does so unless most
            annotators found none.
        report: Gets `questions`, `unanswerable`, `answers`, `truth_values`, `impossible_with_answers` and the counts of
            `offsets.align` as for `squad`; `differs` (texts that differ from their span) and of these `differs_in_blanks`;
            `clipped` (spans that reach into `no_answer`); `inclusive` if the texts show that `end` is the last character; and
            `rows`, `merged` and `disagree` if rows are merged.
    """
    from harness.data.readers import read_table  # imports this module

    if disagreement not in DISAGREEMENT:
        raise unknown("value of disagreement", disagreement, DISAGREEMENT)
    if answers is None and text is None and span is None and (start is None or end is None):
        raise BenchError("format spans: no column of answers is named; give answers, span, text, or start and end")
    notes: dict[str, Any] = {}
    raw = read_table(files, table, notes, delimiter=delimiter, quoting=quoting, header=header, key=key, encoding=encoding)
    columns = AnswerColumns(answers, text, start, end, span, no_answer, inclusive, impossible)
    counts = Notes(dict.fromkeys(COUNTED, 0))
    used = (question, context, answers, text, start, end, span, impossible, id, group)
    names = [name for name in used if name is not None]
    raw = [_check_columns(row, number, names, (question, context), counts) for number, row in enumerate(raw, start=1)]
    unit, last = detect_unit(raw, columns, context)
    if unit != POINTS:
        notes["offsets"] = unit.name
    if last and not inclusive:
        notes["inclusive"] = "true, by the texts"
    columns = columns._replace(inclusive=last)
    contexts: dict[str, str] = {}
    rows = []
    for number, row in enumerate(raw, start=1):
        passage = without_no_answer(row[context], no_answer)
        try:
            located = locate(row, row[context], passage, columns, unit, counts)
            new = {name: value for name, value in row.items() if name not in names}
            new |= {"question": row[question], "context": passage, "answers": located}
            new["group"] = as_text(row[group], counts) if group else contexts.setdefault(passage, str(len(contexts)))
            if id is not None:
                new["id"] = as_text(row[id], counts)
        except ValueError as error:
            at = place(row, f"row {number}")
            raise BenchError(f"{at}: {error}; mend the row, or check the columns of the format spans") from None
        rows.append(placed(new, row))
    align(rows, notes)
    if id is not None:
        rows = _merge_annotators(rows, disagreement, notes)
    if report is not None:
        total = sum(len(row["answers"]["text"]) for row in rows)
        report.update(notes, questions=len(rows), unanswerable=sum(not row["answers"]["text"] for row in rows))
        report.update(answers=total, **{name: number for name, number in counts.items() if number or name in COUNTED})
    return rows


def _check_columns(
    row: dict[str, Any], number: int, names: Sequence[str], texts: Sequence[str], notes: Notes
) -> dict[str, Any]:
    """Check that a row has all columns, and return it with its question and context as text."""
    at = place(row, f"row {number}")
    for name in names:
        if name not in row:
            raise unknown("column", name, row, where=at)
    try:
        return placed({**row, **{name: as_text(row[name], notes) for name in texts}}, row)
    except ValueError:
        columns = " and ".join(map(repr, texts))
        raise BenchError(f"{at}: question and context must be texts; check the columns {columns}") from None


def _merge_annotators(rows: Sequence[Row], disagreement: str, report: dict[str, Any]) -> list[dict[str, Any]]:
    """Merge the rows of each `id`, which must have the same question and context, into one with all distinct answers.

    Args:
        rows: One row for each annotator.
        disagreement: One of `DISAGREEMENT`.
        report: Gets `rows`, `merged` (questions with several rows) and `disagree` (of these, those that only some rows answer).
    """
    by_id: dict[str, list[Row]] = {}
    for row in rows:
        by_id.setdefault(row["id"], []).append(row)
    merged = []
    disagreeing = 0
    for same in by_id.values():
        first = same[0]
        for row in same:
            for name in ("question", "context"):
                if row[name] != first[name]:
                    raise BenchError(
                        f"{place(row, 'a row')}: the id {row['id']!r} of {place(first, 'another row')}, but another "
                        f"{name}; name the column that tells questions apart as `id`"
                    )
        empty = sum(not row["answers"]["text"] for row in same)
        disagreeing += 0 < empty < len(same)
        distinct: dict[tuple[int, str], None] = {}
        if not (disagreement == "majority" and empty * 2 > len(same)):
            for row in same:
                distinct |= dict.fromkeys(zip(row["answers"]["answer_start"], row["answers"]["text"], strict=True))
        answers = {"text": [text for _, text in distinct], "answer_start": [start for start, _ in distinct]}
        merged.append(placed({**first, "answers": answers}, first))
    report.update(rows=len(rows), merged=sum(len(same) > 1 for same in by_id.values()), disagree=disagreeing)
    return merged
