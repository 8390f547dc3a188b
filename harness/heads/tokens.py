"""Classification of words: named entities and other tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from transformers import AutoModelForTokenClassification

from harness.heads.backbone import ClassifierOnBackbone
from harness.heads.base import IGNORE, Feature, Head, label_names


class TokenHead(Head):
    """Reads examples `{"words": [str], "tags": [str]}`; gives a tag name for each word.

    A word is judged at its first sub-word (Devlin et al. 2019, section 5.3). A sentence that is longer than the model's
    limit is read in overlapping windows, and each word is judged in the first window that holds it, so no word is lost.
    """

    windows = True

    def build(self) -> nn.Module:
        if not self.pretrained.has(AutoModelForTokenClassification):
            return ClassifierOnBackbone(self.pretrained, self.labels)
        config = self.pretrained.configure(
            **label_names(self.labels),
            pad_token_id=self.tokenizer.pad_token_id,
        )
        return self.pretrained.load(AutoModelForTokenClassification, config)

    def encode(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        encoded = self.tokenizer(
            [list(example["words"]) for example in examples],
            is_split_into_words=True,
            truncation=True,
            max_length=self.max_length,
            stride=self.max_length // 4,
            return_overflowing_tokens=True,
        )
        index = {name: position for position, name in enumerate(self.labels)}
        judged: set[tuple[int, int]] = set()
        features = []
        for row, number in enumerate(encoded["overflow_to_sample_mapping"]):
            inputs = {key: encoded[key][row] for key in encoded if key in self.tokenizer.model_input_names}
            places: list[tuple[int, int]] = []  # (token, word) where a word is judged
            previous = None
            for token, word in enumerate(encoded.word_ids(row)):
                if word is not None and word != previous and (number, word) not in judged:
                    judged.add((number, word))
                    places.append((token, word))
                previous = word
            if training:
                inputs["labels"] = [IGNORE] * len(inputs["input_ids"])
                for token, word in places:
                    inputs["labels"][token] = index[examples[number]["tags"][word]]
            if inputs["input_ids"]:
                features.append(Feature(number, inputs, {"places": places, "words": len(examples[number]["words"])}))
        return features

    def predict(self, model: nn.Module, batch: dict[str, Tensor]) -> list[list[int]]:
        return model(**batch).logits.float().argmax(-1).tolist()

    def decode(self, features: Sequence[Feature], outputs: Sequence[list[int]], count: int) -> list[list[str]]:
        tags: list[list[str]] = [[] for _ in range(count)]
        for feature, output in zip(features, outputs, strict=True):
            row = tags[feature.example]
            row += ["O"] * (feature.extra["words"] - len(row))  # words without a token of their own stay outside
            for token, word in feature.extra["places"]:
                row[word] = self.labels[output[token]]
        return tags
