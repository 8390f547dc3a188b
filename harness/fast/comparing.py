"""Comparing two computations of one model: in which mode it is, what it gives, and how far that may lie apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

SPREAD = 1e-3  # of the outputs' range: how far two ways of computing the same may lie apart
ROUNDING = 1e-5  # of the largest output
SAMPLED = 4096  # numbers of each gradient that are compared


@contextmanager
def evaluated(model: nn.Module) -> Iterator[None]:
    """Inside, the whole model is in evaluation mode; afterwards every module is in the mode in which it was."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def trained(model: nn.Module) -> Iterator[None]:
    """Inside, the model is in training mode, and drops nothing: neither states nor layers."""
    modes = [(module, module.training) for module in model.modules()]
    model.train()
    owners = [*model.modules(), *{id(one.config): one.config for one in model.modules() if hasattr(one, "config")}.values()]
    changed = [
        (owner, name, value) for owner in owners for name, value in list(vars(owner).items())
        if "drop" in name and isinstance(value, float) and value
    ]  # fmt: skip
    changed += [(module, "p", module.p) for module in model.modules() if isinstance(module, nn.Dropout)]
    for owner, name, _ in changed:
        setattr(owner, name, 0.0)
    try:
        yield
    finally:
        for owner, name, value in changed:
            setattr(owner, name, value)
        for module, mode in modes:
            module.training = mode


def close(expected: Sequence[Sequence[Tensor]], made: Sequence[Sequence[Tensor]]) -> bool:
    """Whether outputs agree but for rounding, measured by the range of each output over all rows."""
    for kind in range(len(expected[0])):
        one, other = ([row[kind] for row in rows] for rows in (expected, made))
        if any(a.shape != b.shape for a, b in zip(one, other, strict=True)):
            return False
        flat, others = (torch.cat([row.flatten() for row in rows]) for rows in (one, other))
        known = flat.isfinite()
        if not torch.equal(known, others.isfinite()):
            return False
        flat, others = flat[known], others[known]
        if not len(flat):
            continue
        allowed = SPREAD * float(flat.max() - flat.min()) + ROUNDING * float(flat.abs().max()) + 1e-6
        if not float((flat - others).abs().max()) <= allowed:
            return False
    return True


def generators(device: torch.device) -> Tensor:
    """The state of the random numbers that a model on a device may draw."""
    states = [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]
    return torch.cat(states)


def differs(expected: dict[str, Tensor], made: dict[str, Tensor]) -> str:
    """In what gradients differ from those of single rows; empty where they agree."""
    if lost := expected.keys() - made.keys():
        return f"the gradient of {min(lost)} is lost"
    whole = sum(float(gradient.square().sum()) for gradient in expected.values()) ** 0.5
    for name, gradient in expected.items():
        if gradient.shape != made[name].shape:
            continue  # a table of embeddings that was cut down
        if not float((gradient - made[name]).norm()) <= SPREAD * float(gradient.norm()) + 1e-4 * whole:
            return f"the gradient of {name} differs from that of single rows"
    return ""


def sampled(gradient: Tensor) -> Tensor:
    flat = gradient.detach().flatten()
    return flat[:: max(1, len(flat) // SAMPLED)].clone()
