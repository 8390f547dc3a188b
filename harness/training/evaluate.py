"""Predictions for a list of examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from harness.fast.prepare import Fast
from harness.heads.base import Feature, Head
from harness.heads.library_errors import OUT_OF_MEMORY
from harness.linear import packed
from harness.training.batches import evaluation_batches
from harness.training.cost import advise, free_unused
from harness.training.together import Team

# Computed together on a CPU where nothing is written: what a layer makes of more does not fit into a cache, and memory for it is
# asked of the system anew in each layer.
AT_ONCE = 4096  # tokens


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

    Where a batch does not fit into memory it is cut in halves, and those that follow are no larger. Processes that train a
    cell together share the batches out; each has all outputs in the end.

    Args:
        accelerator: decides device and precision.
        model: prepared by the accelerator.
        head: pads, predicts and decodes.
        features: without labels; several may belong to one example.
        count: how many examples there are.
        batch_size: features computed together; a head with a pool is given that many times more to choose from.
        progress: is called with features done and in all, after each batch of this process.
        fast: how batches are computed; None: padded. A head that writes computes them in its own way.

    Raises:
        NotEnoughMemory: a single feature does not fit.
    """
    model.eval()
    fast = Fast() if fast is None else fast.unpacked() if head.writes else fast
    team = Team(accelerator)
    found: list[tuple[int, Any]] = []
    tokens = AT_ONCE if accelerator.device.type == "cpu" and not head.writes else None
    quick = fast.evaluates and not head.writes
    lengths = [feature.length for feature in features]
    waiting = team.share(evaluation_batches(lengths, batch_size * head.pool, tokens, fast.keys(features)))
    waiting.reverse()
    most = len(features)
    # A head that writes has more of the kind, which it uses itself.
    with torch.inference_mode(), accelerator.autocast(), packed(model) if quick else nullcontext():
        while waiting:
            numbers = waiting.pop()
            if len(numbers) > most:
                waiting += [numbers[most:], numbers[:most]]
                continue
            batch = head.collate([features[number] for number in numbers])
            try:
                outputs = fast.compute(partial(head.predict, model), batch, accelerator.device)
            except OUT_OF_MEMORY:
                outputs = None
            if outputs is None:  # outside of the handler, whose error keeps the tensors of the failed pass alive
                free_unused()
                if len(numbers) == 1:
                    raise advise("prediction", head.max_length)
                most = len(numbers) // 2
                waiting.append(numbers)
                continue
            found += zip(numbers, outputs, strict=True)
            progress(len(found), len(features))
    everywhere = dict(every := team.gather(found))
    # Not an assert: a row that is counted twice, or not at all, would be a wrong score.
    if len(every) != len(features) or len(everywhere) != len(features):
        raise RuntimeError(f"{len(every)} outputs of {len(everywhere)} features came back for {len(features)} features")
    return head.decode(features, [everywhere[number] for number in range(len(features))], count)
