"""Task family `translation`: the same in another language."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from harness.errors import BenchError, unknown
from harness.family import Row, TaskFamily
from harness.metrics.bleu import MODULES, TOKENIZERS, cure, usual_tokenizer
from harness.task import Task


def tokenizer(task: Task) -> str:
    """BLEU's tokeniser for a task: the one that is asked for, else the target language's."""
    return str(task.options.get("tokenize") or usual_tokenizer(task.options.get("target_language")))


class Translation(TaskFamily):
    """Translation of sentences. Primary metric: sacreBLEU; chrF beside it, both with their signatures.

    Options: `source_language`, `target_language` (ISO 639-1; for checkpoints that were trained with a prefix or language
    codes), `tokenize` (sacreBLEU's; by default zh for Chinese, ja-mecab for Japanese, ko-mecab for Korean, char for other
    languages without blanks between words, 13a otherwise).
    """

    name = "translation"
    description = "a text in another language; scored by sacreBLEU and chrF"
    columns = {"source": "the text", "target": "its translation, or a list of several"}
    usual_names = {"source": ("en", "src"), "target": ("de", "fr", "ro", "es", "zh", "tgt")}
    head = "harness.heads.text:TextHead"
    primary_metric = "bleu"
    scale = 1.0  # sacreBLEU's own lies in 0-100

    def check(self, task: Task) -> None:
        tokenize = tokenizer(task)
        if tokenize not in TOKENIZERS:
            raise unknown("tokenize", tokenize, TOKENIZERS, where=f"task {task.name!r}")
        if tokenize in MODULES and find_spec(MODULES[tokenize]) is None:
            raise BenchError(f"task {task.name!r}: {cure(tokenize)}")

    def prepare(self, row: Row, task: Task) -> Row:
        targets = row["target"] if isinstance(row["target"], list) else [row["target"]]
        if not targets or not all(isinstance(text, str) for text in (row["source"], *targets)):
            raise ValueError("source and target must be texts")
        return {**row, "target": targets}

    def example(self, row: Row, task: Task) -> dict[str, Any]:
        return {"source": row["source"], "target": row["target"][0]}

    def reference(self, row: Row, task: Task) -> list[str]:
        return row["target"]

    def score(self, predictions: Sequence[str], references: Sequence[list[str]], task: Task) -> dict[str, Any]:
        from harness.metrics.translation import Translation as Metric

        return Metric().compute(predictions=predictions, references=references, tokenize=tokenizer(task))

    def trivial(self, train: Sequence[Row], rows: Sequence[Row], task: Task) -> list[str]:
        """A copy of the source."""
        return [row["source"] for row in rows]
