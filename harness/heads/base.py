"""The contract of a head, and padding."""

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

IGNORE = -100  # the label that cross-entropy leaves out
ENDLESS = 10**9  # tokens: more than any row has
NOT_EVERYWHERE = ("attention_mask", "token_type_ids")  # arguments that some models do not take


@dataclass
class Feature:
    """One row of a batch.

    Attributes:
        example: the index of the example that it comes from; a long example gives several features.
        inputs: the model's arguments, as lists of token-wise integers (padded together) or single integers.
        extra: what `decode` needs to get from outputs back to the text.
    """

    example: int
    inputs: dict[str, Any]
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """Tokens read by the model."""
        return len(self.inputs["input_ids"])


def label_names(labels: Sequence[str]) -> dict[str, dict]:
    """What a configuration says of classes, so that a model that is taken away still knows their names."""
    return {"id2label": dict(enumerate(labels)), "label2id": {name: index for index, name in enumerate(labels)}}


@lru_cache(maxsize=256)
def parameters_of(kind: type[nn.Module]) -> frozenset[str]:
    """The names of the arguments that the forward pass of a class of models takes."""
    return frozenset(inspect.signature(kind.forward).parameters)


def accepted(model: nn.Module, batch: Mapping[str, Any]) -> dict[str, Any]:
    """A batch without the masks and segment numbers that the model's forward pass does not take (FNet, CANINE, Mamba)."""
    taken = parameters_of(type(model))
    if "input_ids" not in taken:  # a wrapper that hands on whatever it is given
        return dict(batch)
    return {name: value for name, value in batch.items() if name in taken or name not in NOT_EVERYWHERE}


def grouped(numbers: Iterable[int], keys: Sequence[Any]) -> list[list[int]]:
    """Numbers of features whose keys are equal, together."""
    found: dict[Any, list[int]] = {}
    for number in numbers:
        found.setdefault(keys[number], []).append(number)
    return list(found.values())


class Head(ABC):
    """Turns a pretrained backbone into a solver.

    Args:
        pretrained: the checkpoint.
        recipe: lengths and limits are taken from it.
        labels: class names in order, for heads that classify.
        options: the task's options.

    Attributes:
        writes: whether its answers are text, for which any word may be asked for and not only those of the rows.
        pool: how many batches `predict` is given at once. Above 1 it has to see to it that no more than the recipe's
            `eval_batch_size` rows are computed together.
        windows: whether it reads a long row in overlapping windows instead of cutting it.
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
            limit = max(1, limit // 2)  # what it reads and what it writes share its positions
        self.max_written = min(recipe.max_target_length, limit)
        self.truncated = 0  # texts that the last `encode` had to cut

    @classmethod
    def for_architecture(cls, architecture: str) -> type[Head]:
        """The class that does this head's work for an architecture."""
        return cls

    @abstractmethod
    def build(self) -> nn.Module:
        """The model with this head."""

    @abstractmethod
    def encode(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        """Tokenise. With `training` the features carry labels."""

    def needs(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
        """Recipe field (`max_length` and the like) → tokens that each of these training examples would need, uncut."""
        longest = [0] * len(examples)
        for feature in self._uncut(examples, training=False):
            longest[feature.example] = max(longest[feature.example], feature.length)
        return {"max_length": longest}

    def _uncut(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        limit, self.max_length = self.max_length, ENDLESS
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

    @abstractmethod
    def decode(self, features: Sequence[Feature], outputs: Sequence[Any], count: int) -> list[Any]:
        """One output for each of `count` examples, from the outputs of all their features."""

    def settle(self, model: nn.Module, rows: Sequence[Feature], together: bool) -> list[str]:
        """Decide how outputs are computed, where there are several ways.

        Args:
            rows: a few features with labels.
            together: whether they may be computed together.

        Returns:
            What a person should know of it, in sentences.
        """
        return []

    def settled(self) -> dict[str, Any]:
        """The attributes that `settle` has set, as JSON can hold them."""
        return {}

    def collate(self, features: Sequence[Feature]) -> dict[str, Tensor]:
        """Pad features to the longest of them and stack: token-wise inputs become [rows, tokens], integers [rows]."""
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
        """How many terms a feature with labels adds to the mean that is its batch's loss: its words, tokens, or one."""
        labels = feature.inputs.get("labels")
        return sum(label != IGNORE for label in labels) if isinstance(labels, list) else 1
