"""The loop: which texts are written together, when a finished one makes room, and when a text ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import Tensor
from transformers import PreTrainedModel

from harness.heads.decoding.covers import Begun
from harness.heads.decoding.rows import CacheRows
from harness.heads.decoding.steps import DecoderSteps, EncoderDecoderSteps, quick
from harness.linear import precision

# Share of the rows that are finished before others take their place, or before the rest goes on without them.
SHARE = 1 / 4
# Where none join later, so many times the width are begun together, as far as keys and values stay below these bytes: more
# rows are fewer passes, but they are read in each of them and should not leave a processor's last cache for good.
TOGETHER = 4
HELD = 1 << 26
PART = 1024  # tokens that an encoder reads at a time there: what its layers make of more does not fit into the nearest caches
STEPS = 8  # between two looks at the tokens of a GPU, which has to be waited for


def decode(
    model: PreTrainedModel, ids: Tensor, mask: Tensor, width: int, looks: int | None = None, joins: bool | None = None
) -> list[list[int]]:
    """Tokens as `model.generate` would give them for all texts at once: without padding, the end token included.

    Texts are begun in the order of their length, longest first. Those that are finished make room for the next ones while
    others are under way (`joins`), or are left out until all are done.

    Args:
        model: one that `covers` holds for.
        ids: prompts or sources, (texts, columns), padded at the left for a decoder and at the right for an encoder.
        mask: 0 for padding, of the same shape.
        width: texts in work at a time, on average about.
        looks: steps between two looks at what was written; None: what suits the device.
        joins: whether texts may begin while others are under way, in models that can do so; None: what suits the precision.

    Returns:
        For each text the tokens behind its prompt, or for an encoder-decoder all tokens, its start token included.
    """
    looks = looks or (1 if ids.device.type == "cpu" else STEPS)
    served = precision(model)
    joins = served != torch.float32 if joins is None else joins
    with quick(model) if served else nullcontext():
        return _Work(model, ids, mask, width, looks, joins, bool(served)).run()


class _Work:
    def __init__(
        self, model: PreTrainedModel, ids: Tensor, mask: Tensor, width: int, looks: int, joins: bool, fast: bool
    ):
        config = model.generation_config
        self.crossed = model.config.is_encoder_decoder
        part = PART if fast else None
        self.steps = EncoderDecoderSteps(model, part) if self.crossed else DecoderSteps(model)
        self.joins = joins and self.steps.joins
        self.ids, self.mask = ids, mask
        self.lengths: list[int] = mask.sum(1).tolist()
        self.waiting = deque(sorted(range(len(ids)), key=lambda text: -self.lengths[text]))
        self.written: list[list[int]] = [[] for _ in self.lengths]
        self.limit, self.first, self.last = (
            config.max_new_tokens,
            config.forced_bos_token_id,
            config.forced_eos_token_id,
        )
        ends = config.eos_token_id
        self.ends = frozenset([ends] if isinstance(ends, int) else ends or [])
        self.never = torch.tensor(config.suppress_tokens or [], dtype=torch.long, device=ids.device)
        self.looks = looks
        self.width = self._together(width) if fast and not self.joins else width
        self.texts: list[int | None] = []  # by row; None where the text is finished
        self.free: list[int] = []  # rows of finished texts
        self.rows: CacheRows | None = None
        self.tokens = ids.new_empty(0)  # last written, by row

    def run(self) -> list[list[int]]:
        while True:
            if len(self.free) == len(self.texts):
                if not self.waiting:
                    break
                self._open()
            elif len(self.free) < max(1, SHARE * len(self.texts)):
                self._step()
            elif self.waiting and self.joins:
                self._join()
            else:
                self._narrow()
        start = [self.steps.start] if self.crossed else []
        return [start + tokens for tokens in self.written]

    def _together(self, width: int) -> int:
        """Rows to begin with where none join later."""
        if len(self.waiting) <= width:
            return width
        longest = self.waiting[0]
        own, crossed = self._begin([longest]).column()
        read = self.lengths[longest]
        most = own * (self.limit + (1 if self.crossed else read)) + crossed * read
        return max(width, min(TOGETHER * width, HELD // most))

    def _open(self) -> None:
        """Begin with texts in all rows."""
        self.texts, self.free = self._next(self.width), []
        begun = self._begin(self.texts)
        self.rows = CacheRows(begun, self.limit)
        self.tokens = self._choose(begun.logits, 0)
        self._take(range(len(self.texts)), [[token] for token in self.tokens.tolist()])

    def _join(self) -> None:
        """Begin with other texts in the rows of finished ones."""
        texts = self._next(len(self.free))
        free, self.free = self.free[: len(texts)], self.free[len(texts) :]
        begun = self._begin(texts)
        self.rows.put(free, begun)
        first = self._choose(begun.logits, 0)
        self.tokens[torch.tensor(free, device=first.device)] = first
        for row, text in zip(free, texts, strict=True):
            self.texts[row] = text
        self._take(free, [[token] for token in first.tolist()])

    def _narrow(self) -> None:
        """Go on without the rows of finished texts."""
        living = [row for row, text in enumerate(self.texts) if text is not None]
        self.rows.keep(living)
        self.texts, self.free = [self.texts[row] for row in living], []
        self.tokens = self.tokens[torch.tensor(living, device=self.tokens.device)]

    def _step(self) -> None:
        """One token for each row, or several where looking at them is slow; what is written behind an end is not taken."""
        counts = [self.limit if text is None else len(self.written[text]) for text in self.texts]
        recent = []
        for _ in range(min(self.looks, self.limit - min(counts))):
            logits = self.steps.step(self.tokens, self.rows)
            self.rows.advance()
            self.tokens = self._choose(logits, counts)
            counts = [count + 1 for count in counts]
            recent.append(self.tokens)
        self._take(range(len(self.texts)), torch.stack(recent, 1).tolist())

    def _next(self, count: int) -> list[int]:
        return [self.waiting.popleft() for _ in range(min(count, len(self.waiting)))]

    def _begin(self, texts: Sequence[int]) -> Begun:
        lengths = [self.lengths[text] for text in texts]
        where = torch.tensor(texts, device=self.ids.device)
        columns = slice(0, max(lengths)) if self.crossed else slice(self.ids.shape[1] - max(lengths), None)
        return self.steps.begin(self.ids[where, columns], self.mask[where, columns], lengths)

    def _choose(self, logits: Tensor, written: int | Sequence[int]) -> Tensor:
        """The best token of each row, or the one that must be there, given how many are written."""
        if len(self.never):
            logits[:, self.never] = -torch.inf
        tokens = _best(logits)
        if written == 0 and self.first is not None:
            tokens = torch.full_like(tokens, self.first)
        if self.last is not None:
            counts = [written] * len(tokens) if isinstance(written, int) else written
            due = torch.tensor([count == self.limit - 1 for count in counts], device=tokens.device)
            tokens = tokens.masked_fill(due, self.last)
        return tokens

    def _take(self, rows: Sequence[int], written: list[list[int]]) -> None:
        """Note what was written in these rows, up to the end of each text."""
        finished = len(self.free)
        for row, tokens in zip(rows, written, strict=True):
            text = self.texts[row]
            for token in tokens if text is not None else ():
                self.written[text].append(token)
                if token in self.ends or len(self.written[text]) >= self.limit:
                    self.texts[row] = None
                    self.free.append(row)
                    break
        if len(self.free) > finished:
            self.rows.forget([row for row, text in enumerate(self.texts) if text is not None])


def _best(scores: Tensor) -> Tensor:
    """The first best token of each row. NumPy's argmax is vectorised, PyTorch's on a CPU is not."""
    if scores.device.type == "cpu" and scores.dtype != torch.float64:
        return torch.from_numpy(scores.float().numpy().argmax(-1))
    return scores.argmax(-1)
