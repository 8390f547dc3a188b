"""The rows on which a model is tried, and whether its tokeniser keeps their texts."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.errors import BenchError
from harness.heads.base import Feature, Head

# The rows on which a model is tried before it is trained: a few of its own, and what they lack.


def tried(splits: Sequence[Sequence[Feature]], training: Sequence[Feature]) -> tuple[list[Feature], list[Feature]]:
    """The rows of a trial, and those of extreme lengths: the shortest, the longest, and the one with the most labels."""
    ordered = sorted(training, key=lambda feature: feature.length)
    places = {max(least, len(ordered) // part) for least, part in ((2, 2), (1, 4), (0, len(ordered) + 1))}
    rows = [ordered[place] for place in sorted(places, reverse=True) if place < len(ordered)]
    rows += [rows[-1]] * (3 - len(rows))
    every = [feature for split in (training, *splits) for feature in split]
    ends = [choose(every, key=lambda feature: feature.length) for choose in (min, max)]
    if isinstance(training[0].inputs.get("labels"), list):
        ends.append(max(training, key=lambda feature: len(feature.inputs["labels"])))
    if len({row.length for row in rows}) == 1:
        others = [row.length for row in ends if row.length != rows[0].length]
        rows[-1] = _resized(rows[-1], others[0]) if others else rows[-1]
    return sorted(rows, key=lambda row: row.length, reverse=True), ends


def _resized(row: Feature, length: int) -> Feature:
    """A row with so many tokens: of those behind the first, the last ones, or all several times."""
    whole, times = row.length, -(-length // row.length)
    inputs = {}
    for name, values in row.inputs.items():
        if isinstance(values, list) and len(values) == whole:
            inputs[name] = [*values[:1], *((values * times)[1:][1 - length :] if length > 1 else [])]
        else:
            inputs[name] = min(values, length - 1) if name.endswith("_positions") else values
    return replace(row, inputs=inputs)


def mirrored(row: Feature) -> Feature:
    """Another row of the same length: the inner tokens in the opposite order, or all where that is no other."""
    ids = row.inputs["input_ids"]
    inner = [*ids[:1], *ids[1:-1][::-1], *ids[1:][-1:]]
    return replace(row, inputs={**row.inputs, "input_ids": inner if inner != ids else ids[::-1]})


# Does a tokeniser read a task's texts, or does it lose them?


READ = 50  # training rows that are looked at
CHARACTERS = 2000  # of each text
UNREAD, SOME = 0.8, 0.05  # share of characters that are lost: above the first nothing can be learnt, above the second it is told


def check_text(head: Head, examples: Sequence[Mapping[str, Any]]) -> str:
    """Encode texts and decode them again.

    Case, accents and blanks do not count: many tokenisers leave them out on purpose.

    Returns:
        What a person should know of it, in a sentence; empty where little is lost.

    Raises:
        BenchError: nearly all is lost.
    """
    whole, missing = Counter[str](), Counter[str]()
    for part, text in ((part, text[:CHARACTERS]) for example in examples for part, text in _texts(example)):
        whole[part] += sum(_letters(text).values())
        missing[part] += _lost(head, text, part)
    # Each part by itself: of a pair of languages, a model may know one and not the other.
    share = max((missing[part] / whole[part] for part in whole if whole[part]), default=0.0)
    name = head.pretrained.checkpoint.name
    if share > UNREAD:
        worst = max(whole, key=lambda part: missing[part] / max(1, whole[part]))
        where = f" of {worst!r}" if len(whole) > 1 else ""
        raise BenchError(
            f"model {name!r}: its tokeniser knows {1 - share:.0%} of the characters{where} in the first {len(examples)} training rows; it was "
            "made for another language or its files are missing; choose a model for these texts"
        )
    return f"its tokeniser does not know {share:.0%} of the characters of the training texts" if share > SOME else ""


def _texts(example: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a model reads and writes of an example, each with the name of its part."""
    for name in ("text", "text_pair", "source", "target", "question", "context"):
        if isinstance(example.get(name), str):
            yield name, example[name]
    if isinstance(example.get("words"), list | tuple):
        yield "words", " ".join(map(str, example["words"]))


def _lost(head: Head, text: str, part: str) -> int:
    """Letters and signs that are not there any more after encoding and decoding."""
    tokenizer = head.tokenizer
    sided = part == "target" and head.pretrained.architecture == "encoder-decoder"  # tokenisers of others take no targets
    numbers = tokenizer(**{"text_target" if sided else "text": text}, add_special_tokens=False, verbose=False)["input_ids"]
    unknown = tokenizer.unk_token_id
    read = tokenizer.decode([number for number in numbers if number != unknown or unknown is None], skip_special_tokens=False)
    return sum((_letters(text) - _letters(read)).values())


def _letters(text: str) -> Counter[str]:
    """How often each letter or sign stands in a text, whatever its case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return Counter(sign for sign in plain if not unicodedata.combining(sign) and not sign.isspace() and sign.isprintable())
