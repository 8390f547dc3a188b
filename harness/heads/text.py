"""Text to text: translation and whatever else is written out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, GenerationConfig, PreTrainedModel

from harness.heads import writing
from harness.heads.base import IGNORE, Feature, Head, accepted
from harness.heads.language_tokens import Languages, begin_alike, set_languages
from harness.heads.warm_start import warm_started
from harness.languages import ENGLISH_NAMES, base_code
from harness.models.load import Pretrained
from harness.recipe import Recipe

# Scores are computed for a multiple of so many tokens: a processor's kernels are made for each number of them.
PLACES = 32
NOTES = {
    writing.EQUAL: "padding changes what this model writes, so only texts of equal length are written together",
    writing.NONE: "other texts change what this model writes, so each is written alone",
}


class TextHead(Head):
    """Reads examples `{"source": str, "target": str}`; gives the generated text for each.

    This class serves models with an encoder and a decoder: native ones, and encoders with a warm-started decoder.
    """

    writes = True
    loop = True  # tokens are written by the loop of this package where it serves the model; False: by the library
    cached = True  # keys and values of what was written are kept; False: the library cannot do so for this model
    together = writing.ANY  # texts that the library may write together
    pool = 16  # prompts are small; the more of them there are to choose from, the longer every row has work

    def __init__(
        self, pretrained: Pretrained, recipe: Recipe, labels: Sequence[str] | None, options: Mapping[str, Any]
    ):
        super().__init__(pretrained, recipe, labels, options)
        self.languages = Languages()
        if pretrained.architecture == "encoder-decoder":
            rows = getattr(pretrained.config, "vocab_size", None)
            self.languages = set_languages(self.tokenizer, options, pretrained.checkpoint.name, rows)

    @classmethod
    def for_architecture(cls, architecture: str) -> type[Head]:
        return PromptedTextHead if architecture == "decoder" else cls

    def build(self) -> nn.Module:
        if self.pretrained.architecture == "encoder":
            model = warm_started(self.pretrained, self.tokenizer, self.max_written)
        else:
            model = self.pretrained.load(AutoModelForSeq2SeqLM, self.pretrained.configure())
        return self._decide_generation(model)

    def _decide_generation(self, model: PreTrainedModel) -> PreTrainedModel:
        """Search with the recipe's limits alone: checkpoints bring lengths, penalties and sampling of their own."""
        kept = (
            "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id", "bos_token_id", "begin_suppress_tokens",
        )  # fmt: skip
        given = model.generation_config
        never, phrases = self._never_written(given)
        config = GenerationConfig(
            max_new_tokens=self.max_written,
            num_beams=self.recipe.num_beams,
            do_sample=False,
            pad_token_id=self.tokenizer.pad_token_id,
            eos_token_id=self._end(),
            suppress_tokens=never or None,
            bad_words_ids=phrases or None,
        )
        for name in kept:
            setattr(config, name, getattr(given, name, None))
        if self.pretrained.architecture == "encoder-decoder":
            begin_alike(model, config, self._whole_targets(["a"])[0], self.languages.token)
        model.generation_config = config
        return model

    def _never_written(self, given: GenerationConfig) -> tuple[list[int], list[list[int]]]:
        """The single tokens and the sequences of tokens that a checkpoint must not write.

        Padding is one of the tokens: models that were trained with a score of minus infinity for it (Marian) write nothing else.
        """
        banned = [list(phrase) for phrase in given.bad_words_ids or []]
        single = {phrase[0] for phrase in banned if len(phrase) == 1} | set(given.suppress_tokens or [])
        single = (single | {self.tokenizer.pad_token_id}) - {self._end()}
        return sorted(single), [phrase for phrase in banned if len(phrase) > 1]

    def _end(self) -> int:
        """The token that ends a text."""
        ends = (self.tokenizer.eos_token_id, self.tokenizer.sep_token_id, self.tokenizer.pad_token_id)
        return next(token for token in ends if token is not None)

    def encode(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        sources = [self._prefix() + example["source"] for example in examples]
        whole = self.tokenizer(sources, verbose=False)["input_ids"]
        self.truncated = sum(len(ids) > self.max_length for ids in whole)
        encoded = self.tokenizer(sources, truncation=True, max_length=self.max_length, return_attention_mask=True)
        targets = self._targets([example["target"] for example in examples]) if training else []
        features = []
        for number in range(len(examples)):
            inputs = {key: encoded[key][number] for key in ("input_ids", "attention_mask")}
            if training:
                inputs["labels"] = targets[number]
            features.append(Feature(number, inputs))
        return features

    def needs(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
        sources = [self._prefix() + example["source"] for example in examples]
        read = self.tokenizer(sources, verbose=False)["input_ids"]
        written = self._whole_targets([example["target"] for example in examples])
        return {"max_length": [len(ids) for ids in read], "max_target_length": [len(ids) for ids in written]}

    def _prefix(self) -> str:
        """What the checkpoint was trained to read before a text in this pair of languages (T5's "translate English to …: ")."""
        if self.languages.prefix:
            return self.languages.prefix
        pair = "_to_".join(base_code(self.options.get(f"{side}_language")) for side in ("source", "target"))
        trained = getattr(self.pretrained.config, "task_specific_params", None) or {}
        return trained.get(f"translation_{pair}", {}).get("prefix") or self._known_prefix()

    def _known_prefix(self) -> str:
        """What the registry knows of it, where the checkpoint's own configuration says nothing of this pair."""
        names = [ENGLISH_NAMES.get(base_code(self.options.get(f"{side}_language"))) for side in ("source", "target")]
        return self.pretrained.checkpoint.prefix.format(source=names[0], target=names[1]) if all(names) else ""

    def _targets(self, targets: list[str]) -> list[list[int]]:
        """Label ids. Native models keep their tokeniser's own layout; for a warm-started one the first token (CLS) is what
        the decoder starts from, so it is no label."""
        limit, whole = self.max_written, self._whole_targets(targets)
        if self.pretrained.architecture == "encoder-decoder":
            cut = self.tokenizer(text_target=targets, truncation=True, max_length=limit)["input_ids"]
        else:
            cut = [row[:-1][: limit - 1] + [self._end()] for row in whole]
        self.truncated += sum(len(row) > limit for row in whole)
        return cut

    def _whole_targets(self, targets: list[str]) -> list[list[int]]:
        """The same, uncut."""
        if self.pretrained.architecture == "encoder-decoder":
            return self.tokenizer(text_target=targets, verbose=False)["input_ids"]
        return [row + [self._end()] for row in self._plain(targets)]

    def _plain(self, texts: list[str]) -> list[list[int]]:
        """Token ids without special tokens."""
        return self.tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"] if texts else []

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """Cross-entropy over the target's tokens. Only their scores over the vocabulary are computed: most of the work of a
        small model would be scores of padding and of prompts."""
        labels = batch["labels"]
        inputs, places = self._teach(
            model, {name: tensor for name, tensor in batch.items() if name != "labels"}, labels
        )
        written = labels[labels != IGNORE]
        more = -len(written) % PLACES
        with scoring_only(model.get_output_embeddings(), places, more):
            logits = model(**accepted(model, inputs)).logits
        if logits.shape[:2] == places.shape and logits.shape[:2] != (1, len(written) + more):
            logits, more = logits[places], 0  # the output layer was given something else than states of tokens (ProphetNet)
        return nn.functional.cross_entropy(
            logits.flatten(0, -2).float(), nn.functional.pad(written, (0, more), value=IGNORE), ignore_index=IGNORE
        )

    def _teach(self, model: nn.Module, inputs: dict[str, Tensor], labels: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """What the model reads to write `labels`, and [rows, width] where a label is written."""
        return {**inputs, "decoder_input_ids": _one_later(model, labels)}, labels != IGNORE

    def predict(self, model: nn.Module, batch: dict[str, Tensor]) -> list[str]:
        width = self.recipe.eval_batch_size
        model.generation_config.use_cache = self.cached
        written = writing.by_loop(model, batch, width) if self.loop else None
        if written is None:
            self.loop = False
            written = writing.by_library(model, batch, width, self.together)
        return [text.strip() for text in self.tokenizer.batch_decode(written, skip_special_tokens=True)]

    def settle(self, model: nn.Module, rows: Sequence[Feature], together: bool) -> list[str]:
        mode, device = model.training, next(model.parameters()).device
        unlike, same = (
            {name: tensor.to(device) for name, tensor in self.collate([self._asked(row) for row in group]).items()}
            for group in (rows, rows[:1] * 2)
        )
        model.eval()
        try:
            self.cached = writing.can_cache(model, same)
            self.loop, self.together = writing.settle(model, unlike, same) if together else (False, writing.ANY)
        finally:
            model.train(mode)
        return [NOTES[self.together]] if self.together in NOTES else []

    def settled(self) -> dict[str, Any]:
        return {"loop": self.loop, "together": self.together, "cached": self.cached}

    def _asked(self, row: Feature) -> Feature:
        """A feature with labels as it would be without."""
        return replace(row, inputs={name: values for name, values in row.inputs.items() if name != "labels"})

    def decode(self, features: Sequence[Feature], outputs: Sequence[str], count: int) -> list[str]:
        texts = [""] * count
        for feature, output in zip(features, outputs, strict=True):
            texts[feature.example] = output
        return texts


def _one_later(model: PreTrainedModel, labels: Tensor) -> Tensor:
    """What a decoder reads to write `labels` [rows, tokens]: its start token, then all labels but the last."""
    if hasattr(model, "prepare_decoder_input_ids_from_labels"):
        return model.prepare_decoder_input_ids_from_labels(labels)
    config = model.generation_config
    shifted = torch.cat([torch.full_like(labels[:, :1], config.decoder_start_token_id), labels[:, :-1]], 1)
    return shifted.masked_fill(shifted == IGNORE, config.pad_token_id)


@contextmanager
def scoring_only(scores: nn.Module, places: Tensor, more: int = 0) -> Iterator[None]:
    """Inside, the output layer computes [1, places, vocabulary] instead of [rows, width, vocabulary], if it is given [rows, width].

    Args:
        scores: the output layer.
        places: [rows, width] true where scores are wanted.
        more: places that are computed behind them, of no meaning.
    """
    index = nn.functional.pad(places.flatten().nonzero().flatten(), (0, more))

    def choose(layer: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        states = args[0]
        return (states.flatten(0, 1).index_select(0, index)[None],) if states.shape[:-1] == places.shape else args

    hook = scores.register_forward_pre_hook(choose)
    try:
        yield
    finally:
        hook.remove()


class PromptedTextHead(TextHead):
    """Decoders: source, separator and target in one sequence; the loss is on the target and its end token alone."""

    SEPARATOR = "\n=\n"

    def build(self) -> nn.Module:
        config = self.pretrained.configure(pad_token_id=self.tokenizer.pad_token_id)
        return self._decide_generation(self.pretrained.load(AutoModelForCausalLM, config))

    def encode(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        separator = self._plain([self.SEPARATOR])[0]
        limit = (self.pretrained.max_positions or 10**9) - self.max_written
        room = max(1, min(self.max_length, limit) - len(separator))
        sources = self._plain([example["source"] for example in examples])
        targets = self._plain([example["target"] for example in examples]) if training else []
        start = [self.tokenizer.bos_token_id] if self._starts_with_bos() else []
        self.truncated = sum(len(source) > room - len(start) for source in sources)
        self.truncated += sum(len(target) >= self.max_written for target in targets)
        features = []
        for number, source in enumerate(sources):
            prompt = start + source[: room - len(start)] + separator
            target = targets[number][: self.max_written - 1] + [self._end()] if training else []
            inputs = {"input_ids": prompt + target, "attention_mask": [1] * len(prompt + target)}
            if training:
                inputs["labels"] = [IGNORE] * len(prompt) + target
            features.append(Feature(number, inputs))
        return features

    def needs(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
        around = self._starts_with_bos() + len(self._plain([self.SEPARATOR])[0])
        read = [around + len(ids) for ids in self._plain([example["source"] for example in examples])]
        written = self._whole_targets([example["target"] for example in examples])
        return {"max_length": read, "max_target_length": [len(ids) for ids in written]}

    def _teach(self, model: nn.Module, inputs: dict[str, Tensor], labels: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        # The token before a label writes it.
        return inputs, nn.functional.pad(labels[:, 1:] != IGNORE, (0, 1))

    def _starts_with_bos(self) -> bool:
        """Whether the model was trained with a begin token in front, as its tokeniser's own layout shows."""
        return self.tokenizer("a")["input_ids"][0] == self.tokenizer.bos_token_id

    def collate(self, features: Sequence[Feature]) -> dict[str, Tensor]:
        if "labels" in features[0].inputs:
            return super().collate(features)
        # The next token is written behind the last column, so prompts end there: padding goes to the left.
        return {
            key: torch.tensor(self._pad(key, [feature.inputs[key] for feature in features], left=True))
            for key in ("input_ids", "attention_mask")
        }

    def _asked(self, row: Feature) -> Feature:
        count = row.inputs["labels"].count(IGNORE)
        return replace(row, inputs={name: row.inputs[name][:count] for name in ("input_ids", "attention_mask")})
