"""Tokens of texts, as a model's tokeniser cuts them, without the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from harness.check.lengths import without_blanks

# Characters of a token where no tokeniser can be asked: usual for sub-words of English, and for scripts without blanks.
LETTERS, LETTERS_WITHOUT_BLANKS = 4.0, 1.5


class Counter:
    """Counts the tokens of texts, by a tokeniser's file or by the number of letters."""

    def __init__(self, file: Path | None):
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(file)) if file else None
        if self.tokenizer:
            self.tokenizer.no_truncation()
            self.tokenizer.no_padding()
        self.special = len(self.tokenizer.encode("").ids) if self.tokenizer else 2

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special ones left out."""
        if self.tokenizer:
            return [len(ids) for ids in self._ids(texts)]
        letters = LETTERS_WITHOUT_BLANKS if without_blanks(texts) else LETTERS
        return [math.ceil(len(text) / letters) for text in texts]

    def different(self, texts: Sequence[str], times: float) -> int | None:
        """Unlike tokens in `times` as much text as this; None without a tokeniser.

        By Heaps' law (Heaps 1978): they grow as a power of the text's length, which half of the texts and all of them tell.
        """
        if self.tokenizer is None or len(texts) < 2:
            return None
        ids = self._ids(texts)
        some = len({token for text in ids[::2] for token in text})
        every = len({token for text in ids for token in text})
        power = math.log2(every / some) if some else 0.0
        return min(round(every * max(1.0, times) ** power), self.tokenizer.get_vocab_size())

    def _ids(self, texts: Sequence[str]) -> list[Sequence[int]]:
        return [one.ids for one in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)]
