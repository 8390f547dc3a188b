"""The base class of heads, and the features that they make of examples."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from harness.models.load import Pretrained
from harness.recipe import Recipe

IGNORE = -100  # the label that cross-entropy ignores
UNLIMITED = 10**9  # tokens, more than any row has
OPTIONAL_INPUTS = ("attention_mask", "token_type_ids")  # inputs that some models do not take


@dataclass
class Feature:
    """One row of a batch.

    Attributes:
        example: index of the example that it comes from; a long example gives several features.
        inputs: the model's arguments: lists of integers, one per token (padded in a batch), or single integers.
        extra: what `decode` needs to map outputs back to the text.
    """

    example: int
    inputs: dict[str, Any]
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """Number of input tokens."""
        return len(self.inputs["input_ids"])


def label_names(labels: Sequence[str]) -> dict[str, dict]:
    """The entries of a configuration that name the classes, so that a saved model knows them."""
    return {"id2label": dict(enumerate(labels)), "label2id": {name: index for index, name in enumerate(labels)}}


@lru_cache(maxsize=256)
def _forward_arguments(model_class: type[nn.Module]) -> frozenset[str]:
    return frozenset(inspect.signature(model_class.forward).parameters)


def accepted(model: nn.Module, batch: Mapping[str, Any]) -> dict[str, Any]:
    """A batch without the masks and segment ids that the model's forward pass does not take (FNet, CANINE, Mamba)."""
    arguments = _forward_arguments(type(model))
    if "input_ids" not in arguments:  # a wrapper that passes on all arguments
        return dict(batch)
    return {name: value for name, value in batch.items() if name in arguments or name not in OPTIONAL_INPUTS}


def grouped(indices: Iterable[int], keys: Sequence[Any]) -> list[list[int]]:
    """Group indices by `keys[index]`, in the order in which the keys first occur."""
    groups: dict[Any, list[int]] = {}
    for index in indices:
        groups.setdefault(keys[index], []).append(index)
    return list(groups.values())


class Head(ABC):
    """Base class of heads: layers, loss and input format for one kind of problem on a pretrained backbone.

    Args:
        pretrained: the checkpoint.
        recipe: sets lengths and limits.
        labels: class names in order, for heads that classify.
        options: the task's options.

    Attributes:
        writes: whether its answers are generated text, which needs the whole vocabulary and not only the words of the rows.
        pool: number of batches that `predict` gets at once. If above 1, `predict` must compute no more than the recipe's
            `eval_batch_size` rows together.
        windows: whether it reads a long row in overlapping windows instead of truncating it.
        max_length: the most tokens of an input.
        max_written: the most tokens of a generated text.
        truncated: number of texts that `encode` has truncated.
    """

    writes = False
    pool = 1
    windows = False

    def __init__(
        self, pretrained: Pretrained, recipe: Recipe, labels: Sequence[str] | None, options: Mapping[str, Any]
    ):
        self.pretrained = pretrained
        self.recipe = recipe
        self.labels = list(labels or [])
        self.options = options
        self.tokenizer = pretrained.tokenizer
        self.max_length = min(recipe.max_length, pretrained.max_positions or recipe.max_length)
        limit = pretrained.max_positions or recipe.max_target_length
        if pretrained.architecture == "decoder":
            limit = max(1, limit // 2)  # input and output share its positions
        self.max_written = min(recipe.max_target_length, limit)
        self.truncated = 0

    @classmethod
    def for_architecture(cls, architecture: str) -> type[Head]:
        """The subclass to use for an architecture."""
        return cls

    @abstractmethod
    def build(self) -> nn.Module:
        """Build the model with this head."""

    @abstractmethod
    def encode(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        """Tokenise examples. With `training`, features have labels."""

    def needs(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
        """Recipe field (`max_length` and the like) → tokens that each of these examples needs so that nothing is truncated."""
        longest = [0] * len(examples)
        for feature in self._encode_whole(examples, training=False):
            longest[feature.example] = max(longest[feature.example], feature.length)
        return {"max_length": longest}

    def _encode_whole(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        limit, self.max_length = self.max_length, UNLIMITED
        try:
            return self.encode(examples, training)
        finally:
            self.max_length, self.truncated = limit, 0

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """The mean over the `loss_terms` of a batch's features."""
        return model(**accepted(model, batch)).loss

    @abstractmethod
    def predict(self, model: nn.Module, batch: dict[str, Tensor]) -> list[Any]:
        """One raw output for each row of a batch without labels."""

    def decode(self, features: Sequence[Feature], outputs: Sequence[Any], count: int) -> list[Any]:
        """One output for each of `count` examples, from the outputs of all their features; by default they have one each."""
        results: list[Any] = [None] * count
        for feature, output in zip(features, outputs, strict=True):
            results[feature.example] = output
        return results

    def settle(self, model: nn.Module, rows: Sequence[Feature], together: bool) -> list[str]:
        """Choose how outputs are computed, where there are several ways.

        Args:
            rows: a few features with labels.
            together: whether rows may be computed together.

        Returns:
            Notes for the user, in sentences.
        """
        return []

    def settled(self) -> dict[str, Any]:
        """The attributes set by `settle`, as JSON values."""
        return {}

    def collate(self, features: Sequence[Feature]) -> dict[str, Tensor]:
        """Pad features to the longest and stack them: lists become [rows, tokens], integers [rows]."""
        batch = {}
        for key, first in features[0].inputs.items():
            values = [feature.inputs[key] for feature in features]
            batch[key] = torch.tensor(values if isinstance(first, int) else self._pad(key, values))
        return batch

    def _pad(self, key: str, rows: list[list[int]], left: bool = False) -> list[list[int]]:
        value = {"input_ids": self.tokenizer.pad_token_id, "labels": IGNORE}.get(key, 0)
        if key == "token_type_ids":
            value = self.tokenizer.pad_token_type_id
        width = max(map(len, rows))
        if left:
            return [[value] * (width - len(row)) + row for row in rows]
        return [row + [value] * (width - len(row)) for row in rows]

    def loss_terms(self, feature: Feature) -> int:
        """Number of terms that a feature with labels adds to the mean in its batch's loss: its words, its tokens, or one."""
        labels = feature.inputs.get("labels")
        return sum(label != IGNORE for label in labels) if isinstance(labels, list) else 1
