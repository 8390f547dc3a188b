"""Task family `qa`: the answer to a question as a piece of a given text, or that the text has none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import unknown
from harness.family import Row, TaskFamily
from harness.languages import UNSPACED, base
from harness.task import Task

UNITS = ("word", "character", "any-character")


def unit(task: Task) -> str:
    """What answers are compared by: as asked for, else as the language is written."""
    language = base(task.options.get("language"))
    usual = "character" if language in ("zh", "yue") else "any-character" if language in UNSPACED else "word"
    return str(task.options.get("unit") or usual)


class QuestionAnswering(TaskFamily):
    """Extractive question answering, answerable (Rajpurkar et al. 2016) or not (Rajpurkar et al. 2018). Primary metric: F1.

    Options: `unanswerable` (true or false) says whether "no answer" may be predicted; by default it may where a training row
    has none. `unit`: answers are compared by `word`, by `character` (of Chinese) or by `any-character` (of all scripts
    without blanks); by default as `language` (ISO 639-1) is written.
    """

    name = "qa"
    description = "answers as pieces of a text, or none; scored as SQuAD 1.1 and 2.0 are"
    columns = {
        "question": "the question",
        "context": "the text that may hold the answer",
        "answers": "{text: [...], answer_start: [...]} in characters of the context; empty lists: no answer",
    }
    usual_names = {"context": ("passage", "paragraph")}
    head = "harness.heads.spans:SpanHead"
    primary_metric = "f1"
    scale = 1.0  # the published scripts' figures lie in 0-100
    needs_offsets = True

    def check(self, task: Task) -> None:
        if unit(task) not in UNITS:
            raise unknown("unit", unit(task), UNITS, where=f"task {task.name!r}")

    def prepare(self, row: Row, task: Task) -> Row:
        texts, starts = list(row["answers"]["text"]), [int(start) for start in row["answers"]["answer_start"]]
        if len(texts) != len(starts):
            raise ValueError(f"{len(texts)} answers but {len(starts)} starts")
        return {**row, "answers": {"text": texts, "answer_start": starts}}

    def example(self, row: Row, task: Task) -> dict[str, Any]:
        return {"question": row["question"], "context": row["context"], "answers": row["answers"]}

    def prediction(self, output: Mapping[str, Any], row: Row, task: Task) -> str:
        return output["text"]

    def reference(self, row: Row, task: Task) -> dict[str, Any]:
        return {"id": row["id"], "answers": row["answers"]}

    def score(self, predictions: Sequence[str], references: Sequence[dict[str, Any]], task: Task) -> dict[str, Any]:
        from harness.metrics.squad import Squad

        rows = [
            {"id": reference["id"], "prediction_text": text}
            for text, reference in zip(predictions, references, strict=True)
        ]
        return Squad().compute(predictions=rows, references=references, unit=unit(task))

    def trivial(self, train: Sequence[Row], rows: Sequence[Row], task: Task) -> list[str]:
        """ "No answer" where most training rows have none, else the context's first sentence."""
        if sum(not row["answers"]["text"] for row in train) * 2 > len(train):
            return [""] * len(rows)
        return [re.split(r"(?<=[.!?。！？])\s*", row["context"].strip(), maxsplit=1)[0] for row in rows]
