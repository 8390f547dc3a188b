"""The greedy decoding loop: which texts are generated together, when finished texts make room, and when a text ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import Tensor
from transformers import PreTrainedModel

from harness.heads.decoding.caches import Prefill, RowCache
from harness.heads.decoding.cpu_operators import fast_operators, precision
from harness.heads.decoding.forward_passes import DecoderPasses, EncoderDecoderPasses

# Share of the rows that must be finished before new texts take their place, or before the other rows go on without them.
FINISHED_SHARE = 1 / 4
# Without continuous batching, start up to WIDER times the width as long as keys and values take at most CACHE_BYTES: more
# rows mean fewer passes, but each pass reads them all, and they should stay in the processor's last cache.
WIDER = 4
CACHE_BYTES = 1 << 26
ENCODER_CHUNK = 1024  # tokens that the encoder reads at a time on a CPU: activations of more do not fit into the near caches
GPU_STEPS = 8  # steps between two checks for finished texts on a GPU, each of which waits for it


def decode(
    model: PreTrainedModel, ids: Tensor, mask: Tensor, width: int, check_every: int | None = None,
    continuous: bool | None = None,
) -> list[list[int]]:  # fmt: skip
    """Generate the tokens that `model.generate` would, without padding, end tokens included.

    Texts start in the order of their length, longest first. Finished texts make room for new ones while others are in work
    (`continuous`), or are dropped until all are done.

    Args:
        model: a model that `covers` accepts.
        ids: prompts or sources, [texts, columns]; padded on the left for a decoder, on the right for an encoder-decoder.
        mask: 0 for padding, of the same shape.
        width: texts in work at a time, roughly.
        check_every: steps between two checks for finished texts; None: by the device.
        continuous: whether new texts may start while others are in work, if the model allows it; None: by the precision.

    Returns:
        The tokens of each text after its prompt; for an encoder-decoder all tokens, including the start token.
    """
    check_every = check_every or (1 if ids.device.type == "cpu" else GPU_STEPS)
    cpu_precision = precision(model)
    continuous = cpu_precision != torch.float32 if continuous is None else continuous
    with fast_operators(model) if cpu_precision else nullcontext():
        return _GreedyLoop(model, ids, mask, width, check_every, continuous, bool(cpu_precision)).run()


class _GreedyLoop:
    def __init__(
        self, model: PreTrainedModel, ids: Tensor, mask: Tensor, width: int, check_every: int, continuous: bool, fast: bool
    ):
        config = model.generation_config
        self.crossed = model.config.is_encoder_decoder
        self.passes = EncoderDecoderPasses(model, ENCODER_CHUNK if fast else None) if self.crossed else DecoderPasses(model)
        self.continuous = continuous and self.passes.continuous
        self.ids, self.mask = ids, mask
        self.lengths: list[int] = mask.sum(1).tolist()
        self.waiting = deque(sorted(range(len(ids)), key=lambda text: -self.lengths[text]))
        self.generated: list[list[int]] = [[] for _ in self.lengths]
        self.limit = config.max_new_tokens
        self.forced_first, self.forced_last = config.forced_bos_token_id, config.forced_eos_token_id
        ends = config.eos_token_id
        self.ends = frozenset([ends] if isinstance(ends, int) else ends or [])
        self.suppressed = torch.tensor(config.suppress_tokens or [], dtype=torch.long, device=ids.device)
        self.check_every = check_every
        self.width = self._static_width(width) if fast and not self.continuous else width
        self.texts: list[int | None] = []  # the text of each row; None if finished
        self.free: list[int] = []  # rows of finished texts
        self.rows: RowCache | None = None
        self.tokens = ids.new_empty(0)  # the last token of each row

    def run(self) -> list[list[int]]:
        while True:
            if len(self.free) == len(self.texts):
                if not self.waiting:
                    break
                self._start()
            elif len(self.free) < max(1, FINISHED_SHARE * len(self.texts)):
                self._step()
            elif self.waiting and self.continuous:
                self._refill()
            else:
                self._drop_finished()
        start = [self.passes.start] if self.crossed else []
        return [start + tokens for tokens in self.generated]

    def _static_width(self, width: int) -> int:
        """The number of rows to start with when no text starts later."""
        if len(self.waiting) <= width:
            return width
        longest = self.waiting[0]
        own, crossed = self._prefill([longest]).column_bytes()
        length = self.lengths[longest]
        row_bytes = own * (self.limit + (1 if self.crossed else length)) + crossed * length
        return max(width, min(WIDER * width, CACHE_BYTES // row_bytes))

    def _start(self) -> None:
        """Start new texts in all rows."""
        self.texts, self.free = self._next(self.width), []
        prefill = self._prefill(self.texts)
        self.rows = RowCache(prefill, self.limit)
        self.tokens = self._choose(prefill.logits, [0] * len(self.texts))
        self._append(range(len(self.texts)), self.tokens[:, None].tolist())

    def _refill(self) -> None:
        """Start new texts in the rows of finished ones."""
        texts = self._next(len(self.free))
        rows, self.free = self.free[: len(texts)], self.free[len(texts) :]
        prefill = self._prefill(texts)
        self.rows.replace(rows, prefill)
        tokens = self._choose(prefill.logits, [0] * len(texts))
        self.tokens[torch.tensor(rows, device=tokens.device)] = tokens
        for row, text in zip(rows, texts, strict=True):
            self.texts[row] = text
        self._append(rows, tokens[:, None].tolist())

    def _drop_finished(self) -> None:
        """Go on without the rows of finished texts."""
        active = self._active()
        self.rows.select(active)
        self.texts, self.free = [self.texts[row] for row in active], []
        self.tokens = self.tokens[torch.tensor(active, device=self.tokens.device)]

    def _step(self) -> None:
        """Generate one token for each row, or several between two checks; tokens after an end are discarded."""
        counts = [self.limit if text is None else len(self.generated[text]) for text in self.texts]
        recent = []
        for _ in range(min(self.check_every, self.limit - min(counts))):
            logits = self.passes.step(self.tokens, self.rows)
            self.rows.advance()
            self.tokens = self._choose(logits, counts)
            counts = [count + 1 for count in counts]
            recent.append(self.tokens)
        self._append(range(len(self.texts)), torch.stack(recent, 1).tolist())

    def _next(self, count: int) -> list[int]:
        return [self.waiting.popleft() for _ in range(min(count, len(self.waiting)))]

    def _active(self) -> list[int]:
        return [row for row, text in enumerate(self.texts) if text is not None]

    def _prefill(self, texts: Sequence[int]) -> Prefill:
        lengths = [self.lengths[text] for text in texts]
        index = torch.tensor(texts, device=self.ids.device)
        columns = slice(0, max(lengths)) if self.crossed else slice(self.ids.shape[1] - max(lengths), None)
        return self.passes.prefill(self.ids[index, columns], self.mask[index, columns], lengths)

    def _choose(self, logits: Tensor, counts: Sequence[int]) -> Tensor:
        """The best token of each row, or the forced one, given how many tokens each row has generated."""
        if len(self.suppressed):
            logits[:, self.suppressed] = -torch.inf
        tokens = _argmax(logits)
        if self.forced_first is not None and not any(counts):
            tokens = torch.full_like(tokens, self.forced_first)
        if self.forced_last is not None:
            last = torch.tensor([count == self.limit - 1 for count in counts], device=tokens.device)
            tokens = tokens.masked_fill(last, self.forced_last)
        return tokens

    def _append(self, rows: Sequence[int], new_tokens: list[list[int]]) -> None:
        """Append the new tokens of these rows to their texts, up to the end of each text."""
        finished = len(self.free)
        for row, tokens in zip(rows, new_tokens, strict=True):
            text = self.texts[row]
            for token in tokens if text is not None else ():
                self.generated[text].append(token)
                if token in self.ends or len(self.generated[text]) >= self.limit:
                    self.texts[row] = None
                    self.free.append(row)
                    break
        if len(self.free) > finished:
            self.rows.trim(self._active())


def _argmax(scores: Tensor) -> Tensor:
    """The first best token of each row. NumPy's argmax is vectorised, PyTorch's on a CPU is not."""
    if scores.device.type == "cpu" and scores.dtype != torch.float64:
        return torch.from_numpy(scores.float().numpy().argmax(-1))
    return scores.argmax(-1)
