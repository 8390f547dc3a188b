"""Predictions for a list of examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from harness.fast.prepare import Fast
from harness.heads.base import Feature, Head
from harness.training.batches import evaluation_batches


def predict(
    accelerator: Accelerator,
    model: nn.Module,
    head: Head,
    features: Sequence[Feature],
    count: int,
    batch_size: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
    fast: Fast | None = None,
) -> list[Any]:
    """One output for each of `count` examples, in their order.

    Args:
        accelerator: decides device and precision.
        model: prepared by the accelerator.
        head: pads, predicts and decodes.
        features: without labels; several may belong to one example.
        count: how many examples there are.
        batch_size: features computed together; a head with a pool is given that many times more to choose from.
        progress: is called with features done and in all.
        fast: how batches are computed; None: padded. A head that writes computes them in its own way.
    """
    model.eval()
    fast = Fast() if fast is None or head.writes else fast
    outputs: list[Any] = [None] * len(features)
    done = 0
    with torch.inference_mode(), accelerator.autocast():
        for numbers in evaluation_batches([feature.length for feature in features], batch_size * head.pool):
            batch = head.collate([features[number] for number in numbers])
            found = fast.compute(partial(head.predict, model), batch, accelerator.device)
            for number, output in zip(numbers, found, strict=True):
                outputs[number] = output
            done += len(numbers)
            progress(done, len(features))
    assert done == len(features), f"{done} of {len(features)} features were predicted"
    return head.decode(features, outputs, count)
