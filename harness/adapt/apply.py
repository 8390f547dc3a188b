"""From a cell's method to what is done to its model. Heads know nothing of it."""

from __future__ import annotations

import importlib

from torch import nn

from harness.methods import Method
from harness.models.load import Pretrained
from harness.recipe import Recipe


def adapt(model: nn.Module, method: Method, pretrained: Pretrained, recipe: Recipe) -> None:
    """Make `model` ready to be trained by a method, in place; its class and what it computes stay what they are.

    Args:
        model: as `Head.build` gave it, before it is moved or made fast.
        method: the cell's.
        pretrained: the checkpoint that the head was built with: it knows which weights are the checkpoint's.
        recipe: for the method's own fields.

    Raises:
        BenchError: the model has nothing that this method could train.
    """
    if method.adapt:
        module, _, name = method.adapt.partition(":")
        getattr(importlib.import_module(module), name)(model, pretrained, recipe)
