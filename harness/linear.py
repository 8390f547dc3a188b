"""Linear layers by oneDNN on a CPU: the same sums, in fp32 in another order.

PyTorch's products in fp32 are MKL's, which does not use AVX-512 on AMD's processors: there oneDNN's are twice as quick.
Those in bf16 are oneDNN's too, but PyTorch copies the bias into the result first, and oneDNN puts the weights into its own
order at each call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from harness import processor

# Of PyTorch's own compiler, not of its public interface: where a version has them no more, its public ones do.
OPERATORS = torch.backends.mkldnn.is_available() and all(
    hasattr(torch.ops.mkldnn, name) for name in ("_linear_pointwise", "_reorder_linear_weight")
)
PACKED = 1 << 29  # bytes of weights that may be held a second time, in the order in which oneDNN reads them


def pays(precision: torch.dtype) -> bool:
    """Whether oneDNN's operators are the quicker ones here. With AVX2 they are slower in fp32, and refuse bf16."""
    if precision == torch.float32:
        made_by_amd = processor.entry().get("vendor_id") == "AuthenticAMD"
        return OPERATORS and made_by_amd and torch.backends.cpu.get_cpu_capability() == "AVX512"
    return OPERATORS and precision == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def product(states: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """[…, in] and [out, in] → […, out]; `weight` in PyTorch's order or in oneDNN's. Nothing for autograd."""
    return torch.ops.mkldnn._linear_pointwise(states, weight, bias, "none", [], "")


class Product(torch.autograd.Function):
    """`nn.functional.linear` of fp32, forward and backward. In bf16 PyTorch's own is as quick in training."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(states, weight)
        return product(states, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        states, weight = ctx.saved_tensors
        rows, read = gradient.reshape(-1, gradient.shape[-1]), states.reshape(-1, states.shape[-1])
        wanted, of_weight = ctx.needs_input_grad, None
        if wanted[1]:  # as the weight lies, which for `Conv1D` is the other way round
            lies = weight.is_contiguous()
            of_weight = product(rows.t(), read.t()) if lies else product(read.t(), rows.t()).t()
        return (
            product(rows, weight.t()).view(states.shape) if wanted[0] else None,
            of_weight,
            rows.sum(0) if wanted[2] else None,
        )


class Linear(nn.Linear):
    """`nn.Linear` by `Product`, where gradients are asked for."""

    def forward(self, input: Tensor) -> Tensor:
        return _trained(input, self.weight, self.bias) if _serves(input, self) else super().forward(input)


class Crosswise(Conv1D):
    """The same for the linear layer of GPT-2, whose weight is [in, out]."""

    def forward(self, x: Tensor) -> Tensor:
        return _trained(x, self.weight.t(), self.bias) if _serves(x, self) else super().forward(x)


KINDS = {nn.Linear: Linear, Conv1D: Crosswise}


def _trained(states: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    # In two dimensions: what a function of autograd returns may not be a view, or no layer could change it in place.
    flat = Product.apply(states.reshape(-1, states.shape[-1]), weight, bias)
    return flat.view(*states.shape[:-1], flat.shape[-1])


def _serves(states: Tensor, layer: nn.Module) -> bool:
    """Whether `Product` computes what the layer would: under autocast that would be bf16."""
    tensors = [tensor for tensor in (states, layer.weight, layer.bias) if tensor is not None]
    full = all(tensor.dtype == torch.float32 and tensor.device.type == "cpu" for tensor in tensors)
    # oneDNN has no product of no rows (experts and languages that no token of a batch asks for).
    return full and states.numel() > 0 and torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")


def install(model: nn.Module) -> None:
    """Let every plain linear layer in `model` compute by oneDNN while it is trained in fp32, where that pays."""
    for module in model.modules() if pays(torch.float32) else ():
        module.__class__ = KINDS.get(type(module), type(module))


def uninstall(model: nn.Module) -> None:
    """Take back what `install` did."""
    plain = {ours: theirs for theirs, ours in KINDS.items()}
    for module in model.modules():
        module.__class__ = plain.get(type(module), type(module))


def precision(model: nn.Module) -> torch.dtype | None:
    """That of the model's matrices, all of them on a CPU: fp32 or bf16. None where they differ, or autocast would round fp32."""
    kinds = {(weight.device.type, weight.dtype) for weight in model.parameters() if weight.ndim > 1}
    if kinds == {("cpu", torch.bfloat16)}:
        return torch.bfloat16
    return torch.float32 if kinds == {("cpu", torch.float32)} and not torch.is_autocast_enabled("cpu") else None


def replacements(model: nn.Module) -> Iterator[tuple[nn.Module, str, Callable[[Tensor], Tensor]]]:
    """Linear layers, "forward", and what computes the same without gradients as long as the weights stay as they are."""
    kinds = {*KINDS, *KINDS.values()}
    layers = [module for module in model.modules() if type(module) in kinds and pays(module.weight.dtype)]
    packs = sum(layer.weight.nbytes for layer in layers) <= PACKED
    for layer in layers:
        # Where somebody else has changed a method it stays as it is.
        if "forward" not in vars(layer) and (layer.bias is None or layer.bias.dtype == layer.weight.dtype):
            yield layer, "forward", _product_of(layer, packs)


def _product_of(layer: nn.Module, packs: bool) -> Callable[[Tensor], Tensor]:
    weight = layer.weight.detach()
    weight = weight.t() if isinstance(layer, Conv1D) else weight
    if packs:
        weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous())
    return partial(_rounded, weight, layer.bias)


def _rounded(weight: Tensor, bias: Tensor | None, states: Tensor) -> Tensor:
    # Norms give fp32 where their weights are; autocast, which knows nothing of this operator, would round likewise.
    return product(states.to(weight.dtype), weight, bias)


@contextmanager
def replaced(changes: Iterator[tuple[nn.Module, str, Callable[..., Any]]]) -> Iterator[None]:
    """Inside, these methods of these modules are others."""
    made = []
    try:
        for module, name, function in changes:
            setattr(module, name, function)
            made.append((module, name))
        yield
    finally:
        for module, name in made:
            delattr(module, name)


@contextmanager
def packed(model: nn.Module) -> Iterator[None]:
    """Inside, the model's linear layers compute by oneDNN where that pays, without gradients; its weights must stay as they are."""
    with replaced(replacements(model) if precision(model) else iter(())):
        yield
