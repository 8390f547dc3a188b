"""Methods applied to a model that a head has built: they decide which of its weights are trained. Heads know no methods."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from harness.methods import Method
    from harness.models.load import Pretrained
    from harness.recipe import Recipe


def adapt(model: nn.Module, method: Method, pretrained: Pretrained, recipe: Recipe) -> None:
    """Prepare a model for training by a method, in place; its class and its outputs stay the same.

    Args:
        model: as `Head.build` returned it, before it is moved to a device or made faster.
        pretrained: the checkpoint that the head was built from; it knows which weights are the checkpoint's.
        recipe: has the method's own fields.

    Raises:
        BenchError: the model has nothing that this method could train.
    """
    if method.adapt:
        module, _, name = method.adapt.partition(":")
        getattr(importlib.import_module(module), name)(model, pretrained, recipe)
