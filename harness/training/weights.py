"""The weights that a training changes, in fp32, also where the model holds them in half precision."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from harness.training.optimiser import Flat


class Weights:
    """A model's trained weights and its buffers, by name; what several layers share comes once.

    With `half` the model is turned to bf16 in place, and the weights that are trained are fp32 copies of its own (Micikevicius
    et al. 2018, "Mixed precision training", section 3.1): a backward pass adds to their gradients, and after a step of the
    optimiser they `publish` themselves, rounded. Autocast rounds to the same values, but all weights and all gradients anew,
    layer by layer, and each input of a layer as often as it is read.

    Norms keep their fp32 weights: they are small, and autocast does not round them either.

    Args:
        model: in fp32, on its device. Its weights move to other memory.
        half: whether it computes in bf16 from now on.

    Attributes:
        trained: name → what the optimiser steps, in fp32. Frozen weights are those that were loaded.
        matrices: parameters of the optimiser that hold all weights of two dimensions and more.
        vectors: those that hold the others.
    """

    def __init__(self, model: nn.Module, half: bool = False):
        self.model = model
        halved = {id(weight): weight for weight in _read_by_products(model)} if half else {}
        kinds: dict[tuple[bool, bool], dict[str, nn.Parameter]] = {}
        for name, weight in model.named_parameters():
            if weight.requires_grad:
                kinds.setdefault((weight.ndim >= 2, id(weight) in halved), {})[name] = weight
            elif id(weight) in halved:
                weight.data = weight.data.to(torch.bfloat16)
        flats = {kind: Flat(list(named.values()), half=kind[1]) for kind, named in kinds.items()}
        self._flats = list(flats.values())
        self.matrices, self.vectors = (
            [flat.parameter for (matrix, _), flat in flats.items() if matrix == wanted] for wanted in (True, False)
        )
        places = {
            name: place
            for kind, named in kinds.items()
            for name, *place in zip(named, named.values(), flats[kind].views, flats[kind].gradients, strict=True)
        }
        self.trained = {name: places[name][1] for name, _ in model.named_parameters() if name in places}
        self._gradients = {weight: gradient for weight, _, gradient in places.values()}
        self._reached: set[nn.Parameter] = set()
        for weight in self._gradients:
            weight.register_post_accumulate_grad_hook(self._take)

    def parameters(self) -> list[nn.Parameter]:
        """What the optimiser steps."""
        return [flat.parameter for flat in self._flats]

    def _take(self, weight: nn.Parameter) -> None:
        """Add the gradient that a backward pass has just made to that of the trained weights; its memory is free at once."""
        if weight in self._reached:
            self._gradients[weight].add_(weight.grad)
        else:
            self._gradients[weight].copy_(weight.grad)
            self._reached.add(weight)
        weight.grad = None

    def complete_gradients(self) -> None:
        """After the backward passes of a step: zeros for weights that none of them reached."""
        for weight, gradient in self._gradients.items():
            if weight not in self._reached:
                gradient.zero_()
        self._reached.clear()

    def publish(self) -> None:
        """Give the model the weights as they are now."""
        for flat in self._flats:
            flat.publish()

    def widen(self) -> None:
        """Turn the model back to fp32, for good; frozen weights stay rounded."""
        for name, weight in self.model.named_parameters():
            if name in self.trained:
                weight.data = self.trained[name]
            elif weight.dtype == torch.bfloat16:
                weight.data = weight.data.float()

    def forget_gradients(self) -> None:
        """Leave nothing of backward passes that were not completed."""
        self._reached.clear()
        for weight in self._gradients:
            weight.grad = None

    def items(self) -> Iterator[tuple[str, Tensor]]:
        """All that has to be kept to have the model again."""
        yield from self.trained.items()
        yield from self.model.named_buffers()

    def copy(self) -> dict[str, Tensor]:
        """A copy of them."""
        return {name: tensor.clone() for name, tensor in self.items()}

    @torch.no_grad()
    def put(self, tensors: dict[str, Tensor]) -> None:
        """Take over the weights of a copy."""
        for name, tensor in self.items():
            tensor.copy_(tensors[name])
        self.publish()


def _read_by_products(model: nn.Module) -> Iterator[nn.Parameter]:
    """The fp32 weights of modules that own a matrix: linear layers with their biases, and tables of embeddings."""
    owners = {
        id(weight)
        for module in model.modules()
        if any(own.ndim >= 2 for own in module.parameters(recurse=False))
        for weight in module.parameters(recurse=False)
    }
    for weight in model.parameters():
        if id(weight) in owners and weight.dtype == torch.float32:
            yield weight
