"""Classification of texts and of text pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerBase

from harness.errors import BenchError
from harness.heads.assembled import ClassifierOnBackbone
from harness.heads.base import Feature, Head, accepted, label_names


class SequenceHead(Head):
    """Takes examples `{"text": str, "text_pair": str | None, "label": str}`; gives a label name for each.

    Encoders and encoder-decoders use transformers' head where there is one; decoders pool their last real token.
    """

    def build(self) -> nn.Module:
        if len(self.labels) < 2:
            raise BenchError(f"classification needs two labels or more; the training rows have {self.labels}")
        decoder = self.pretrained.architecture == "decoder"
        tokenizer = self.tokenizer
        # Heads of decoders find the last real token by the padding token, which must not also stand for unknown words.
        ambiguous = decoder and tokenizer.pad_token_id == tokenizer.unk_token_id != tokenizer.eos_token_id
        if ambiguous or not self.pretrained.has(AutoModelForSequenceClassification):
            return ClassifierOnBackbone(self.pretrained, self.labels, "last" if decoder else "mean")
        config = self.pretrained.configure(
            **label_names(self.labels),
            problem_type="single_label_classification",
            pad_token_id=tokenizer.pad_token_id,
        )
        return self.pretrained.load(AutoModelForSequenceClassification, config)

    def encode(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        texts = [example["text"] for example in examples]
        has_pairs = examples and examples[0].get("text_pair") is not None
        pairs = [example["text_pair"] for example in examples] if has_pairs else None
        if pairs and lacks_separator(self.tokenizer):
            texts = [text + "\n" for text in texts]
        encoded = self.tokenizer(texts, pairs, verbose=False)
        self.truncated = sum(len(ids) > self.max_length for ids in encoded["input_ids"])
        if self.truncated:
            # The longer text of a pair is truncated first: to truncate only the second could lose it whole.
            encoded = self.tokenizer(texts, pairs, truncation="longest_first", max_length=self.max_length)
        label_ids = {name: index for index, name in enumerate(self.labels)}
        features = []
        for number, example in enumerate(examples):
            inputs = {key: encoded[key][number] for key in encoded if key in self.tokenizer.model_input_names}
            inputs.setdefault("attention_mask", [1] * len(inputs["input_ids"]))
            if not inputs["input_ids"]:  # an empty text, and a tokeniser without special tokens
                inputs = {"input_ids": [self.tokenizer.pad_token_id], "attention_mask": [1]}
            if training:
                inputs["labels"] = label_ids[example["label"]]
            features.append(Feature(number, inputs))
        return features

    def predict(self, model: nn.Module, batch: dict[str, Tensor]) -> list[int]:
        return model(**accepted(model, batch)).logits.float().argmax(-1).tolist()

    def decode(self, features: Sequence[Feature], outputs: Sequence[int], count: int) -> list[str]:
        return [self.labels[output] for output in super().decode(features, outputs, count)]


def lacks_separator(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the tokeniser puts nothing between the two texts of a pair, as decoders' tokenisers do."""
    return tokenizer.num_special_tokens_to_add(pair=True) - tokenizer.num_special_tokens_to_add(pair=False) < 1
