"""Tests of half precision: whether a model can be computed in it, and whether its results are those of fp32."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from harness.fast.prepare import BatchComputer
from harness.heads.base import Feature, Head
from harness.heads.library_errors import LibraryError, library_errors
from harness.training.weights import Weights

ROWS = 8  # rounding turns the gradient of so few rows by a few degrees; a larger angle means that numbers were lost
MIN_COSINE = 0.9  # of the gradients in half precision and in fp32
MAX_LOSS_CHANGE = 0.05  # relative


def check_one_row(
    accelerator: Accelerator, model: nn.Module, weights: Weights, head: Head, fast: BatchComputer, features: Sequence[Feature]
) -> None:
    """Compute the shortest training row forward and backward in the half precision that the training is about to use.

    Args:
        accelerator: set to half precision.
        model: prepared by the accelerator.
        weights: of the model; their gradients are cleared afterwards.
        head: of the model.
        fast: how batches are computed.
        features: of the training split.

    Raises:
        FloatingPointError: a layer cannot be computed in half precision.
    """
    row = min(features, key=lambda feature: feature.length)
    model.train()
    try:
        random_states = torch.random.fork_rng([accelerator.device] if accelerator.device.type == "cuda" else [])
        with library_errors("half precision"), random_states, accelerator.autocast():
            fast.compute(partial(head.loss, model), head.collate([row]), accelerator.device).backward()
    except LibraryError as error:
        raise FloatingPointError(f"a layer cannot be computed ({error})") from error
    finally:
        weights.forget_gradients()


def agrees_with_fp32(
    accelerator: Accelerator, model: nn.Module, weights: Weights, head: Head, fast: BatchComputer, features: Sequence[Feature]
) -> bool:
    """Return whether the loss and the gradient of some training rows are those of fp32, up to rounding.

    This is asked of a model that predicts the same for every row: it may have learned nothing better, or its numbers may have
    been lost in half precision. The arguments are those of `check_one_row`. The model is in fp32 afterwards.
    """
    rows = sorted(features, key=lambda feature: feature.length)[: 2 * ROWS][-ROWS:]

    def loss_and_gradient(model: nn.Module) -> tuple[Tensor, Tensor]:
        weights.forget_gradients()
        loss = fast.compute(partial(head.loss, model), head.collate(rows), accelerator.device)
        loss.backward()
        weights.complete_gradients()
        return loss.detach().float(), torch.cat([parameter.grad.flatten() for parameter in weights.parameters()])

    model.eval()  # dropout would draw other random numbers each time
    half_loss, half_gradient = loss_and_gradient(model)
    weights.widen()
    loss, gradient = loss_and_gradient(accelerator.unwrap_model(model, keep_fp32_wrapper=False))
    cosine = torch.cosine_similarity(half_gradient, gradient, dim=0)
    return bool(cosine > MIN_COSINE) and bool((half_loss - loss).abs() <= MAX_LOSS_CHANGE * loss.abs())
