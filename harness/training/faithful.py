"""Does half precision compute what fp32 would? Asked of a model that gives one and the same prediction for every row: it may have
learnt no better, or its numbers may have been lost."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from harness.fast.prepare import Fast
from harness.heads.base import Feature, Head
from harness.heads.library_errors import LibraryError, library_errors
from harness.training.weights import Weights

ROWS = 8  # a gradient of so few is enough to tell rounding, which turns it by a few degrees, from nonsense
ALIKE = 0.9  # cosine of two gradients
LOSS = 0.05  # by how much of it the loss may differ


def try_half(
    accelerator: Accelerator, model: nn.Module, weights: Weights, head: Head, fast: Fast, features: Sequence[Feature]
) -> None:
    """Compute one row, forward and backward, in the half precision that a training is about to use.

    Args:
        accelerator: of half precision.
        model: as it prepared it.
        weights: of the model; no gradient stays behind.
        head: of the model.
        fast: how batches are computed.
        features: of the training.

    Raises:
        FloatingPointError: a layer cannot compute in it.
    """
    row = min(features, key=lambda feature: feature.length)
    model.train()
    try:
        chance = torch.random.fork_rng([accelerator.device] if accelerator.device.type == "cuda" else [])
        with library_errors("half precision"), chance, accelerator.autocast():
            fast.compute(partial(head.loss, model), head.collate([row]), accelerator.device).backward()
    except LibraryError as error:
        raise FloatingPointError(f"a layer cannot be computed ({error})") from error
    finally:
        weights.forget_gradients()


def is_faithful(
    accelerator: Accelerator, model: nn.Module, weights: Weights, head: Head, fast: Fast, features: Sequence[Feature]
) -> bool:
    """Whether loss and gradient of some training rows are, up to rounding, those of fp32. The model ends in fp32.

    Args:
        accelerator: of half precision.
        model: as it prepared it.
        weights: of the model.
        head: of the model.
        fast: how batches are computed.
        features: of the training.
    """
    rows = sorted(features, key=lambda feature: feature.length)[: 2 * ROWS][-ROWS:]

    def computed(model: nn.Module) -> tuple[Tensor, Tensor]:
        weights.forget_gradients()
        loss = fast.compute(partial(head.loss, model), head.collate(rows), accelerator.device)
        loss.backward()
        weights.complete_gradients()
        return loss.detach().float(), torch.cat([parameter.grad.flatten() for parameter in weights.parameters()])

    model.eval()  # without dropout, which would be other chance each time
    half, other = computed(model)
    weights.widen()
    full, gradient = computed(accelerator.unwrap_model(model, keep_fp32_wrapper=False))
    alike = torch.cosine_similarity(other, gradient, dim=0)
    return bool(alike > ALIKE) and bool((half - full).abs() <= LOSS * full.abs())
