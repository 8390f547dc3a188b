"""Which columns of a table are question, context and answer: options of the format `spans`, by names that are usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.column_profiles import name_words
from harness.data.readers import answers
from harness.data.values import at_a_glance

Row = Mapping[str, Any]

NEEDS = ("question", "context")  # columns that must be known before
# option -> what data sets call that column, in lower case
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
NO_ANSWER = ("ANSWERNOTFOUND", "CANNOTANSWER")  # words at the end of contexts: SubjQA's; CoQA's and QuAC's


def options(rows: Sequence[Row], columns: Mapping[str, str]) -> dict[str, Any] | None:
    """Options of the format `spans` for a table, or None where no column of answers has a usual name.

    Args:
        columns: those of `NEEDS` → the table's.
    """
    there = {str(name).strip().lower(): str(name) for name in rows[0] if str(name) not in columns.values()}
    there = {"_".join(name_words(name)): name for name in there.values()} | there
    found: dict[str, Any] = {}
    for option, names in USUAL.items():
        match = next((there[name] for name in names if name in there), None)
        if match is not None:
            found[option] = match
    if "answers" in found:
        try:
            for row in rows[:100]:
                answers.pairs(row.get(found["answers"]))
            found = {
                option: column for option, column in found.items() if option in ("answers", "impossible", "id", "group")
            }
        except ValueError:
            del found["answers"]
    if "span" in found:
        found.pop("start", None), found.pop("end", None)
    if "text" not in found and not {"answers", "span"} & set(found) and not {"start", "end"} <= set(found):
        return None
    if "start" not in found:
        found.pop("end", None)
    contexts = [at_a_glance(row.get(columns["context"])).rstrip() for row in rows[:100]]
    word = next((word for word in NO_ANSWER if all(context.endswith(word) for context in contexts)), None)
    if word:
        found["no_answer"] = word
    if "id" in found and not _tells_questions_apart(found["id"], rows, columns):
        del found["id"]
    return {**{name: columns[name] for name in NEEDS}, **found}


def _tells_questions_apart(id: str, rows: Sequence[Row], columns: Mapping[str, str]) -> bool:
    """Whether rows with the same value have the same question and context; it may be the document's number instead."""
    asked: dict[str, list[Any]] = {}
    for row in rows:
        question = [row.get(columns[name]) for name in NEEDS]
        if asked.setdefault(str(row.get(id)), question) != question:
            return False
    return True
