"""Does a tokeniser read a task's texts, or does it lose them?"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.errors import BenchError
from harness.heads.base import Head

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
