"""Task family `translation`: sentences in another language."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from harness.check.lengths import without_blanks
from harness.check.repeats import Tally, row_location
from harness.data.values import TEXT, TEXTS
from harness.errors import BenchError, unknown
from harness.family import LANGUAGE, Row, TaskFamily
from harness.finding import NOTE, WARNING, Finding, some
from harness.languages import CODES, base_code, known_code
from harness.metrics.counts import MODULES, TOKENIZERS, mecab_message, usual_tokenizer
from harness.proposal import Proposal, column_value
from harness.task import Task

if TYPE_CHECKING:
    from harness.metrics.additive import Additive

# Names of columns with texts in a language, the likeliest first: codes, and some names.
_FIRST = "en english de german deutsch fr french es spanish zh chinese ro romanian it nl pt pl cs ru ja ko fi sv da tr ar".split()
LANGUAGES = {word: base_code(word) for word in (*_FIRST, *CODES)}
# Names of columns with targets. `id` is that of a row.
COLUMNS = [word for word in LANGUAGES if word not in ("en", "english", "id")]
NUMBER = re.compile(r"\s*[-+]?[\d.,]+\s*")
MOSTLY_NUMBERS = 0.9  # share of numbers from which a column holds ids or scores
FEW = 0.15  # different targets per row, up to which they are hardly translations
ENOUGH = 15  # rows needed to say so
OUTLIER = 3.0  # times longer or shorter than usual
LONG_ENOUGH = 20  # characters of the longer side, for a ratio to be meaningful
VOCABULARY, SOME = 2_000, 200  # number of rows whose words are compared, of train and of the other splits
TOO_FEW = 10  # fewer rows are not compared
SWAPPED = 2.0  # times as many words of the other side as of the own one


def tokenizer(task: Task) -> str:
    """BLEU's tokenizer for a task: the option, or else the usual one for the target language."""
    return str(task.options.get("tokenize") or usual_tokenizer(task.options.get("target_language")))


class Translation(TaskFamily):
    """Translation of sentences. Primary metric: sacreBLEU; also chrF, both with their signatures.

    Options: `source_language`, `target_language` (ISO 639-1; needed by checkpoints that were trained with a prefix or
    language codes), `tokenize` (sacreBLEU's tokenizer; by default zh for Chinese, ja-mecab for Japanese, ko-mecab for
    Korean, char for other languages without blanks between words, else 13a).
    """

    name = "translation"
    description = "a text in another language; scored by sacreBLEU and chrF"
    columns = {"source": "the text", "target": "its translation, or a list of several"}
    column_types = {"source": TEXT, "target": TEXTS}
    usual_names = {
        "source": ("src", "en", "english", "translation.en", "source_text"),
        "target": (
            "tgt", "target_text", "translations", "references", *COLUMNS, *(f"translation.{code}" for code in COLUMNS), "translation",
        ),
    }  # fmt: skip
    inputs = ("source",)
    # A new decoder, or one that does not know the language, learns slowly: with the 1,410 rows of mini-translation the
    # validation score still rises after 12 epochs.
    passes = 4.0
    options = {
        "source_language": "language of the sources (ISO 639-1)",
        "target_language": "language of the targets (ISO 639-1): decides the tokenizer of sacreBLEU, and the prefix of a checkpoint",
        "tokenize": "tokenizer of sacreBLEU, instead of the usual one for the target language",
    }
    option_values = {"source_language": LANGUAGE, "target_language": LANGUAGE, "tokenize": TOKENIZERS}
    head = "harness.heads.text:TextHead"
    primary_metric = "bleu"
    scale = 1.0  # sacreBLEU gives 0-100
    metrics = {"chrf": 1.0}

    def check_options(self, task: Task) -> None:
        tokenize = tokenizer(task)
        if tokenize not in TOKENIZERS:
            raise unknown("tokenize", tokenize, TOKENIZERS, where=f"task {task.name!r}")
        if tokenize in MODULES and find_spec(MODULES[tokenize]) is None:
            raise BenchError(f"task {task.name!r}: {mecab_message(tokenize)}")

    def texts(self, row: Row) -> dict[str, str]:
        first, *others = row["target"]
        more = {f"target {number}": text for number, text in enumerate(others, start=2)}
        return {"source": row["source"], "target": first, **more}

    def harmonise(self, rows: list[Row], task: Task, report: dict[str, Any]) -> list[Row]:
        """Return the rows unchanged, after checking that neither side is a column of numbers."""
        for side in ("source", "target"):
            numbers = sum(bool(NUMBER.fullmatch(row[side] if side == "source" else row[side][0])) for row in rows)
            if numbers > MOSTLY_NUMBERS * len(rows):
                pairs = getattr(task.source, "format", "") == "pairs"
                cure = f"data: {{format: pairs, {side}: N}}, N counted from 0" if pairs else f"columns: {{{side}: NAME}}"
                raise BenchError(
                    f"the {side} of {some(numbers, 'row')} is a number, as ids are; name the column of the text, in a task file (bench task new) under "
                    f"{cure}"
                )
        return rows

    def check(self, splits: Mapping[str, Sequence[Row]], task: Task) -> Iterable[Finding]:
        copies, several = Tally(), Tally()
        for split, rows in splits.items():
            for row in rows:
                if row["source"].strip() and row["source"].strip() == row["target"][0].strip():
                    copies.add(split, row_location(row))
                if len(row["target"]) > 1:
                    several.add(split, row_location(row))
        if copies.total:
            are = "row is a copy of its source" if copies.total == 1 else "rows are copies of their source"
            message = f"{copies.total:,} {are} ({copies.where()})"
            yield Finding(WARNING, "copied-sources", message, copies.total, tuple(copies.examples))
        if several.total:
            message = (
                f"{some(several.total, 'row')} with several references ({several.where()}); training reads the first"
            )
            yield Finding(NOTE, "several-references", message, several.total, tuple(several.examples))
        yield from _outliers(splits)
        yield from _swapped(splits)
        yield from _one_sided(splits)
        targets = [row["target"][0] for rows in splits.values() for row in rows]
        if _few(targets):
            message = (
                f"the targets are {some(len(set(targets)), 'text')} in {some(len(targets), 'row')}: these look like classes, not translations; for "
                "classes take family text-classification, or name the column of the translations"
            )
            yield Finding(WARNING, "few-targets", message, len(targets))
        if tokenizer(task) == "13a" and without_blanks(row["target"][0] for row in splits["test"]):
            message = (
                "the targets have no blanks between words, so BLEU by word means little; set the option target_language"
            )
            yield Finding(WARNING, "no-blanks", message)

    def recognise(self, rows: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> Proposal | None:
        """Recognise columns by usual names, or two columns by names of languages, which become options."""
        proposal = super().recognise(rows, given)
        codes = [str(name) for name in rows[0] if _language(name) and str(name) != "id"]
        if proposal is None and len(codes) == 2:
            proposal = Proposal(dict(zip(("source", "target"), codes, strict=True)))
        if proposal is None:
            return None
        languages = {
            side: known_code(given[side]) if side in given else _language(proposal.columns[side])
            for side in ("source", "target")
        }
        options = {f"{side}_language": code for side, code in languages.items() if code}
        texts = all(isinstance(column_value(rows[0], name), str | list) for name in proposal.columns.values())
        few = texts and _few([str(column_value(row, proposal.columns["target"])) for row in rows])
        used = {str(name).partition(".")[0] for name in proposal.columns.values()}
        more = [name for name in codes if name not in used] if _language(proposal.columns["target"]) else []
        others = {**proposal.others, **({"target": more} if more and "target" not in given else {})}
        return replace(proposal, options=options, likely=texts and not few, others=others)

    def example(self, row: Row, task: Task) -> dict[str, Any]:
        return {"source": row["source"], "target": row["target"][0]}

    def reference(self, row: Row, task: Task) -> list[str]:
        return row["target"]

    def expected(self, row: Row, task: Task) -> str:
        """The first reference."""
        return row["target"][0]

    def score(self, predictions: Sequence[str], references: Sequence[list[str]], task: Task) -> dict[str, Any]:
        from harness.metrics.translation import TranslationMetric as Metric

        return Metric().compute(predictions=predictions, references=references, tokenize=tokenizer(task))

    def additive(self, predictions: Sequence[str], references: Sequence[list[str]], task: Task) -> Additive:
        import numpy as np

        from harness.metrics.additive import Additive
        from harness.metrics.counts import bleu_counts, chrf_counts

        if self.metric(task).name == "chrf":
            rows, score = chrf_counts(predictions, references)
        else:
            rows, score = bleu_counts(predictions, references, tokenizer(task))
        return Additive(np.asarray(rows, dtype=float), lambda sums: np.apply_along_axis(score, -1, sums))

    def trivial(self, train: Sequence[Row], rows: Sequence[Row], task: Task) -> list[str]:
        """A copy of the source."""
        return [row["source"] for row in rows]


def _language(name: Any) -> str | None:
    """The language that a column is named after, as in `de`, `translation.de`, `de_AT` or `German`."""
    return LANGUAGES.get(str(name).lower().rpartition(".")[2].replace("_", "-").partition("-")[0])


def _few(targets: Sequence[str]) -> bool:
    """Whether texts repeat so often that they look like names of classes."""
    return len(targets) >= ENOUGH and len(set(targets)) <= FEW * len(targets)


def _one_sided(splits: Mapping[str, Sequence[Row]]) -> Iterable[Finding]:
    """Find rows without a source together with rows without a target: a line that is missing in one file shifts the others."""
    rows = [row for part in splits.values() for row in part]
    left = [row for row in rows if not row["source"].strip() and row["target"][0].strip()]
    right = [row for row in rows if not row["target"][0].strip() and row["source"].strip()]
    if left and right:
        message = (
            f"{some(len(left), 'row')} without a source and {some(len(right), 'row')} without a target: are the sides out of step, "
            "so that each line between them belongs to its neighbour?"
        )
        yield Finding(WARNING, "out-of-step", message, len(left) + len(right), tuple(row_location(row) for row in (*left[:2], *right[:2])))


def _swapped(splits: Mapping[str, Sequence[Row]]) -> Iterable[Finding]:
    """Find splits whose sources use the words of train's targets, and whose targets use those of its sources."""

    def words(texts: Iterable[str]) -> set[str]:
        return {word for text in texts for word in text.lower().split() if word.isalpha()}

    known = {side: words(row["source"] if side == "source" else row["target"][0] for row in splits["train"][:VOCABULARY]) for side in ("source", "target")}
    for split in ("validation", "test"):
        rows = splits[split][:SOME]
        if len(rows) < TOO_FEW:
            continue
        sides = {"source": words(row["source"] for row in rows), "target": words(row["target"][0] for row in rows)}
        right = sum(len(sides[side] & known[side]) for side in known)
        wrong = len(sides["source"] & known["target"]) + len(sides["target"] & known["source"])
        if wrong > SWAPPED * max(right, 1):
            message = f"the sources of {split} are written in the words of train's targets, and its targets in those of train's sources: are its sides swapped?"
            yield Finding(WARNING, "swapped-sides", message, len(splits[split]))


def _outliers(splits: Mapping[str, Sequence[Row]]) -> Iterable[Finding]:
    """Find pairs whose ratio of lengths differs much from the median of the data set."""
    pairs = [
        (split, row, len(row["source"]), len(row["target"][0]))
        for split, rows in splits.items()
        for row in rows
        if row["source"].strip() and row["target"][0].strip()
    ]
    if not pairs:
        return
    usual = statistics.median(target / source for _, _, source, target in pairs)
    tally = Tally()
    for split, row, source, target in pairs:
        ratio = target / source / usual
        if max(source * usual, target) >= LONG_ENOUGH and not 1 / OUTLIER <= ratio <= OUTLIER:
            tally.add(split, f"{row_location(row)}: {source} and {target} characters")
    if tally.total:
        message = (
            f"{some(tally.total, 'row')} whose sides differ in length by more than {OUTLIER:.0f} times the usual "
            f"({tally.where()}); are they translations of each other?"
        )
        yield Finding(WARNING, "length-ratio", message, tally.total, tuple(tally.examples))
