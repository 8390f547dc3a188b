"""Task family `qa`: the answer to a question as a piece of a given text, or that the text has none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.family import Row, TaskFamily
from harness.task import Task

HAN = re.compile(r"[\u4e00-\u9fff]")


class QuestionAnswering(TaskFamily):
    """Extractive question answering, answerable (Rajpurkar et al. 2016) or not (Rajpurkar et al. 2018). Primary metric: F1.

    Options: `unanswerable` (true or false) says whether "no answer" may be predicted; by default it may where a training row
    has none. `unit: character` scores by character, for scripts without blanks.
    """

    name = "qa"
    description = "answers as pieces of a text, or none; scored as SQuAD 1.1 and 2.0 are"
    columns = {
        "question": "the question",
        "context": "the text that may hold the answer",
        "answers": "{text: [...], answer_start: [...]} in characters of the context; empty lists: no answer",
    }
    usual_names = {
        "question": ("query", "q"),
        "context": ("passage", "paragraph", "review", "document", "text", "story"),
    }
    head = "harness.heads.spans:SpanHead"
    primary_metric = "f1"
    scale = 1.0  # the published scripts' figures lie in 0-100
    needs_offsets = True

    def prepare(self, row: Row, task: Task) -> Row:
        for name in ("question", "context"):
            if not isinstance(row[name], str):
                raise ValueError(f"{name} is {row[name]!r}, not a text")
        answers = row["answers"]
        if not isinstance(answers, Mapping) or not {"text", "answer_start"} <= answers.keys():
            raise ValueError("answers must be {text: [...], answer_start: [...]}; for other forms say format: spans")
        texts, starts = list(answers["text"]), [int(start) for start in answers["answer_start"]]
        if len(texts) != len(starts):
            raise ValueError(f"{len(texts)} answers but {len(starts)} starts")
        for text, start in zip(texts, starts, strict=True):
            if not isinstance(text, str) or not 0 <= start < len(row["context"]):
                raise ValueError(
                    f"the answer {str(text)[:40]!r} begins at {start}, outside of the context of {len(row['context'])} "
                    "characters; mend it, or drop it"
                )
        return {**row, "answers": {"text": texts, "answer_start": starts}}

    def guess_options(self, rows: Sequence[Row], columns: Mapping[str, Any]) -> dict[str, Any]:
        """Scoring by character where a third of the contexts' characters are Han: there words have no blanks between them."""
        text = "".join(str(row.get(columns.get("context", "context"), "")) for row in rows)
        return {"unit": "character"} if len(HAN.findall(text)) * 3 > len(text) > 0 else {}

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
        return Squad().compute(
            predictions=rows, references=references, character=task.options.get("unit") == "character"
        )

    def trivial(self, train: Sequence[Row], rows: Sequence[Row], task: Task) -> list[str]:
        """ "No answer" where most training rows have none, else the context's first sentence."""
        if sum(not row["answers"]["text"] for row in train) * 2 > len(train):
            return [""] * len(rows)
        return [re.split(r"(?<=[.!?。！？])\s*", row["context"].strip(), maxsplit=1)[0] for row in rows]
