"""Checks that a model's tokeniser keeps the texts of a task, and that the model has an embedding for each of its tokens."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import nn

from harness.adapt.frozen import backbone
from harness.errors import BenchError
from harness.heads.base import Head
from harness.models.load import word_embeddings

SAMPLE_ROWS = 50
SAMPLE_CHARACTERS = 2000  # of each text
MAX_LOST, NOTED_LOST = 0.8, 0.05  # shares of the characters: above the first nothing can be learned, above the second a note is made


def check_embeddings(model: nn.Module, head: Head, used: set[int]) -> None:
    """Check that the model has an embedding for every token id in `used`.

    Raises:
        BenchError: it has not.
    """
    table = word_embeddings(backbone(model))
    rows = getattr(table, "num_embeddings", None)
    largest = max(used, default=0)
    if rows is None or largest < rows:
        return
    token = head.tokenizer.convert_ids_to_tokens(largest)
    raise BenchError(
        f"model {head.pretrained.checkpoint.name!r}: token {token!r} has the number {largest}, the model has {rows} embeddings "
        f"(0 to {rows - 1}); its tokeniser and its weights do not belong together"
    )


def check_text(head: Head, examples: Sequence[Mapping[str, Any]]) -> str:
    """Encode texts, decode them again, and count the characters that are lost.

    Case, accents and white space do not count: many tokenisers drop them on purpose.

    Args:
        head: with the tokeniser.
        examples: of the training split.

    Returns:
        A note for the person who runs the cell; "" where hardly anything is lost.

    Raises:
        BenchError: nearly everything is lost.
    """
    total, lost = Counter[str](), Counter[str]()
    for example in examples:
        for part, text in _texts(example):
            total[part] += sum(_characters(text[:SAMPLE_CHARACTERS]).values())
            lost[part] += _lost(head, text[:SAMPLE_CHARACTERS], part)
    # Each part by itself: a model may know one of two languages.
    share = max((lost[part] / total[part] for part in total if total[part]), default=0.0)
    if share > MAX_LOST:
        worst = max(total, key=lambda part: lost[part] / max(1, total[part]))
        where = f" of {worst!r}" if len(total) > 1 else ""
        raise BenchError(
            f"model {head.pretrained.checkpoint.name!r}: its tokeniser knows {1 - share:.0%} of the characters{where} in the first "
            f"{len(examples)} training rows; it was made for another language or its files are missing; choose a model for these texts"
        )
    return f"its tokeniser does not know {share:.0%} of the characters of the training texts" if share > NOTED_LOST else ""


def _texts(example: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of everything that a model reads or generates for an example."""
    for name in ("text", "text_pair", "source", "target", "question", "context"):
        if isinstance(example.get(name), str):
            yield name, example[name]
    if isinstance(example.get("words"), list | tuple):
        yield "words", " ".join(map(str, example["words"]))


def _lost(head: Head, text: str, part: str) -> int:
    """Count the characters that are missing after encoding and decoding."""
    tokenizer = head.tokenizer
    is_target = part == "target" and head.pretrained.architecture == "encoder-decoder"  # others know no `text_target`
    ids = tokenizer(**{"text_target" if is_target else "text": text}, add_special_tokens=False, verbose=False)["input_ids"]
    unknown = tokenizer.unk_token_id
    decoded = tokenizer.decode([token for token in ids if token != unknown or unknown is None], skip_special_tokens=False)
    return sum((_characters(text) - _characters(decoded)).values())


def _characters(text: str) -> Counter[str]:
    """Count the letters and signs of a text, without case, accents and white space."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return Counter(sign for sign in plain if not unicodedata.combining(sign) and not sign.isspace() and sign.isprintable())
