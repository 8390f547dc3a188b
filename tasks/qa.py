"""Task family `qa`: the answer to a question as a piece of a given text, or that the text has none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.check.lengths import without_blanks
from harness.check.tally import Tally, spot
from harness.errors import unknown
from harness.family import LANGUAGE, Row, TaskFamily
from harness.finding import NOTE, WARNING, Finding, quote, some
from harness.languages import UNSPACED, base
from harness.proposal import Proposal, cell
from harness.task import Task

if TYPE_CHECKING:
    from harness.metrics.additive import Additive

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
    usual_names = {
        "question": ("query", "q"),
        "context": ("passage", "paragraph", "review", "document", "text", "story"),
    }
    inputs = ("question", "context")
    options = {
        "unanswerable": "true or false: whether a question may have no answer; by default it may where a training row has none",
        "unit": "word, character (of Chinese) or any-character: what EM and F1 compare; by default as the language is written",
        "language": "ISO 639-1, of question and context",
    }
    option_values = {"unanswerable": (True, False), "unit": UNITS, "language": LANGUAGE}
    passes = 2.0  # as entities: start and end are learned token by token
    head = "harness.heads.spans:SpanHead"
    primary_metric = "f1"
    scale = 1.0  # the published scripts' figures lie in 0-100
    metrics = {"exact_match": 1.0}
    needs_offsets = True

    def check_options(self, task: Task) -> None:
        if unit(task) not in UNITS:
            raise unknown("unit", unit(task), UNITS, where=f"task {task.name!r}")

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

    def kinds(self, row: Row) -> tuple[str]:
        return ("answerable" if row["answers"]["text"] else "unanswerable",)

    def check(self, splits: Mapping[str, Sequence[Row]], task: Task) -> Iterable[Finding]:
        misaligned, several = Tally(), Tally()
        for split, rows in splits.items():
            for row in rows:
                answers = list(zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True))
                if len(dict(answers)) > 1:
                    several.add(split, spot(row))
                for text, start in answers:
                    if start < 0 or not text or not row["context"].startswith(text, start):
                        misaligned.add(split, f"{spot(row)}: {quote(text)} at {start}")
        if misaligned.total:
            verb = "does not stand" if misaligned.total == 1 else "do not stand"
            message = f"{some(misaligned.total, 'answer')} {verb} at the offset in the context ({misaligned.where()})"
            yield Finding(WARNING, "misaligned-answers", message, misaligned.total, tuple(misaligned.examples))
        if several.total:
            have = "has" if several.total == 1 else "have"
            message = f"{some(several.total, 'question')} {have} several different answers ({several.where()}); any of them counts"
            yield Finding(NOTE, "several-answers", message, several.total, tuple(several.examples))
        yield from self._shared(splits)
        unanswerable = {split: sum(not row["answers"]["text"] for row in rows) for split, rows in splits.items()}
        if task.options.get("unanswerable") is False and any(unanswerable.values()):
            message = f"{some(sum(unanswerable.values()), 'question')} without an answer, but the option unanswerable is false"
            yield Finding(WARNING, "unanswerable-questions", message, sum(unanswerable.values()))
        elif task.options.get("unanswerable") is None and not unanswerable["train"] and any(unanswerable.values()):
            message = "train has no question without an answer, so none will be predicted, but other splits have some"
            yield Finding(WARNING, "unanswerable-questions", message, sum(unanswerable.values()))
        if unit(task) == "word" and without_blanks(row["context"] for row in splits["test"]):
            message = (
                "the contexts have no blanks between words, so EM and F1 by word mean little; set the option language"
            )
            yield Finding(WARNING, "no-blanks", message)

    def _shared(self, splits: Mapping[str, Sequence[Row]]) -> Iterable[Finding]:
        """Contexts that training shows and the test asks about."""
        seen = {row["context"] for row in splits["train"]}
        for split in ("validation", "test"):
            rows = [row for row in splits[split] if row["context"] in seen]
            if rows:
                message = (
                    f"{some(len(rows), f'{split} row')} ask{'s' if len(rows) == 1 else ''} about a context of train"
                )
                examples = tuple(spot(row) for row in rows[:5])
                yield Finding(WARNING, "shared-contexts", message, len(rows), examples)

    def recognise(self, rows: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> Proposal | None:
        """By the usual names; scored by character where the contexts have no blanks between words."""
        found = super().recognise(rows, given)
        if found is None:
            return None
        blankless = without_blanks(str(cell(row, found.columns["context"])) for row in rows)
        answers = isinstance(cell(rows[0], found.columns["answers"]), Mapping)
        return replace(found, options={"unit": "character"} if blankless else {}, likely=answers)

    def example(self, row: Row, task: Task) -> dict[str, Any]:
        return {"question": row["question"], "context": row["context"], "answers": row["answers"]}

    def prediction(self, output: Mapping[str, Any], row: Row, task: Task) -> str:
        return output["text"]

    def reference(self, row: Row, task: Task) -> dict[str, Any]:
        return {"id": row["id"], "answers": row["answers"]}

    def expected(self, row: Row, task: Task) -> str:
        """The first answer, or none."""
        return next(iter(row["answers"]["text"]), "")

    def score(self, predictions: Sequence[str], references: Sequence[dict[str, Any]], task: Task) -> dict[str, Any]:
        from harness.metrics.squad import Squad

        rows = [
            {"id": reference["id"], "prediction_text": text}
            for text, reference in zip(predictions, references, strict=True)
        ]
        return Squad().compute(predictions=rows, references=references, unit=unit(task))

    def additive(self, predictions: Sequence[str], references: Sequence[dict[str, Any]], task: Task) -> Additive:
        from harness.metrics.additive import mean_of
        from harness.metrics.counts import answer_scores

        return mean_of(answer_scores(predictions, references, unit(task), self.metric(task).name))

    def trivial(self, train: Sequence[Row], rows: Sequence[Row], task: Task) -> list[str]:
        """ "No answer" where most training rows have none, else the context's first sentence."""
        if sum(not row["answers"]["text"] for row in train) * 2 > len(train):
            return [""] * len(rows)
        return [re.split(r"(?<=[.!?。！？])\s*", row["context"].strip(), maxsplit=1)[0] for row in rows]
