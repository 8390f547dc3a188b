"""Faster operators for a model that writes on a CPU: the same sums, at most in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from harness.heads.decoding.attention import exchanged
from harness.linear import replaced, replacements


@contextmanager
def quick(model: PreTrainedModel) -> Iterator[None]:
    """Inside, attention of few tokens and products with weights are computed by faster operators, without gradients."""
    with exchanged(model), replaced(_changes(model)):
        yield


def _changes(model: nn.Module) -> Iterator[tuple[nn.Module, str, Callable[..., Any]]]:
    """Modules, and what takes the place of which of their methods."""
    yield from replacements(model)
    for module in model.modules():
        if type(module) is nn.Dropout and not module.training and "forward" not in vars(module):
            yield module, "forward", _same
        if hasattr(module, "compute_bias") and "compute_bias" not in vars(module):
            yield module, "compute_bias", _once(module.compute_bias)


def _same(states: Tensor) -> Tensor:
    return states


def _once(compute: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Biases of relative positions (T5 and its kin): for one token they are the same in every batch."""
    known = lru_cache(maxsize=1024)(compute)
    return lambda tokens, *args, **kwargs: (known if tokens == 1 else compute)(tokens, *args, **kwargs)
