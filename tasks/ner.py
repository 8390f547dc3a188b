"""Task family `ner`: the names in a sentence, and what kind of thing each one names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.check.repeats import conflicts
from harness.check.tally import Tally, spot
from harness.family import Row, TaskFamily
from harness.finding import ERROR, WARNING, Finding, some
from harness.proposal import Proposal
from harness.task import Task


class NamedEntities(TaskFamily):
    """Named-entity recognition on words with IOB2 tags (Tjong Kim Sang & De Meulder 2003). Primary metric: entity F1.

    Option `mode`: "default" counts entities as `conlleval` does, "strict" as seqeval's strict mode with IOB2.
    """

    name = "ner"
    description = "named entities: words with IOB2 tags; scored by seqeval"
    columns = {"words": "the words of a sentence", "tags": "one IOB2 tag a word"}
    usual_names = {"words": ("tokens", "text"), "tags": ("ner_tags", "labels", "ner")}
    inputs = ("words",)
    options = {"mode": "default: entities count as in conlleval; strict: as in seqeval's strict mode"}
    head = "harness.heads.tokens:TokenHead"
    primary_metric = "f1"
    needs_offsets = True

    def prepare(self, row: Row, task: Task) -> Row:
        words, tags = [str(word) for word in row["words"]], [self._tag(tag, task) for tag in row["tags"]]
        if len(words) != len(tags):
            raise ValueError(f"{len(words)} words but {len(tags)} tags")
        return {**row, "words": words, "tags": tags}

    def _tag(self, raw: Any, task: Task) -> str:
        return task.label_name(raw) if task.labels else str(raw)

    def labels(self, splits: Mapping[str, Sequence[Row]], task: Task) -> list[str]:
        """O first, then B- and I- of every type of the training rows: a type may open or go on where it never did there."""
        types = {tag[2:] for row in splits["train"] for tag in row["tags"] if tag != "O"}
        return ["O", *(f"{letter}-{kind}" for kind in sorted(types) for letter in "BI")]

    def kinds(self, row: Row) -> list[str]:
        """The type of every entity."""
        before = ["O", *row["tags"]]
        return [tag[2:] for last, tag in zip(before, row["tags"], strict=False) if _begins(last, tag)]

    def check(self, splits: Mapping[str, Sequence[Row]], task: Task) -> Iterable[Finding]:
        strange, early = Tally(), Tally()
        for split, rows in splits.items():
            for row in rows:
                before = "O"
                for tag in row["tags"]:
                    if tag != "O" and tag[:2] not in ("B-", "I-"):
                        strange.add(split, f"{spot(row)}: {tag}")
                    elif tag[0] == "I" and _begins(before, tag):
                        early.add(split, f"{spot(row)}: {tag} after {before}")
                    before = tag
        if strange.total:
            message = (
                f"{some(strange.total, 'tag')} {'is' if strange.total == 1 else 'are'} neither O nor B-TYPE nor I-TYPE"
            )
            hint = "; name them under `labels`, or let the format conll convert the scheme"
            yield Finding(ERROR, "not-iob2", message + hint, strange.total, tuple(strange.examples))
        if early.total:
            message = f"{some(early.total, 'entity', 'entities')} begin with I- instead of B- ({early.where()}); read as conlleval reads them"
            yield Finding(WARNING, "irregular-tags", message, early.total, tuple(early.examples))
        if not any(tag != "O" for row in splits["train"] for tag in row["tags"]):
            yield Finding(ERROR, "no-entities", "train has no entity, so there is nothing to learn")
        rows = (row for part in splits.values() for row in part if row["words"])
        yield from conflicts(((spot(row), (tuple(row["words"]),), tuple(row["tags"])) for row in rows), "tagging")

    def recognise(self, rows: Sequence[Mapping[str, Any]]) -> Proposal | None:
        found = super().recognise(rows)
        lists = found and all(isinstance(rows[0][name], list | tuple) for name in found.columns.values())
        return found if lists else None

    def example(self, row: Row, task: Task) -> dict[str, Any]:
        return {"words": row["words"], "tags": row["tags"]}

    def reference(self, row: Row, task: Task) -> list[str]:
        return row["tags"]

    def score(self, predictions: Sequence[list[str]], references: Sequence[list[str]], task: Task) -> dict[str, Any]:
        from harness.metrics.entities import Entities

        return Entities().compute(
            predictions=predictions, references=references, mode=task.options.get("mode", "default")
        )

    def trivial(self, train: Sequence[Row], rows: Sequence[Row], task: Task) -> list[list[str]]:
        """No entity anywhere."""
        return [["O"] * len(row["words"]) for row in rows]


def _begins(before: str, tag: str) -> bool:
    """Whether a tag begins an entity, as conlleval sees it: `B-`, or `I-` that continues nothing."""
    return tag != "O" and (tag[:1] == "B" or before[2:] != tag[2:] or before == "O")
