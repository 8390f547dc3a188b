"""Faster operators for a model that writes in fp32 on a CPU: the same sums, at most in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from harness.heads.decoding.attention import exchanged

# Of PyTorch's own compiler, not of its public interface: where a version has them no more, its public ones do.
OPERATORS = all(hasattr(torch.ops.mkldnn, name) for name in ("_linear_pointwise", "_reorder_linear_weight"))
PACKED = 1 << 28  # bytes of weights that may be held a second time, in the order in which oneDNN reads them


def serves(model: PreTrainedModel) -> bool:
    """Whether everything is computed in fp32 on a CPU. In bf16 another order of sums would change too many of the texts."""
    plain = all(weight.device.type == "cpu" and weight.dtype == torch.float32 for weight in model.parameters())
    return plain and not torch.is_autocast_enabled("cpu")


@contextmanager
def quick(model: PreTrainedModel) -> Iterator[None]:
    """Inside, attention of single tokens and products with weights are computed by faster operators, without gradients."""
    with exchanged(model):
        layers = list(_products(model)) if torch.backends.mkldnn.is_available() and OPERATORS else []
        for layer, forward in layers:
            layer.forward = forward
        try:
            yield
        finally:
            for layer, _ in layers:
                del layer.forward


def _products(model: nn.Module) -> Iterator[tuple[nn.Module, Callable[[Tensor], Tensor]]]:
    """Plain linear layers and what computes the same by oneDNN.

    PyTorch's products in fp32 are MKL's, which leaves half of an AMD processor's vector units unused.
    """
    # Where somebody else has changed a layer's forward pass it stays as it is.
    layers = [layer for layer in model.modules() if type(layer) in (nn.Linear, Conv1D) and "forward" not in vars(layer)]
    packs = sum(layer.weight.nbytes for layer in layers) <= PACKED
    for layer in layers:
        weight = layer.weight.detach()
        weight = weight.t() if type(layer) is Conv1D else weight
        if packs:
            weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous())
        yield layer, partial(_product, weight, layer.bias)


def _product(weight: Tensor, bias: Tensor | None, states: Tensor) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(states, weight, bias, "none", [], "")
