"""The weights that a training changes, in fp32, also where the model holds them in half precision."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn


class Weights:
    """A model's trained weights and its buffers, by name; what several layers share comes once.

    With `half` the model is turned to bf16 in place, and the weights that are trained are fp32 copies of its own (Micikevicius
    et al. 2018, "Mixed precision training", section 3.1): after a backward pass they `collect` the model's gradients, after a
    step of the optimiser they `publish` themselves, rounded. Autocast rounds to the same values, but all weights and all
    gradients anew, layer by layer, and each input of a layer as often as it is read.

    Norms keep their fp32 weights: they are small, and autocast does not round them either.

    Args:
        model: in fp32.
        half: whether it computes in bf16 from now on.

    Attributes:
        trained: name → what the optimiser steps. Frozen weights are those that were loaded.
    """

    def __init__(self, model: nn.Module, half: bool = False):
        self.model = model
        self.trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self._halves: dict[str, nn.Parameter] = {}
        for name, weight in _read_by_products(model) if half else ():
            if weight.requires_grad:
                self.trained[name] = nn.Parameter(weight.detach().clone())
                self._halves[name] = weight
            weight.data = weight.data.to(torch.bfloat16)
        self._room: dict[
            str, Tensor
        ] = {}  # for gradients of masters, kept: to ask for it in each step costs more than to fill it

    def parameters(self) -> list[nn.Parameter]:
        """What the optimiser steps."""
        return list(self.trained.values())

    def collect(self) -> None:
        """Add the gradients that a backward pass left in the model to those of the trained weights."""
        for name, half in self._halves.items():
            if half.grad is None:
                continue
            master = self.trained[name]
            if master.grad is None:
                if name not in self._room:
                    self._room[name] = torch.empty_like(master)
                master.grad = self._room[name].copy_(half.grad)
            else:
                master.grad.add_(half.grad)
            half.grad = None

    @torch.no_grad()
    def publish(self) -> None:
        """Give the model the weights as they are now."""
        for name, half in self._halves.items():
            half.copy_(self.trained[name])

    def forget_gradients(self) -> None:
        """Leave no gradient, neither in the model nor here."""
        self.model.zero_grad()
        for master in self.trained.values():
            master.grad = None

    def items(self) -> Iterator[tuple[str, Tensor]]:
        """All that has to be kept to have the model again."""
        yield from self.trained.items()
        yield from self.model.named_buffers()

    def copy(self) -> dict[str, Tensor]:
        """A copy of them."""
        return {name: tensor.detach().clone() for name, tensor in self.items()}

    @torch.no_grad()
    def put(self, tensors: dict[str, Tensor]) -> None:
        """Take over the weights of a copy."""
        for name, tensor in self.items():
            tensor.copy_(tensors[name])
        self.publish()


def _read_by_products(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """The fp32 weights of modules that own a matrix: linear layers with their biases, and tables of embeddings."""
    owners = {
        id(weight)
        for module in model.modules()
        if any(own.ndim >= 2 for own in module.parameters(recurse=False))
        for weight in module.parameters(recurse=False)
    }
    for name, weight in model.named_parameters():
        if id(weight) in owners and weight.dtype == torch.float32:
            yield name, weight
