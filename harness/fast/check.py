"""Does a model give the same packed as padded? Asked before every training, because models differ in what their layers do."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from harness.fast.attention import NotPackable
from harness.fast.stack import Packing

TOLERANCE = 1e-3  # of the largest output; rounding in fp32 is a thousandth of that


@torch.no_grad()
def check(
    packing: Packing, compute: Callable[[dict[str, Tensor]], dict[str, Tensor]], batch: dict[str, Tensor]
) -> None:
    """Compare what `compute` gives for a batch of rows of unlike length, without dropout.

    Args:
        packing: of the model.
        compute: the model in evaluation mode; what it gives is compared where it is a tensor of floats.
        batch: padded; as in training, but small.

    Raises:
        NotPackable: an output differs, or the model cannot be computed so.
    """
    padded = compute(batch)
    with packing(batch):
        try:
            packed = compute(batch)
        except (RuntimeError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise NotPackable(f"{type(error).__name__}: {error}") from error
    real = {tuple(mask.shape): mask for mask in (batch["attention_mask"].bool(), _labelled(batch)) if mask is not None}
    for name, expected in padded.items():
        if not isinstance(expected, Tensor) or not expected.is_floating_point():
            continue
        got = packed[name]
        if tuple(expected.shape[:2]) in real:
            expected, got = (outputs[real[tuple(expected.shape[:2])]] for outputs in (expected, got))
        difference = float((expected - got).abs().max())
        if not difference <= TOLERANCE * float(expected.abs().max()) + 1e-6:
            raise NotPackable(f"{name} differs by {difference:.2g}")


def _labelled(batch: dict[str, Tensor]) -> Tensor | None:
    labels = batch.get("labels")
    return labels != -100 if labels is not None and labels.ndim == 2 else None
