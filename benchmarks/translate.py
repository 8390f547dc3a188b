"""Translation with the library's Trainers, as run_translation and the usual recipes for other architectures do it.

An encoder-decoder has `Seq2SeqTrainer`; an encoder becomes one with `EncoderDecoderModel`; a decoder has the plain Trainer on
source, separator and target in one row, and `generate` batch by batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from datasets import Dataset
from fit import OrderedSeq2SeqTrainer, OrderedTrainer, Score, Way, fit
from transformers import (
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    EncoderDecoderModel,
    GenerationConfig,
    set_seed,
)

Rows = Sequence[dict[str, Any]]
SEPARATOR = "\n=\n"


def translate(model: str, splits: dict[str, Rows], recipe: Any, seed: int, way: Way, score: Score) -> list[str]:
    """A text for each test row."""
    set_seed(seed)
    config = AutoConfig.from_pretrained(model)
    encoder = not config.is_encoder_decoder and type(config) in MODEL_FOR_MASKED_LM_MAPPING
    work = sequence_to_sequence if config.is_encoder_decoder or encoder else continue_prompt
    return work(model, splits, recipe, seed, way, score, encoder)


def sequence_to_sequence(
    model: str, splits: dict[str, Rows], recipe: Any, seed: int, way: Way, score: Score, encoder: bool
) -> list[str]:
    """Models that read with an encoder and write with a decoder."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    if encoder:
        network = EncoderDecoderModel.from_encoder_decoder_pretrained(model, model)
        network.config.decoder_start_token_id = tokenizer.cls_token_id
        network.config.pad_token_id = tokenizer.pad_token_id
    else:
        network = AutoModelForSeq2SeqLM.from_pretrained(model)
    start = network.config.decoder_start_token_id
    network.generation_config = generation(tokenizer, recipe, decoder_start_token_id=start)

    def encode(rows: Rows) -> Dataset:
        inputs = tokenizer([row["source"] for row in rows], truncation=True, max_length=recipe.max_length)
        limit = recipe.max_target_length + encoder
        targets = tokenizer(text_target=[row["target"][0] for row in rows], truncation=True, max_length=limit)
        # The decoder of a BERT starts from CLS, so that is no label.
        labels = [ids[1:] if encoder else ids for ids in targets["input_ids"]]
        kept = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        return Dataset.from_dict({**kept, "labels": labels})

    collator = DataCollatorForSeq2Seq(tokenizer, network, pad_to_multiple_of=way.pad_to)
    data = {name: encode(rows) for name, rows in splits.items()}
    found = fit(network, tokenizer, collator, data, recipe, seed, way,
                lambda ids: score(texts(tokenizer, ids)), OrderedSeq2SeqTrainer)  # fmt: skip
    return texts(tokenizer, found)


def continue_prompt(
    model: str, splits: dict[str, Rows], recipe: Any, seed: int, way: Way, score: Score, encoder: bool
) -> list[str]:
    """Decoders."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    network = AutoModelForCausalLM.from_pretrained(model)
    network.generation_config = generation(tokenizer, recipe)

    def plain(texts: list[str], limit: int) -> list[list[int]]:
        return tokenizer(texts, add_special_tokens=False, truncation=True, max_length=limit)["input_ids"]

    separator = plain([SEPARATOR], 10)[0]
    positions = getattr(network.config, "max_position_embeddings", None) or 10**9
    room = min(recipe.max_length, positions - recipe.max_target_length) - len(separator)

    def encode(rows: Rows, training: bool) -> Dataset:
        prompts = [ids + separator for ids in plain([row["source"] for row in rows], room)]
        if not training:
            return Dataset.from_dict({"input_ids": prompts, "attention_mask": [[1] * len(ids) for ids in prompts]})
        ends = [
            ids + [tokenizer.eos_token_id]
            for ids in plain([row["target"][0] for row in rows], recipe.max_target_length - 1)
        ]
        whole = [prompt + end for prompt, end in zip(prompts, ends, strict=True)]
        labels = [[-100] * len(prompt) + end for prompt, end in zip(prompts, ends, strict=True)]
        return Dataset.from_dict(
            {"input_ids": whole, "attention_mask": [[1] * len(ids) for ids in whole], "labels": labels}
        )

    training = DataCollatorForSeq2Seq(tokenizer, pad_to_multiple_of=way.pad_to)

    def collate(rows: list[dict[str, Any]]) -> Any:
        # The next token is written behind the last one, so prompts are padded on the left.
        tokenizer.padding_side = "right" if "labels" in rows[0] else "left"
        return training(rows) if "labels" in rows[0] else tokenizer.pad(rows, return_tensors="pt")

    data = {name: encode(rows, name == "train") for name, rows in splits.items()}
    found = fit(network, tokenizer, collate, data, recipe, seed, way,
                lambda ids: score(texts(tokenizer, ids)), PromptTrainer)  # fmt: skip
    return texts(tokenizer, found)


class PromptTrainer(OrderedTrainer):
    """The plain Trainer with `generate` as its prediction, as `Seq2SeqTrainer` has it for the other architectures."""

    def prediction_step(self, model: Any, inputs: Any, prediction_loss_only: bool, ignore_keys: Any = None) -> Any:
        inputs = self._prepare_inputs(inputs)
        written = self.model.generate(**inputs)[:, inputs["input_ids"].size(1) :]
        return None, written, inputs["input_ids"]  # an evaluation without labels would not be scored


def generation(tokenizer: Any, recipe: Any, **more: Any) -> GenerationConfig:
    """Search with the recipe's limits alone."""
    ends = (tokenizer.eos_token_id, tokenizer.sep_token_id)
    return GenerationConfig(
        max_new_tokens=recipe.max_target_length, num_beams=recipe.num_beams, do_sample=False,
        pad_token_id=tokenizer.pad_token_id, eos_token_id=next(end for end in ends if end is not None), **more,
    )  # fmt: skip


def texts(tokenizer: Any, ids: np.ndarray) -> list[str]:
    """Token ids [rows, tokens], filled up with -100, as texts."""
    known = np.where(ids == -100, tokenizer.pad_token_id, ids)
    return [text.strip() for text in tokenizer.batch_decode(known, skip_special_tokens=True)]
