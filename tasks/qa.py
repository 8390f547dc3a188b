"""Task family `qa`: the answer to a question as a span of a given text, or no answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.check.lengths import without_blanks
from harness.check.repeats import Tally, row_location
from harness.data.readers.offsets import NOWHERE, align
from harness.data.readers.qa_answers import parse_answers
from harness.data.scalars import whole_number
from harness.data.values import NESTED, TEXT
from harness.errors import unknown
from harness.family import LANGUAGE, Row, TaskFamily
from harness.finding import ERROR, NOTE, WARNING, Finding, quote, some
from harness.languages import SINITIC, UNSPACED, base_code
from harness.proposal import Proposal, column_value
from harness.task import Task

if TYPE_CHECKING:
    from harness.metrics.additive import Additive

WORD = re.compile(r"[A-Za-z]{2}")
INSIDE = 0.2  # share of answers that start or end within a word, above which they are reported
UNITS = ("word", "character", "any-character")


def unit(task: Task) -> str:
    """The unit in which answers are compared: the option, or else the usual one for the language."""
    language = base_code(task.options.get("language"))
    usual = "character" if language in SINITIC else "any-character" if language in UNSPACED else "word"
    return str(task.options.get("unit") or usual)


class QuestionAnswering(TaskFamily):
    """Extractive question answering, answerable (Rajpurkar et al. 2016) or not (Rajpurkar et al. 2018). Primary metric: F1.

    Options: `unanswerable` (true or false): whether "no answer" may be predicted; by default, if a training row has no
        answer.
    `unit`: answers are compared by `word`, `character` (for Chinese) or `any-character` (for all scripts without
    blanks); by default the usual one for `language` (ISO 639-1).
    """

    name = "qa"
    description = "answers as pieces of a text, or none; scored as SQuAD 1.1 and 2.0 are"
    columns = {
        "question": "the question",
        "context": "the text that may hold the answer",
        "answers": "{text: [...], answer_start: [...]} in characters of the context; empty lists: no answer",
    }
    column_types = {"question": TEXT, "context": TEXT, "answers": NESTED}
    usual_names = {
        "question": ("query", "q"),
        "context": ("passage", "paragraph", "review", "document", "text", "story"),
    }
    inputs = ("question", "context")
    options = {
        "unanswerable": "true or false: whether a question may have no answer; by default, if a training row has none",
        "unit": "word, character (for Chinese) or any-character: the unit of EM and F1; by default the usual one for the language",
        "language": "language of question and context (ISO 639-1)",
    }
    option_values = {"unanswerable": (True, False), "unit": UNITS, "language": LANGUAGE}
    passes = 2.0  # as for entities: start and end are learned token by token
    head = "harness.heads.spans:SpanHead"
    primary_metric = "f1"
    scale = 1.0  # the published scripts give 0-100
    metrics = {"exact_match": 1.0}
    needs_offsets = True

    def check_options(self, task: Task) -> None:
        if unit(task) not in UNITS:
            raise unknown("unit", unit(task), UNITS, where=f"task {task.name!r}")

    def prepare(self, row: Row, task: Task) -> Row:
        given = row["answers"]
        if isinstance(given, Mapping) and _is_usual(given.get("text"), given.get("answer_start")):
            return {**row, "answers": {name: given[name] for name in ("text", "answer_start")}}
        given_pairs = parse_answers(given)
        if not given_pairs and not isinstance(given, Mapping | list):
            raise ValueError(
                "answers are missing; they must be {text: [...], answer_start: [...]}, with empty lists for no answer"
            )
        if any(start is None for _, start in given_pairs):
            raise ValueError("answers must be {text: [...], answer_start: [...]}; for other forms say format: spans")
        answers = [(text, max(whole_number(start), NOWHERE)) for text, start in given_pairs]
        if empty := [start for text, start in answers if not text and start >= 0]:
            raise ValueError(f"an answer without text at {empty[0]}; for an unanswerable question write empty lists")
        answers = [answer for answer in answers if answer[0]]
        return {**row, "answers": {"text": [text for text, _ in answers], "answer_start": [start for _, start in answers]}}

    def harmonise(self, rows: list[Row], task: Task, report: dict[str, Any]) -> list[Row]:
        """Align the offsets of the answers in code points, unless the reader has already done so."""
        if "misaligned" not in report:
            align(rows, report)
        return rows

    def kinds(self, row: Row) -> tuple[str]:
        return ("answerable" if row["answers"]["text"] else "unanswerable",)

    def check(self, splits: Mapping[str, Sequence[Row]], task: Task) -> Iterable[Finding]:
        unplaced, several = Tally(), Tally()
        for split, rows in splits.items():
            for row in rows:
                answers = list(zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True))
                if len(dict(answers)) > 1:
                    several.add(split, row_location(row))
                for text, start in answers:
                    if start == NOWHERE:
                        unplaced.add(split, f"{row_location(row)}: {quote(text)}")
        if unplaced.total:
            has = "answer has" if unplaced.total == 1 else "answers have"
            message = (
                f"{unplaced.total:,} {has} no known place in the context ({unplaced.where()}): training leaves what it cannot find out, "
                "scores count the text"
            )
            yield Finding(WARNING, "unplaced-answers", message, unplaced.total, tuple(unplaced.examples))
        if several.total:
            have = "has" if several.total == 1 else "have"
            message = f"{some(several.total, 'question')} {have} several different answers ({several.where()}); any of them counts"
            yield Finding(NOTE, "several-answers", message, several.total, tuple(several.examples))
        yield from self._shared(splits)
        yield from _inside_words(splits)
        if not any(row["answers"]["text"] for row in splits["train"]):
            message = "train has no question with an answer, so there is nothing to learn; check the answers and their offsets (a negative one says that there is none)"
            yield Finding(ERROR, "no-answers", message, len(splits["train"]))
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
        """Find test questions on contexts of training rows."""
        seen = {row["context"] for row in splits["train"]}
        for split in ("validation", "test"):
            rows = [row for row in splits[split] if row["context"] in seen]
            if rows:
                message = (
                    f"{some(len(rows), f'{split} row')} ask{'s' if len(rows) == 1 else ''} about a context of train"
                )
                examples = tuple(row_location(row) for row in rows[:5])
                yield Finding(WARNING, "shared-contexts", message, len(rows), examples)

    def recognise(self, rows: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> Proposal | None:
        """Recognise columns by usual names, and scripts without blanks by the contexts."""
        proposal = super().recognise(rows, given)
        if proposal is None:
            return None
        blankless = without_blanks(str(column_value(row, proposal.columns["context"])) for row in rows)
        answers = isinstance(column_value(rows[0], proposal.columns["answers"]), Mapping | list)
        return replace(proposal, options={"unit": "character"} if blankless else {}, likely=answers)

    def example(self, row: Row, task: Task) -> dict[str, Any]:
        return {"question": row["question"], "context": row["context"], "answers": row["answers"]}

    def prediction(self, output: Mapping[str, Any], row: Row, task: Task) -> str:
        return output["text"]

    def reference(self, row: Row, task: Task) -> dict[str, Any]:
        return {"id": row["id"], "answers": row["answers"]}

    def expected(self, row: Row, task: Task) -> str:
        """The first answer, or the empty string."""
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
        """The empty answer if most training rows have no answer, else the first sentence of the context."""
        if sum(not row["answers"]["text"] for row in train) * 2 > len(train):
            return [""] * len(rows)
        return [re.split(r"(?<=[.!?。！？])\s*", row["context"].strip(), maxsplit=1)[0] for row in rows]


def _is_usual(texts: Any, starts: Any) -> bool:
    """Whether answers already have the form that heads and metrics need, as most do."""
    return (
        type(texts) is type(starts) is list
        and len(texts) == len(starts)
        and all(type(text) is str and text for text in texts)
        and all(type(start) is int and start >= NOWHERE for start in starts)
    )


def _inside_words(splits: Mapping[str, Sequence[Row]]) -> Iterable[Finding]:
    """Find answers that start or end within a word of the letters A to Z: letters of choices, or shifted offsets."""
    inside, number = Tally(), 0
    for split, rows in splits.items():
        for row in rows:
            text, start = next(zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True), ("", NOWHERE))
            if not text or start == NOWHERE:
                continue
            number += 1
            context, end = row["context"], start + len(text)
            before, after = context[max(start - 1, 0) : start], context[end : end + 1]
            if any(WORD.fullmatch(pair) for pair in (before + text[0], text[-1] + after)):
                inside.add(split, f"{row_location(row)}: {quote(before + text + after)}")
    if inside.total > INSIDE * number:
        message = (
            f"{some(inside.total, 'answer')} of {number:,} begin or end within a word ({inside.where()}): are they letters of choices, or are the "
            "offsets wrong?"
        )
        yield Finding(WARNING, "answers-inside-words", message, inside.total, tuple(inside.examples))
