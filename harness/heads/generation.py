"""Text generation: its settings, and which way of generating gives the text that the model gives for each input alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from harness.heads import decoding
from harness.heads.base import accepted, grouped
from harness.heads.library_errors import LibraryError, library_errors

ANY, EQUAL, NONE = "any", "equal", "none"  # inputs to batch together: of any length, of equal length, none
TRIAL_TOKENS = 12  # tokens to generate when comparing two ways of generating
TIE = 1e-4  # of the range of all scores: tokens whose scores are this close are the same choice
CHECKPOINT_SETTINGS = (
    "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id", "bos_token_id", "begin_suppress_tokens",
)  # fmt: skip
Batch = dict[str, Tensor]
Generate = Callable[[PreTrainedModel, Batch, int], list[list[int]] | None]


def end_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """The token that ends a text."""
    ends = (tokenizer.eos_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id)
    return next(token for token in ends if token is not None)


def generation_config(
    checkpoint: GenerationConfig, tokenizer: PreTrainedTokenizerBase, max_new_tokens: int, num_beams: int
) -> GenerationConfig:
    """Settings for generation with the recipe's limits alone: a checkpoint's lengths, penalties and sampling are ignored.

    Tokens and phrases that the checkpoint bans stay banned, and so does padding: models that were trained with a score of
    minus infinity for it (Marian) would write nothing else.
    """
    end = end_token(tokenizer)
    banned = [list(phrase) for phrase in checkpoint.bad_words_ids or []]
    tokens = {phrase[0] for phrase in banned if len(phrase) == 1} | set(checkpoint.suppress_tokens or [])
    tokens = (tokens | {tokenizer.pad_token_id}) - {end}
    config = GenerationConfig(
        max_new_tokens=max_new_tokens,
        num_beams=num_beams,
        do_sample=False,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=end,
        suppress_tokens=sorted(tokens) or None,
        bad_words_ids=[phrase for phrase in banned if len(phrase) > 1] or None,
    )
    for name in CHECKPOINT_SETTINGS:
        setattr(config, name, getattr(checkpoint, name, None))
    return config


def start_like_labels(model: PreTrainedModel, config: GenerationConfig, labels: list[int], language: int | None) -> None:
    """Make generation start as the training labels do, whatever the checkpoint's configuration says.

    Args:
        model: how it shifts labels decides what the decoder starts from.
        config: changed in place.
        labels: of any text.
        language: the token of the target language, if there is one. It, or else a token that the checkpoint forces, is forced
            if the labels begin with it.
    """
    if not labels:
        return
    if hasattr(model, "prepare_decoder_input_ids_from_labels"):
        config.decoder_start_token_id = int(model.prepare_decoder_input_ids_from_labels(torch.tensor([labels]))[0, 0])
    forced = config.forced_bos_token_id if language is None else language
    config.forced_bos_token_id = forced if forced == labels[0] else None


def generate_by_loop(model: PreTrainedModel, batch: Batch, width: int) -> list[list[int]] | None:
    """Generate tokens by `harness.heads.decoding`, `width` texts at a time; None if it cannot serve the model."""
    if not decoding.covers(model):
        return None
    try:
        with library_errors("generation by the fast loop"):
            return decoding.decode(model, batch["input_ids"], batch["attention_mask"], width)
    except LibraryError:
        return None


def generate_by_library(model: PreTrainedModel, batch: Batch, width: int, together: str = ANY) -> list[list[int]]:
    """Generate tokens by `model.generate`.

    Args:
        model: its `generation_config` has the settings.
        batch: prompts padded on the left for a decoder, sources padded on the right for an encoder-decoder, sorted by length
            to save padding.
        width: the most texts to generate together.
        together: which inputs may be batched: `ANY`, `EQUAL` or `NONE`.
    """
    lengths = batch["attention_mask"].sum(1).tolist()
    keys = {ANY: [0] * len(lengths), EQUAL: lengths, NONE: list(range(len(lengths)))}[together]
    texts: dict[int, list[int]] = {}
    for group in grouped(range(len(lengths)), keys):
        for begin in range(0, len(group), width):
            rows = group[begin : begin + width]
            part = _without_padding(model, {key: tensor[rows] for key, tensor in batch.items()})
            output = model.generate(**accepted(model, part))
            output = output if model.config.is_encoder_decoder else output[:, part["input_ids"].shape[1] :]
            texts.update(zip(rows, output.tolist(), strict=True))
    return [texts[row] for row in range(len(lengths))]


def can_cache(model: PreTrainedModel, batch: Batch) -> bool:
    """Whether `generate` can cache keys and values for this model; if not, switch the cache off.

    Raises:
        LibraryError: generation works neither with a cache nor without.
    """
    config = model.generation_config
    limit, config.max_new_tokens, config.use_cache = config.max_new_tokens, 3, True
    try:
        with torch.inference_mode():
            try:
                with library_errors("generation with a cache"):
                    generate_by_library(model, batch, 1)
            except LibraryError:
                config.use_cache = False
                with library_errors():
                    generate_by_library(model, batch, 1)
    finally:
        config.max_new_tokens = limit
    return config.use_cache


def choose_generation(model: PreTrainedModel, mixed: Batch, same: Batch) -> tuple[bool, str]:
    """Find out which ways of generating give the texts that the library gives for each input alone.

    Args:
        model: in evaluation mode.
        mixed: a few inputs of different lengths.
        same: the first of them, several times.

    Returns:
        Whether the loop of this package does, and which inputs the library may batch together.
    """
    config = model.generation_config
    limit, config.max_new_tokens = config.max_new_tokens, min(TRIAL_TOKENS, config.max_new_tokens)
    ends = config.eos_token_id
    try:
        with torch.inference_mode():
            alone = generate_by_library(model, mixed, 1, NONE)
            # Make one text end early, so that the others go on without it.
            config.eos_token_id = [*([ends] if isinstance(ends, int) else ends), alone[-1][-1 - len(alone[-1]) // 2]]
            alone = generate_by_library(model, mixed, 1, NONE)
            trials = [(mixed, alone), (same, alone[:1] * len(same["input_ids"]))]
            loop = all(_gives(model, generate_by_loop, *trial) for trial in trials)
            if loop or all(_gives(model, generate_by_library, *trial) for trial in trials):
                return loop, ANY
            return False, EQUAL if _gives(model, generate_by_library, *trials[1]) else NONE
    finally:
        config.max_new_tokens, config.eos_token_id = limit, ends


def _gives(model: PreTrainedModel, generate: Generate, batch: Batch, expected: Sequence[list[int]]) -> bool:
    try:
        with library_errors("generation of several texts together"):
            texts = generate(model, batch, len(expected))
    except LibraryError:
        return False
    if texts is None:
        return False
    rows = zip(texts, expected, batch["input_ids"], batch["attention_mask"], strict=True)
    return all(_same_text(model, text, other, ids[mask.bool()]) for text, other, ids, mask in rows)


def _same_text(model: PreTrainedModel, one: list[int], other: list[int], ids: Tensor) -> bool:
    """Whether two generated texts are equal up to their end, or first differ in tokens of the same score."""
    one, other = (_up_to_end(model, tokens) for tokens in (one, other))
    position = next((i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    if position is None:
        return len(one) == len(other)
    if model.config.is_encoder_decoder and not position:  # the start token
        return False
    prefix = torch.tensor([one[:position]], dtype=torch.long, device=ids.device)
    if model.config.is_encoder_decoder:
        scores = model(input_ids=ids[None], decoder_input_ids=prefix).logits[0, -1].float()
    else:
        scores = model(input_ids=torch.cat([ids[None], prefix], 1)).logits[0, -1].float()
    return abs(float(scores[one[position]] - scores[other[position]])) <= TIE * float(scores.max() - scores.min())


def _up_to_end(model: PreTrainedModel, tokens: list[int]) -> list[int]:
    """Tokens up to the first end token; the decoder's start token may be one and does not count."""
    ends = model.generation_config.eos_token_id
    begin = 1 if model.config.is_encoder_decoder else 0
    end = next((i for i in range(begin, len(tokens)) if tokens[i] in ends), len(tokens))
    return tokens[: end + 1]


def _without_padding(model: PreTrainedModel, batch: Batch) -> Batch:
    """Drop the columns in which all rows have padding."""
    longest = int(batch["attention_mask"].sum(1).max())
    if model.config.is_encoder_decoder:
        return {key: tensor[:, :longest] for key, tensor in batch.items()}
    return {key: tensor[:, tensor.shape[1] - longest :] for key, tensor in batch.items()}
