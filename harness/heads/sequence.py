"""Classification of whole texts and of text pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification

from harness.errors import BenchError
from harness.heads.backbone import ClassifierOnBackbone
from harness.heads.base import Feature, Head, accepted, label_names


class SequenceHead(Head):
    """Reads examples `{"text": str, "text_pair": str | None, "label": str}`; gives a label name for each.

    Encoders and encoder-decoders use the library's head where there is one; decoders pool their last real token.
    """

    def build(self) -> nn.Module:
        if len(self.labels) < 2:
            raise BenchError(f"classification needs two labels or more; the training rows have {self.labels}")
        decoder = self.pretrained.architecture == "decoder"
        # The library's heads for decoders find the last real token by the padding token, which here also stands for unknown words.
        unclear = decoder and self.tokenizer.pad_token_id == self.tokenizer.unk_token_id != self.tokenizer.eos_token_id
        if unclear or not self.pretrained.has(AutoModelForSequenceClassification):
            pool = "last" if decoder else "mean"
            return ClassifierOnBackbone(self.pretrained, self.labels, pool)
        config = self.pretrained.configure(
            **label_names(self.labels),
            problem_type="single_label_classification",
            pad_token_id=self.tokenizer.pad_token_id,  # decoders find their last real token by it
        )
        return self.pretrained.load(AutoModelForSequenceClassification, config)

    def encode(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        first = [example["text"] for example in examples]
        pairs = (
            [example["text_pair"] for example in examples]
            if examples and examples[0].get("text_pair") is not None
            else None
        )
        if pairs and joins_silently(self.tokenizer):
            first = [text + "\n" for text in first]
        encoded = self.tokenizer(first, pairs, verbose=False)
        self.truncated = sum(len(ids) > self.max_length for ids in encoded["input_ids"])
        if self.truncated:
            # The longer text of a pair is cut first: cutting only the second could lose it whole.
            encoded = self.tokenizer(first, pairs, truncation="longest_first", max_length=self.max_length)
        index = {name: position for position, name in enumerate(self.labels)}
        features = []
        for number, example in enumerate(examples):
            inputs = {key: encoded[key][number] for key in encoded if key in self.tokenizer.model_input_names}
            inputs.setdefault("attention_mask", [1] * len(inputs["input_ids"]))
            if not inputs["input_ids"]:  # an empty text in a tokeniser without special tokens
                inputs = {"input_ids": [self.tokenizer.pad_token_id], "attention_mask": [1]}
            if training:
                inputs["labels"] = index[example["label"]]
            features.append(Feature(number, inputs))
        return features

    def predict(self, model: nn.Module, batch: dict[str, Tensor]) -> list[int]:
        return model(**accepted(model, batch)).logits.float().argmax(-1).tolist()

    def decode(self, features: Sequence[Feature], outputs: Sequence[int], count: int) -> list[str]:
        labels = [""] * count
        for feature, output in zip(features, outputs, strict=True):
            labels[feature.example] = self.labels[output]
        return labels


def joins_silently(tokenizer: Any) -> bool:
    """Whether the tokeniser puts nothing between the two texts of a pair (as decoders' do)."""
    return tokenizer.num_special_tokens_to_add(pair=True) - tokenizer.num_special_tokens_to_add(pair=False) < 1
