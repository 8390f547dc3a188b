"""Writing texts with a model: which of the ways of doing it gives what the model writes for each text alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from harness.heads import decoding
from harness.heads.base import accepted, grouped
from harness.heads.unable import Unable, computing

ANY, EQUAL, NONE = "any", "equal", "none"  # texts that may be written together: of any length, of equal length, each alone
TRIED = 12  # tokens that are written to compare two ways of writing
TIE = 1e-4  # of the range of all scores: words this close are the same choice
Batch = dict[str, Tensor]
Way = Callable[[PreTrainedModel, Batch, int], list[list[int]]]


def by_loop(model: PreTrainedModel, batch: Batch, width: int) -> list[list[int]] | None:
    """The tokens that the loop of this package writes, `width` texts at a time; None where it does not serve."""
    if not decoding.covers(model):
        return None
    try:
        with computing("writing by the quick loop"):
            return decoding.decode(model, batch["input_ids"], batch["attention_mask"], width)
    except Unable:
        return None


def by_library(model: PreTrainedModel, batch: Batch, width: int, together: str = ANY) -> list[list[int]]:
    """The tokens that `generate` writes, `width` texts at a time.

    Args:
        model: with the settings of its `generation_config`.
        batch: prompts padded at the left for a decoder, sources padded at the right for an encoder; in the order of length, so that
            each part has less padding.
        width: texts that are written together, at most.
        together: which may be, `ANY`, `EQUAL` or `NONE`.
    """
    lengths = batch["attention_mask"].sum(1).tolist()
    keys = {ANY: [0] * len(lengths), EQUAL: lengths, NONE: list(range(len(lengths)))}[together]
    written: dict[int, list[int]] = {}
    for group in grouped(range(len(lengths)), keys):
        for begin in range(0, len(group), width):
            numbers = group[begin : begin + width]
            part = _without_padding(model, {key: rows[numbers] for key, rows in batch.items()})
            made = model.generate(**accepted(model, part))
            made = made if model.config.is_encoder_decoder else made[:, part["input_ids"].shape[1] :]
            written.update(zip(numbers, made.tolist(), strict=True))
    return [written[number] for number in range(len(lengths))]


def can_cache(model: PreTrainedModel, batch: Batch) -> bool:
    """Whether `generate` works for a model with a cache of keys and values; if not, that is switched off.

    Raises:
        Unable: it works neither with a cache nor without.
    """
    config = model.generation_config
    limit, config.max_new_tokens, config.use_cache = config.max_new_tokens, 3, True
    try:
        with torch.inference_mode():
            try:
                with computing("writing with a cache"):
                    by_library(model, batch, 1)
            except Unable:
                config.use_cache = False
                with computing():
                    by_library(model, batch, 1)
    finally:
        config.max_new_tokens = limit
    return config.use_cache


def settle(model: PreTrainedModel, unlike: Batch, same: Batch) -> tuple[bool, str]:
    """Try which ways of writing give what the library writes for each text alone.

    Args:
        model: in evaluation mode.
        unlike: a few texts of unlike length.
        same: its first text, several times.

    Returns:
        Whether the loop of this package does, and which texts the library may write together.
    """
    config = model.generation_config
    limit, config.max_new_tokens = config.max_new_tokens, min(TRIED, config.max_new_tokens)
    ends = config.eos_token_id
    try:
        with torch.inference_mode():
            alone = by_library(model, unlike, 1, NONE)
            # One text ends early, so that the others go on without it.
            config.eos_token_id = [*([ends] if isinstance(ends, int) else ends), alone[-1][-1 - len(alone[-1]) // 2]]
            alone = by_library(model, unlike, 1, NONE)
            trials = [(unlike, alone), (same, alone[:1] * len(same["input_ids"]))]
            loop = all(_agrees(model, by_loop, *trial) for trial in trials)
            if loop or all(_agrees(model, by_library, *trial) for trial in trials):
                return loop, ANY
            return False, EQUAL if _agrees(model, by_library, *trials[1]) else NONE
    finally:
        config.max_new_tokens, config.eos_token_id = limit, ends


def _agrees(model: PreTrainedModel, way: Way, batch: Batch, alone: Sequence[list[int]]) -> bool:
    try:
        with computing("writing texts together"):
            written = way(model, batch, len(alone))
    except Unable:
        return False
    if written is None:
        return False
    rows = zip(written, alone, batch["input_ids"], batch["attention_mask"], strict=True)
    return all(_alike(model, one, other, ids[mask.bool()]) for one, other, ids, mask in rows)


def _alike(model: PreTrainedModel, one: list[int], other: list[int], read: Tensor) -> bool:
    """Whether two texts of tokens are equal up to their end, but for words that the model gives the same score."""
    one, other = (_ended(model, tokens) for tokens in (one, other))
    place = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    if place is None:
        return len(one) == len(other)
    if model.config.is_encoder_decoder and not place:  # what a decoder starts from
        return False
    written = torch.tensor([one[:place]], dtype=torch.long, device=read.device)
    if model.config.is_encoder_decoder:
        scores = model(input_ids=read[None], decoder_input_ids=written).logits[0, -1].float()
    else:
        scores = model(input_ids=torch.cat([read[None], written], 1)).logits[0, -1].float()
    return abs(float(scores[one[place]] - scores[other[place]])) <= TIE * float(scores.max() - scores.min())


def _ended(model: PreTrainedModel, tokens: list[int]) -> list[int]:
    """Tokens up to the first end; the decoder's start token may be one and does not count."""
    ends = model.generation_config.eos_token_id
    begin = 1 if model.config.is_encoder_decoder else 0
    places = [at for at, token in enumerate(tokens) if at >= begin and token in ends]
    return tokens[: places[0] + 1] if places else tokens


def _without_padding(model: PreTrainedModel, batch: Batch) -> Batch:
    """The columns that the longest row fills."""
    longest = int(batch["attention_mask"].sum(1).max())
    if model.config.is_encoder_decoder:
        return {key: rows[:, :longest] for key, rows in batch.items()}
    return {key: rows[:, rows.shape[1] - longest :] for key, rows in batch.items()}
