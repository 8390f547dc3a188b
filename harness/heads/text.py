"""Text to text: translation and whatever else is written out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, GenerationConfig, PreTrainedModel

from harness.heads import decoding
from harness.heads.base import IGNORE, Feature, Head
from harness.heads.warm_start import warm_started
from harness.languages import NAMES, base

# Scores are computed for a multiple of so many tokens: a processor's kernels are made for each number of them.
PLACES = 32


class TextHead(Head):
    """Reads examples `{"source": str, "target": str}`; gives the generated text for each.

    This class serves models with an encoder and a decoder: native ones, and encoders with a warm-started decoder.
    """

    writes = True
    pool = 16  # prompts are small; the more of them there are to choose from, the longer every row has work

    @classmethod
    def for_architecture(cls, architecture: str) -> type[Head]:
        return PromptedTextHead if architecture == "decoder" else cls

    def build(self) -> nn.Module:
        if self.pretrained.architecture == "encoder":
            model = warm_started(self.pretrained, self.tokenizer)
        else:
            model = self.pretrained.load(AutoModelForSeq2SeqLM, self.pretrained.configure())
        return self._decide_generation(model)

    def _decide_generation(self, model: PreTrainedModel) -> PreTrainedModel:
        """Search with the recipe's limits alone: checkpoints bring lengths, penalties and sampling of their own."""
        kept = ("decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id", "bos_token_id")
        given = model.generation_config
        config = GenerationConfig(
            max_new_tokens=self.recipe.max_target_length,
            num_beams=self.recipe.num_beams,
            do_sample=False,
            pad_token_id=self.tokenizer.pad_token_id,
            eos_token_id=self._end(),
        )
        for name in kept:
            setattr(config, name, getattr(given, name, None))
        model.generation_config = config
        return model

    def _end(self) -> int:
        """The token that ends a text."""
        ends = (self.tokenizer.eos_token_id, self.tokenizer.sep_token_id, self.tokenizer.pad_token_id)
        return next(token for token in ends if token is not None)

    def encode(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        sources = [self._prefix() + example["source"] for example in examples]
        whole = self.tokenizer(sources, verbose=False)["input_ids"]
        self.truncated = sum(len(ids) > self.max_length for ids in whole)
        encoded = self.tokenizer(sources, truncation=True, max_length=self.max_length)
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
        pair = "_to_".join(base(self.options.get(f"{side}_language")) for side in ("source", "target"))
        trained = getattr(self.pretrained.config, "task_specific_params", None) or {}
        return trained.get(f"translation_{pair}", {}).get("prefix") or self._known_prefix()

    def _known_prefix(self) -> str:
        """What the registry knows of it, where the checkpoint's own configuration says nothing of this pair."""
        names = [NAMES.get(base(self.options.get(f"{side}_language"))) for side in ("source", "target")]
        return self.pretrained.checkpoint.prefix.format(source=names[0], target=names[1]) if all(names) else ""

    def _targets(self, targets: list[str]) -> list[list[int]]:
        """Label ids. Native models keep their tokeniser's own layout; for a warm-started one the first token (CLS) is what
        the decoder starts from, so it is no label."""
        limit, whole = self.recipe.max_target_length, self._whole_targets(targets)
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
            logits = model(**inputs).logits
        return nn.functional.cross_entropy(
            logits.flatten(0, -2).float(), nn.functional.pad(written, (0, more), value=IGNORE), ignore_index=IGNORE
        )

    def _teach(self, model: nn.Module, inputs: dict[str, Tensor], labels: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """What the model reads to write `labels`, and [rows, width] where a label is written."""
        return {**inputs, "decoder_input_ids": model.prepare_decoder_input_ids_from_labels(labels)}, labels != IGNORE

    def predict(self, model: nn.Module, batch: dict[str, Tensor]) -> list[str]:
        width = self.recipe.eval_batch_size
        if decoding.covers(model):
            written = decoding.decode(model, batch["input_ids"], batch["attention_mask"], width)
        else:
            written = self._generate(model, batch, width)
        return [text.strip() for text in self.tokenizer.batch_decode(written, skip_special_tokens=True)]

    def _generate(self, model: nn.Module, batch: dict[str, Tensor], width: int) -> list[list[int]]:
        """The library's way, `width` rows at a time. A batch comes in the order of length: each part has less padding."""
        written = []
        for begin in range(0, len(batch["input_ids"]), width):
            part = {key: rows[begin : begin + width] for key, rows in batch.items()}
            longest = int(part["attention_mask"].sum(1).max())
            part = {key: self._cut(rows, longest) for key, rows in part.items()}
            written += self._written(model.generate(**part), longest).tolist()
        return written

    def _cut(self, rows: Tensor, longest: int) -> Tensor:
        """The columns that the longest row fills; padding is at their right."""
        return rows[:, :longest]

    def _written(self, tokens: Tensor, longest: int) -> Tensor:
        """What was written, without what was read."""
        return tokens

    def decode(self, features: Sequence[Feature], outputs: Sequence[str], count: int) -> list[str]:
        texts = [""] * count
        for feature, output in zip(features, outputs, strict=True):
            texts[feature.example] = output
        return texts


@contextmanager
def scoring_only(scores: nn.Module, places: Tensor, more: int = 0) -> Iterator[None]:
    """Inside, the output layer computes [1, places, vocabulary] instead of [rows, width, vocabulary].

    Args:
        scores: the output layer.
        places: [rows, width] true where scores are wanted.
        more: places that are computed behind them, of no meaning.
    """
    index = nn.functional.pad(places.flatten().nonzero().flatten(), (0, more))
    hook = scores.register_forward_pre_hook(lambda layer, args: (args[0].flatten(0, 1).index_select(0, index)[None],))
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
        limit = (self.pretrained.max_positions or 10**9) - self.recipe.max_target_length
        room = max(1, min(self.max_length, limit) - len(separator))
        sources = self._plain([example["source"] for example in examples])
        targets = self._plain([example["target"] for example in examples]) if training else []
        start = [self.tokenizer.bos_token_id] if self._starts_with_bos() else []
        self.truncated = sum(len(source) > room - len(start) for source in sources)
        self.truncated += sum(len(target) >= self.recipe.max_target_length for target in targets)
        features = []
        for number, source in enumerate(sources):
            prompt = start + source[: room - len(start)] + separator
            target = targets[number][: self.recipe.max_target_length - 1] + [self._end()] if training else []
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

    def _cut(self, rows: Tensor, longest: int) -> Tensor:
        return rows[:, rows.shape[1] - longest :]

    def _written(self, tokens: Tensor, longest: int) -> Tensor:
        return tokens[:, longest:]
