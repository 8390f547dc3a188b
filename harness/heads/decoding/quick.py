"""Faster operators for a model that writes on a CPU: the same sums, at most in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from harness.heads.decoding.attention import exchanged

# Of PyTorch's own compiler, not of its public interface: where a version has them no more, its public ones do.
OPERATORS = all(hasattr(torch.ops.mkldnn, name) for name in ("_linear_pointwise", "_reorder_linear_weight"))
PACKED = 1 << 29  # bytes of weights that may be held a second time, in the order in which oneDNN reads them


def serves(model: PreTrainedModel) -> torch.dtype | None:
    """The precision of the model's matrices where these operators compute it: fp32 or bf16, all of them on a CPU."""
    kinds = {(weight.device.type, weight.dtype) for weight in model.parameters() if weight.ndim > 1}
    if kinds == {("cpu", torch.bfloat16)}:
        return torch.bfloat16
    return torch.float32 if kinds == {("cpu", torch.float32)} and not torch.is_autocast_enabled("cpu") else None


@contextmanager
def quick(model: PreTrainedModel) -> Iterator[None]:
    """Inside, attention of few tokens and products with weights are computed by faster operators, without gradients."""
    with exchanged(model):
        changes = list(_changes(model))
        for module, name, function in changes:
            setattr(module, name, function)
        try:
            yield
        finally:
            for module, name, _ in changes:
                delattr(module, name)


def _changes(model: nn.Module) -> Iterator[tuple[nn.Module, str, Callable[..., Any]]]:
    """Modules, and what takes the place of which of their methods."""
    products = torch.backends.mkldnn.is_available() and OPERATORS
    linear = (nn.Linear, Conv1D)
    packs = sum(layer.weight.nbytes for layer in model.modules() if type(layer) in linear) <= PACKED
    for module in model.modules():
        # Where somebody else has changed a method it stays as it is.
        if "forward" in vars(module):
            continue
        if type(module) in linear and products and (module.bias is None or module.bias.dtype == module.weight.dtype):
            yield module, "forward", _product_of(module, packs)
        elif type(module) is nn.Dropout and not module.training:
            yield module, "forward", _same
        if hasattr(module, "compute_bias") and "compute_bias" not in vars(module):
            yield module, "compute_bias", _once(module.compute_bias)


def _product_of(layer: nn.Module, packs: bool) -> Callable[[Tensor], Tensor]:
    """The same by oneDNN.

    PyTorch's products in fp32 are MKL's, which leaves half of an AMD processor's vector units unused; those in bf16 are oneDNN's
    too, but put the weights into its order at each call.
    """
    weight = layer.weight.detach()
    weight = weight.t() if type(layer) is Conv1D else weight
    if packs:
        weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous())
    return partial(_product, weight, layer.bias)


def _product(weight: Tensor, bias: Tensor | None, states: Tensor) -> Tensor:
    # Norms give fp32 where their weights are; autocast, which knows nothing of this operator, would round likewise.
    return torch.ops.mkldnn._linear_pointwise(states.to(weight.dtype), weight, bias, "none", [], "")


def _same(states: Tensor) -> Tensor:
    return states


def _once(compute: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Biases of relative positions (T5 and its kin): for one token they are the same in every batch."""
    known = lru_cache(maxsize=1024)(compute)
    return lambda tokens, *args, **kwargs: (known if tokens == 1 else compute)(tokens, *args, **kwargs)
