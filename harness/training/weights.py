"""The trained weights of a model: in fp32, and stored as a few long tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

ALIGNMENT = 64  # numbers; whole cache lines in fp32 and in bf16


class Flat:
    """Several weights stored one after another and trained as a single parameter.

    An optimiser step over a hundred tensors takes longer for its calls than for its numbers. The model reads views of the flat
    parameter, or of a bf16 copy of it. A weight that a batch does not reach has a gradient of zeros, as in other
    implementations of flat parameters (Zhao et al. 2023, "PyTorch FSDP").

    Args:
        weights: in fp32 on one device; their data is moved into the flat parameter.
        half: whether the model reads a bf16 copy.

    Attributes:
        parameter: [numbers] in fp32, always with a gradient; zeros fill the gaps between the weights.
        views: for each weight its part of the parameter, in the weight's shape.
        gradients: for each weight its part of the gradient, in the weight's shape.
    """

    def __init__(self, weights: Sequence[nn.Parameter], half: bool):
        sizes = [-(-weight.numel() // ALIGNMENT) * ALIGNMENT for weight in weights]
        self.parameter = nn.Parameter(torch.zeros(sum(sizes), device=weights[0].device))
        self.parameter.grad = torch.zeros_like(self.parameter)
        self.half = self.parameter.detach().to(torch.bfloat16) if half else None
        self.views = _views(self.parameter.detach(), sizes, weights)
        self.gradients = _views(self.parameter.grad, sizes, weights)
        for weight, view in zip(weights, self.views, strict=True):
            view.copy_(weight.detach())
        model_views = self.views if self.half is None else _views(self.half, sizes, weights)
        for weight, view in zip(weights, model_views, strict=True):
            weight.data = view
        self.publish()

    def publish(self) -> None:
        """Update the bf16 copy, if the model reads one."""
        if self.half is not None:
            self.half.copy_(self.parameter.detach())


def _views(flat: Tensor, sizes: Sequence[int], weights: Sequence[Tensor]) -> list[Tensor]:
    parts = flat.split(list(sizes))
    return [part[: weight.numel()].view(weight.shape) for part, weight in zip(parts, weights, strict=True)]


class Weights:
    """A model's trained weights and its buffers, by name. Weights that several layers share are included once.

    With `half`, the model itself is turned to bf16 in place, and the trained weights are fp32 copies of its own (Micikevicius et
    al. 2018, "Mixed precision training", section 3.1). A backward pass adds to the gradients of the copies; after an optimiser
    step, `publish` rounds them into the model. Autocast rounds to the same values, but it casts all weights and gradients in
    every step, and the input of each layer as often as it is read. Norms keep their fp32 weights, which are small; autocast does
    not round them either.

    Args:
        model: in fp32, on its device. Its weights are moved to other memory.
        half: whether the model computes in bf16 from now on.

    Attributes:
        trained: name → the fp32 weight that the optimiser updates. Frozen weights are not included.
        matrices: the flat parameters that hold all weights with two or more dimensions.
        vectors: the flat parameters that hold the other weights.
    """

    def __init__(self, model: nn.Module, half: bool = False):
        self.model = model
        halved = {id(weight) for weight in _read_by_products(model)} if half else set()
        kinds: dict[tuple[bool, bool], dict[str, nn.Parameter]] = {}
        for name, weight in model.named_parameters():
            if weight.requires_grad:
                kinds.setdefault((weight.ndim >= 2, id(weight) in halved), {})[name] = weight
            elif id(weight) in halved:
                weight.data = weight.data.to(torch.bfloat16)
        self._flats: list[Flat] = []
        self.matrices: list[nn.Parameter] = []
        self.vectors: list[nn.Parameter] = []
        self._gradients: dict[nn.Parameter, Tensor] = {}
        views: dict[str, Tensor] = {}
        for (is_matrix, in_half), named in kinds.items():
            flat = Flat(list(named.values()), half=in_half)
            self._flats.append(flat)
            (self.matrices if is_matrix else self.vectors).append(flat.parameter)
            views |= dict(zip(named, flat.views, strict=True))
            self._gradients |= dict(zip(named.values(), flat.gradients, strict=True))
        self.trained = {name: views[name] for name, _ in model.named_parameters() if name in views}
        self._reached: set[nn.Parameter] = set()
        for weight in self._gradients:
            weight.register_post_accumulate_grad_hook(self._take_gradient)

    def parameters(self) -> list[nn.Parameter]:
        """Return the flat parameters that the optimiser updates."""
        return [flat.parameter for flat in self._flats]

    def _take_gradient(self, weight: nn.Parameter) -> None:
        """Add the gradient of a backward pass to that of the flat parameter, and free its memory at once."""
        if weight in self._reached:
            self._gradients[weight].add_(weight.grad)
        else:
            self._gradients[weight].copy_(weight.grad)
            self._reached.add(weight)
        weight.grad = None

    def complete_gradients(self) -> None:
        """After the backward passes of a step, set the gradients of all weights that none of them reached to zero."""
        for weight, gradient in self._gradients.items():
            if weight not in self._reached:
                gradient.zero_()
        self._reached.clear()

    def forget_gradients(self) -> None:
        """Discard the gradients of backward passes that were not completed."""
        self._reached.clear()
        for weight in self._gradients:
            weight.grad = None

    def publish(self) -> None:
        """Copy the current weights into the model."""
        for flat in self._flats:
            flat.publish()

    def widen(self) -> None:
        """Turn the model back to fp32, for good. Frozen weights stay rounded."""
        for name, weight in self.model.named_parameters():
            if name in self.trained:
                weight.data = self.trained[name]
            elif weight.dtype == torch.bfloat16:
                weight.data = weight.data.float()

    def items(self) -> Iterator[tuple[str, Tensor]]:
        """Yield (name, tensor) of everything that must be saved to restore the model."""
        yield from self.trained.items()
        yield from self.model.named_buffers()

    def copy(self) -> dict[str, Tensor]:
        """Return copies of `items`."""
        return {name: tensor.clone() for name, tensor in self.items()}

    @torch.no_grad()
    def put(self, tensors: dict[str, Tensor]) -> None:
        """Set the weights and buffers to those of a copy."""
        for name, tensor in self.items():
            tensor.copy_(tensors[name])
        self.publish()


def _read_by_products(model: nn.Module) -> Iterator[nn.Parameter]:
    """Yield the fp32 weights of modules that own a matrix: linear layers with their biases, and embedding tables."""
    owned = {
        id(weight)
        for module in model.modules()
        if any(own.ndim >= 2 for own in module.parameters(recurse=False))
        for weight in module.parameters(recurse=False)
    }
    for weight in model.parameters():
        if id(weight) in owned and weight.dtype == torch.float32:
            yield weight
