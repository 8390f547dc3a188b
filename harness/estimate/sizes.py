"""How much text a task holds, as a model's tokeniser and a head would cut it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.by_data import Needs
from harness.estimate.counter import Counter
from harness.family import Row, TaskFamily
from harness.recipe import Recipe

SAMPLE = 200  # rows of a split that are tokenised; evenly spread over it
SEPARATOR = "\n=\n"  # of source and target in one sequence: `harness.heads.text`, which imports torch
# The heads of this package: one that reads a row once, cut to fit, and those that do something else with it.
READS, WRITES = "harness.heads.sequence:SequenceHead", "harness.heads.text:TextHead"
WINDOWS, SPANS = "harness.heads.tokens:TokenHead", "harness.heads.spans:SpanHead"


@dataclass(frozen=True)
class Size:
    """One split.

    Attributes:
        features: rows, or windows of rows.
        tokens: read in all, padding left out.
        squares: the sum of the features' squared lengths.
        longest: tokens of the longest features.
        written: tokens of all targets; 0 for heads that write nothing.
        longest_written: tokens of the longest targets.
        letters: characters of the texts.
        padding: numbers in shuffled batches for each token, where rows are padded to the longest of their batch.
        different: unlike tokens in the texts of all splits; None where nothing tells.
    """

    features: int
    tokens: float
    squares: float
    longest: int
    written: float = 0.0
    longest_written: int = 0
    letters: float = 0.0
    padding: float = 1.0
    different: int | None = None


def trained_on(sizes: Mapping[str, Size], rows: int, of: int) -> dict[str, Size]:
    """The sizes where a training sees `rows` of `of` training rows: of their usual length."""
    train, share = sizes["train"], rows / of
    parts = {name: getattr(train, name) * share for name in ("tokens", "squares", "written", "letters")}
    return {**sizes, "train": replace(train, features=max(1, round(train.features * share)), **parts)}


Texts = Mapping[str, Sequence[Mapping[str, Any]]]  # split → sample of rows, each column → text or words


@dataclass(frozen=True)
class Content:
    """A task's rows, as far as their length goes: read once, and counted for every tokeniser.

    Attributes:
        rows: split → rows.
        sample: split → texts of some of its rows.
        read: the columns that a model reads; the others it writes.
    """

    rows: Mapping[str, int]
    sample: Texts
    read: frozenset[str]


def content(splits: Mapping[str, Sequence[Row]], family: TaskFamily) -> Content:
    """What is needed of a task's rows."""
    sample = {split: [family.texts(row) for row in _spread(rows)] for split, rows in splits.items()}
    names = {name for texts in sample.values() for row in texts for name in row}
    read = names & set(family.inputs) if family.head == WRITES else names
    return Content({split: len(rows) for split, rows in splits.items()}, sample, frozenset(read or names))


def _spread(rows: Sequence[Row]) -> Sequence[Row]:
    count = min(SAMPLE, len(rows))
    return [rows[number * len(rows) // count] for number in range(count)]


def sizes(
    content: Content, counter: Counter, head: str, recipe: Recipe, limit: int | None, one_sequence: bool
) -> dict[str, Size]:
    """Split → its size.

    Args:
        content: of the task.
        counter: with the model's tokeniser.
        head: the family's, as `module:Class`.
        recipe: for the greatest lengths and the stride of windows.
        limit: the most tokens that the model can read, if any.
        one_sequence: True where source and target stand in one sequence (decoders).
    """
    different = counter.different(
        [_whole(row, content.read) for texts in content.sample.values() for row in texts],
        sum(content.rows.values()) / max(1, sum(map(len, content.sample.values()))),
    )
    most = min(recipe.max_length, limit or recipe.max_length)
    found = {}
    for split, texts in content.sample.items():
        read = _Reading(counter, head, recipe, most, one_sequence, split == "train")
        scale = content.rows[split] / max(1, len(texts))
        found[split] = replace(read.size(texts, content.read, scale), different=different)
    return found


def needs(content: Content, counter: Counter, head: str, limit: int | None, one_sequence: bool) -> Needs:
    """What the recipe's fields that are left to the data go by, from the sample; arguments as those of `sizes`."""
    endless = 10**9
    read = _Reading(counter, head, Recipe(max_target_length=endless), endless, one_sequence, False)
    tokens = []
    for texts in (content.sample.get(split, ()) for split in ("train", "validation")):
        written = read.written(texts, content.read)
        lengths = {"max_length": read.features(texts, content.read, written)}
        tokens.append({**lengths, "max_target_length": written} if head == WRITES else lengths)
    return Needs(content.rows.get("train", 0), tokens, limit, head in (WINDOWS, SPANS))


def _whole(row: Mapping[str, Any], read: frozenset[str]) -> str:
    return " ".join(_text(value) for name, value in row.items() if name in read)


@dataclass(frozen=True)
class _Reading:
    """How a head cuts the rows of one split. A decoder that is asked for a text reads a prompt; in training the answer too."""

    counter: Counter
    head: str
    recipe: Recipe
    most: int
    one_sequence: bool
    training: bool

    def size(self, texts: Sequence[Mapping[str, Any]], read: frozenset[str], scale: float) -> Size:
        """Of a sample, and `scale` times as much."""
        written = self.written(texts, read)
        features = self.features(texts, read, written)
        together = self.recipe.micro_batch_size or self.recipe.batch_size
        batches = [features[start : start + together] for start in range(0, len(features), together)]
        padded = sum(max(batch) * len(batch) for batch in batches)
        return Size(
            features=max(1, round(len(features) * scale)),
            tokens=sum(features) * scale,
            squares=sum(length * length for length in features) * scale,
            longest=max(features, default=0),
            written=sum(written) * scale,
            longest_written=max(written, default=0),
            letters=sum(len(_whole(row, read)) for row in texts) * scale,
            padding=padded / max(1, sum(features)),
        )

    def written(self, texts: Sequence[Mapping[str, Any]], read: frozenset[str]) -> list[int]:
        """The length of each target; zeros for heads that write nothing."""
        if self.head != WRITES:
            return [0] * len(texts)
        targets = [next((_text(value) for name, value in row.items() if name not in read), "") for row in texts]
        return [min(count + 1, self.recipe.max_target_length) for count in self.counter.count(targets)]

    def features(self, texts: Sequence[Mapping[str, Any]], read: frozenset[str], written: Sequence[int]) -> list[int]:
        """The length of each feature."""
        special, found = self.counter.special, []
        if self.head == SPANS:
            for first, rest in self._sides(texts, read):
                around = first + special + (self.one_sequence and 1)  # a decoder's windows end with one more token
                found += [around + part for part in windows(rest, max(1, self.most - around), self.recipe.doc_stride)]
            return found
        lengths = [count + special for count in self.counter.count([_whole(row, read) for row in texts])]
        if self.head == WINDOWS:
            return [part for length in lengths for part in windows(length, self.most, self.most // 4)]
        if self.head == WRITES and self.one_sequence:
            between = self.counter.count([SEPARATOR])[0]
            return [
                min(length + between, self.most) + self.training * target
                for length, target in zip(lengths, written, strict=True)
            ]
        return [min(length, self.most) for length in lengths]

    def _sides(self, texts: Sequence[Mapping[str, Any]], read: frozenset[str]) -> list[tuple[int, int]]:
        """(tokens of the question, which every window repeats, and of the context, which is cut)."""
        sides = [[_text(value) for name, value in row.items() if name in read] for row in texts]
        firsts = self.counter.count([" ".join(side[:-1]) for side in sides])
        rests = self.counter.count([side[-1] if side else "" for side in sides])
        return [(min(first, self.most // 2), rest) for first, rest in zip(firsts, rests, strict=True)]


def windows(length: int, most: int, overlap: int) -> list[int]:
    """The lengths of the windows in which a long row is read."""
    overlap = min(overlap, most - 1)
    found = [min(length, most)]
    rest = length - most
    while rest > 0:
        found.append(min(most, rest + overlap))
        rest -= most - overlap
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(value)
