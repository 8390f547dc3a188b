"""Task family `ner`: named entities in sentences and their types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.check.repeats import conflicts, row_location
from harness.data.place import place, placed
from harness.data.readers.conll import TAG
from harness.data.tags import ALIASES, SCHEMES, to_iob2
from harness.data.values import TAGS, WORDS, Notes, converter
from harness.family import LANGUAGE, Row, TaskFamily
from harness.finding import ERROR, WARNING, Finding, some
from harness.metrics.counts import by_entity_type
from harness.proposal import Proposal, column_value
from harness.task import Task

if TYPE_CHECKING:
    from harness.metrics.additive import Additive

MOSTLY = 0.95
SAMPLE = 1_000  # number of rows to examine
FEW = 10  # fewer rows say nothing
_SCHEMES = ("auto", *SCHEMES, *ALIASES)


class NamedEntities(TaskFamily):
    """Named-entity recognition on words with IOB2 tags (Tjong Kim Sang & De Meulder 2003). Primary metric: entity F1.

    Options: `mode`: "default" counts entities as `conlleval` does, "strict" as seqeval's strict mode with IOB2.
    `scheme`: the tagging scheme, by default recognised from the tags (see `harness.data.tags`). All tags are converted
    to IOB2.
    """

    name = "ner"
    description = "named entities: words with IOB2 tags; scored by seqeval"
    columns = {"words": "the words of a sentence", "tags": "one IOB2 tag a word"}
    column_types = {"words": WORDS, "tags": TAGS}
    usual_names = {
        "words": ("tokens", "word", "token", "text", "sentence"),
        "tags": ("ner_tags", "tag", "ner_tag", "labels", "ner", "label", "bio", "iob"),
    }
    inputs = ("words",)
    options = {
        "mode": "default: entities are counted as in conlleval; strict: as in seqeval's strict mode",
        "language": "language of the sentences (ISO 639-1), for readers of the record",
        "scheme": "the tagging scheme, if the tags do not show it: iob1, iob2, bioes, bmes, bilou or io",
    }
    option_values = {"mode": ("default", "strict"), "language": LANGUAGE, "scheme": (*_SCHEMES, *map(str.upper, _SCHEMES))}
    passes = 2.0  # WikiGold with 200 rows: 47 F1 after 10 epochs, 57 after 20 (benchmarks/regret.py, MiniLM, 1e-4, one seed)
    head = "harness.heads.tokens:TokenHead"
    primary_metric = "f1"
    metrics = {"precision": 100.0, "recall": 100.0, "accuracy": 100.0}
    needs_offsets = True

    def prepare(self, row: Row, task: Task) -> Row:
        words, tags = row["words"], row["tags"]
        if len(words) != len(tags):
            raise ValueError(f"{len(words)} words but {len(tags)} tags; every word needs one")
        return {**row, "tags": [task.label_name(tag) for tag in tags] if task.labels else tags}

    def harmonise(self, rows: list[Row], task: Task, report: dict[str, Any]) -> list[Row]:
        """Convert the tags to IOB2. The scheme is reported here, unless the reader has already done so."""
        converted = to_iob2(
            [row["tags"] for row in rows],
            str(task.options.get("scheme", "auto")),
            where=lambda index, token: f"{place(rows[index], f'row {index + 1}')}, token {token + 1}",
        )
        for name, value in converted.report().items():
            report.setdefault(name, value)
        return [placed({**row, "tags": tags}, row) for row, tags in zip(rows, converted.tags, strict=True)]

    def labels(self, splits: Mapping[str, Sequence[Row]], task: Task) -> list[str]:
        """O, then B- and I- of every type in the training rows, also if only one of the two occurs there."""
        types = {tag[2:] for row in splits["train"] for tag in row["tags"] if tag != "O"}
        return ["O", *(f"{letter}-{kind}" for kind in sorted(types) for letter in "BI")]

    def kinds(self, row: Row) -> list[str]:
        """The types of all entities."""
        return [tag[2:] for tag in row["tags"] if tag.startswith("B-")]

    def check(self, splits: Mapping[str, Sequence[Row]], task: Task) -> Iterable[Finding]:
        if not any(tag != "O" for row in splits["train"] for tag in row["tags"]):
            yield Finding(ERROR, "no-entities", "train has no entity, so there is nothing to learn")
        rows = [row for part in splits.values() for row in part if row["words"]]
        short = sum(len(row["words"]) == 1 for row in rows)
        if len(rows) >= FEW and len(rows) > short >= MOSTLY * len(rows):
            message = f"{some(short, 'row')} of {len(rows):,} hold one word: are they words of sentences? A row should be a sentence"
            yield Finding(WARNING, "one-word-rows", message, short)
        yield from conflicts(((row_location(row), (tuple(row["words"]),), tuple(row["tags"])) for row in rows), "tagging")

    def recognise(self, rows: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> Proposal | None:
        """Recognise columns by usual names. Texts are split at blanks and must have as many tags as words; they are less likely."""
        proposal = super().recognise(rows, given)
        if proposal is None:
            return None
        pairs = [[column_value(row, proposal.columns[name]) for name in self.columns] for row in rows[:SAMPLE]]
        if all(isinstance(value, list | tuple) for pair in pairs for value in pair):
            return replace(proposal, others=self._other_tags(rows[:SAMPLE], proposal))
        texts = [pair for pair in pairs if all(isinstance(value, str | bytes) for value in pair)]
        even = sum(_lengths(texts))
        return replace(proposal, likely=False) if even >= MOSTLY * len(pairs) else None

    def _other_tags(self, rows: Sequence[Mapping[str, Any]], proposal: Proposal) -> dict[str, list[str]]:
        """Other columns with a list of tags for each row, one for each word."""
        words = [column_value(row, proposal.columns["words"]) for row in rows]
        others = []
        for name in rows[0]:
            values = [row.get(name) for row in rows]
            alike = all(isinstance(value, list) and len(value) == len(one) for value, one in zip(values, words, strict=True))
            if alike and name not in proposal.columns.values() and any(values):
                items = [item for value in values for item in value]
                if all(isinstance(item, str) and TAG.fullmatch(item) for item in items) and set(items) != {"O"}:
                    others.append(str(name))
        return {"tags": others} if others else {}

    def example(self, row: Row, task: Task) -> dict[str, Any]:
        return {"words": row["words"], "tags": row["tags"]}

    def reference(self, row: Row, task: Task) -> list[str]:
        return row["tags"]

    def score(self, predictions: Sequence[list[str]], references: Sequence[list[str]], task: Task) -> dict[str, Any]:
        from harness.metrics.entities import Entities

        return Entities().compute(
            predictions=predictions, references=references, mode=task.options.get("mode", "default")
        )

    def additive(self, predictions: Sequence[list[str]], references: Sequence[list[str]], task: Task) -> Additive:
        from harness.metrics.additive import f1_of, ratio_of
        from harness.metrics.counts import entity_counts

        name = self.metric(task).name
        if name == "accuracy":
            pairs = list(zip(predictions, references, strict=True))
            right = [sum(map(str.__eq__, ours, gold)) for ours, gold in pairs]
            return ratio_of(right, [len(gold) for _, gold in pairs])
        counts = entity_counts(predictions, references, task.options.get("mode", "default"))
        if name == "f1":
            return f1_of(counts)
        return ratio_of([right for right, _, _ in counts], [row[1 if name == "precision" else 2] for row in counts])

    def classes(self, predictions: Sequence[list[str]], references: Sequence[list[str]], task: Task) -> dict[str, Any]:
        return {"entity type": by_entity_type(predictions, references, task.options.get("mode", "default"))}

    def trivial(self, train: Sequence[Row], rows: Sequence[Row], task: Task) -> list[list[str]]:
        """No entity anywhere."""
        return [["O"] * len(row["words"]) for row in rows]


def _lengths(pairs: Sequence[Sequence[Any]]) -> Iterable[bool]:
    """For each pair of words and tags, whether their numbers are equal."""
    notes = Notes()
    sides = [[pair[side] for pair in pairs] for side in (0, 1)]
    lists = [converter(kind, values, notes) for kind, values in zip((WORDS, TAGS), sides, strict=True)]
    for pair in pairs:
        try:
            words, tags = (convert(value) for convert, value in zip(lists, pair, strict=True))
        except ValueError:  # not readable as lists; reported when the rows are read
            yield True
        else:
            yield len(words) == len(tags)
