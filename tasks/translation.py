"""Task family `translation`: the same in another language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.family import Row, TaskFamily
from harness.task import Task

LANGUAGES = {
    "english": "en",
    "german": "de",
    "deutsch": "de",
    "french": "fr",
    "romanian": "ro",
    "spanish": "es",
    "chinese": "zh",
}
CODES = (
    "en",
    "de",
    "fr",
    "ro",
    "es",
    "zh",
    "it",
    "nl",
    "pt",
    "pl",
    "cs",
    "ru",
    "ja",
    "ko",
    "fi",
    "sv",
    "da",
    "tr",
    "ar",
)


class Translation(TaskFamily):
    """Translation of sentences. Primary metric: sacreBLEU; chrF beside it, both with their signatures.

    Options: `source_language`, `target_language` (ISO 639-1; for checkpoints that were trained with a prefix or language
    codes), `tokenize` (sacreBLEU's; by default zh for Chinese, ja-mecab for Japanese, 13a otherwise).
    """

    name = "translation"
    description = "a text in another language; scored by sacreBLEU and chrF"
    columns = {"source": "the text", "target": "its translation, or a list of several"}
    usual_names = {
        "source": ("src", "en", "english", "translation.en", "source_text"),
        "target": (
            "tgt", "target_text", "translations", "references", *CODES[1:], *list(LANGUAGES)[1:],
            *(f"translation.{code}" for code in CODES[1:]), "translation",
        ),
    }  # fmt: skip
    head = "harness.heads.text:TextHead"
    primary_metric = "bleu"
    scale = 1.0  # sacreBLEU's own lies in 0-100

    def prepare(self, row: Row, task: Task) -> Row:
        targets = row["target"] if isinstance(row["target"], list) else [row["target"]]
        if not targets or not all(isinstance(text, str) for text in (row["source"], *targets)):
            raise ValueError("source and target must be texts (target: or a list of them); check the columns")
        return {**row, "target": targets}

    def guess_options(self, rows: Sequence[Row], columns: Mapping[str, Any]) -> dict[str, Any]:
        """The languages, where the columns are called by them."""
        options = {}
        for side in ("source", "target"):
            name = str(columns.get(side, "")).lower().rpartition(".")[2].replace("_", "-").partition("-")[0]
            language = LANGUAGES.get(name, name)
            if language in CODES:
                options[f"{side}_language"] = language
        return options

    def example(self, row: Row, task: Task) -> dict[str, Any]:
        return {"source": row["source"], "target": row["target"][0]}

    def reference(self, row: Row, task: Task) -> list[str]:
        return row["target"]

    def score(self, predictions: Sequence[str], references: Sequence[list[str]], task: Task) -> dict[str, Any]:
        from harness.metrics.translation import Translation as Metric

        by_language = {"zh": "zh", "ja": "ja-mecab", "ko": "ko-mecab"}
        tokenize = task.options.get("tokenize") or by_language.get(str(task.options.get("target_language")), "13a")
        return Metric().compute(predictions=predictions, references=references, tokenize=tokenize)

    def trivial(self, train: Sequence[Row], rows: Sequence[Row], task: Task) -> list[str]:
        """A copy of the source."""
        return [row["source"] for row in rows]
