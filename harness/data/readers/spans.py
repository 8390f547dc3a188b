"""Flat question answering: a table with a question, a context and an answer in every row, such as SubjQA's CSV.

The answer is a column `answers` as SQuAD has it, or columns of its own for its text, its start and end, or both as a span.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.data.place import place, placed
from harness.data.readers.annotators import DISAGREEMENT, merge
from harness.data.readers.located import COUNTED, Columns, counted_by, locate, without
from harness.data.readers.offsets import POINTS, align
from harness.data.scalars import Notes
from harness.data.values import text as cell
from harness.errors import BenchError, unknown


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
    """Rows `{"question", "context", "answers": {"text": [...], "answer_start": [...]}, "group"}`, `id`, and all other columns.

    What a span cuts out of the context is the answer, whatever its text column says; what it counts is told by the texts of all rows. An
    answer with a start alone is treated as in the format `squad`; one without any place is looked for, and the first place is taken. An
    empty text, or a negative start, is no answer. The report gets `questions`, `unanswerable`, `answers`, `truth_values`,
    `impossible_with_answers` and the counts of `offsets.align` as `squad` gives them; `differs` (texts that are not what their span cuts
    out) and of these `differs_in_blanks`; `clipped` (spans that ran into `no_answer`); `inclusive` where the texts tell that `end` is
    the last character; and where rows are merged `rows`, `merged` and `disagree`.

    Args:
        table: the format of the files: csv, tsv, json, jsonl, parquet or arrow.
        delimiter, quoting, header, key, encoding: options of that format.
        question, context: the columns of these; by index for a table without header.
        answers: a column of `{text, answer_start}`, or of a list of them; JSON or Python's notation in a text.
        text, start, end: columns of the answer's text, and of its first character and the one after its last.
        span: a column with both, such as `"(287, 338)"`.
        inclusive: True where `end` is the last character itself.
        no_answer: a word that stands for "no answer" as a text and at the end of every context (SubjQA's ANSWERNOTFOUND,
            QuAC's CANNOTANSWER). It is cut off the contexts, or else models would find it there.
        impossible: a column that says whether a question has no answer, such as `is_impossible`.
        id: a column; rows that share their id are one question, answered by several annotators.
        group: a column with what must not be torn apart by splits; default: the context.
        disagreement: where some annotators found an answer and others none: `any` keeps every answer that was found,
            `majority` does so unless more of them found none.
    """
    from harness.data.readers import reader  # this module is one of its readers

    if disagreement not in DISAGREEMENT:
        raise unknown("value of disagreement", disagreement, DISAGREEMENT)
    if answers is None and text is None and span is None and (start is None or end is None):
        raise BenchError("format spans: no column of answers is named; give answers, span, text, or start and end")
    given = {"delimiter": delimiter, "quoting": quoting, "header": header, "key": key, "encoding": encoding}
    options = {name: value for name, value in given.items() if value is not None}
    found: dict[str, Any] = {}
    raw = reader(table, options)(files, report=found, **options)
    how = Columns(answers, text, start, end, span, no_answer, inclusive, impossible)
    counts = Notes(dict.fromkeys(COUNTED, 0))
    used = (question, context, answers, text, start, end, span, impossible, id, group)
    names = [name for name in used if name is not None]
    raw = [_typed(row, number, names, (question, context), counts) for number, row in enumerate(raw, start=1)]
    unit, last = counted_by(raw, how, context)
    if unit != POINTS:
        found["offsets"] = unit.name
    if last and not inclusive:
        found["inclusive"] = "true, by the texts"
    how = how._replace(inclusive=last)
    contexts: dict[str, str] = {}
    rows = []
    for number, row in enumerate(raw, start=1):
        passage = without(row[context], no_answer)
        try:
            located = locate(row, row[context], passage, how, unit, counts)
            new = {name: value for name, value in row.items() if name not in names}
            new |= {"question": row[question], "context": passage, "answers": located}
            new["group"] = cell(row[group], counts) if group else contexts.setdefault(passage, str(len(contexts)))
            if id is not None:
                new["id"] = cell(row[id], counts)
        except ValueError as error:
            at = place(row, f"row {number}")
            raise BenchError(f"{at}: {error}; mend the row, or check the columns of the format spans") from None
        rows.append(placed(new, row))
    align(rows, found)
    if id is not None:
        rows = merge(rows, disagreement, found)
    if report is not None:
        total = sum(len(row["answers"]["text"]) for row in rows)
        report.update(found, questions=len(rows), unanswerable=sum(not row["answers"]["text"] for row in rows))
        report.update(answers=total, **{name: number for name, number in counts.items() if number or name in COUNTED})
    return rows


def _typed(
    row: dict[str, Any], number: int, names: Sequence[str], texts: Sequence[str], notes: Notes
) -> dict[str, Any]:
    """The row with its question and context as texts, once it is sure that it has all columns."""
    at = place(row, f"row {number}")
    for name in names:
        if name not in row:
            raise unknown("column", name, row, where=at)
    try:
        return placed({**row, **{name: cell(row[name], notes) for name in texts}}, row)
    except ValueError:
        columns = " and ".join(map(repr, texts))
        raise BenchError(f"{at}: question and context must be texts; check the columns {columns}") from None
