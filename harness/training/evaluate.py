"""Predictions for a list of examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from harness.fast.prepare import BatchComputer
from harness.heads.base import Feature, Head
from harness.heads.library_errors import OUT_OF_MEMORY
from harness.training.batches import evaluation_batches
from harness.training.cost import free_unused, out_of_memory
from harness.training.together import Team

# Tokens of a batch on a CPU. The activations of more do not fit into the caches, and their memory is requested from the system
# anew in each layer.
CPU_TOKENS = 4096


def predict(
    accelerator: Accelerator,
    model: nn.Module,
    head: Head,
    features: Sequence[Feature],
    count: int,
    batch_size: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
    fast: BatchComputer | None = None,
) -> list[Any]:
    """Predict one output for each of `count` examples, in their order.

    A batch that does not fit into memory is halved, and so are all later ones. Processes that train a cell together share the
    batches; each of them returns all outputs.

    Args:
        accelerator: decides device and precision.
        model: prepared by the accelerator.
        head: collates the features, predicts and decodes.
        features: without labels; several may belong to one example.
        count: number of examples.
        batch_size: features computed together. A head that generates text receives `head.pool` times as many.
        progress: is called after each batch of this process with the number of features done and of all features.
        fast: how batches are computed; None: padded. A head that generates text computes its batches itself.

    Raises:
        NotEnoughMemory: a single feature does not fit.
    """
    model.eval()
    fast = BatchComputer() if fast is None else fast.unpacked() if head.writes else fast
    team = Team(accelerator)
    tokens = CPU_TOKENS if accelerator.device.type == "cpu" and not head.writes else None
    lengths = [feature.length for feature in features]
    pending = team.share(evaluation_batches(lengths, batch_size * head.pool, tokens, fast.keys(features)))
    pending.reverse()
    limit = len(features)
    outputs: list[tuple[int, Any]] = []
    with torch.inference_mode(), accelerator.autocast():
        while pending:
            indices = pending.pop()
            if len(indices) > limit:
                pending += [indices[limit:], indices[:limit]]
                continue
            batch = head.collate([features[index] for index in indices])
            try:
                computed = fast.compute(partial(head.predict, model), batch, accelerator.device)
            except OUT_OF_MEMORY:
                computed = None
            if computed is None:  # outside of the handler, whose error holds the tensors of the failed pass
                free_unused()
                if len(indices) == 1:
                    raise out_of_memory("prediction", head.max_length)
                limit = len(indices) // 2
                pending.append(indices)
                continue
            outputs += zip(indices, computed, strict=True)
            progress(len(outputs), len(features))
    gathered = team.gather(outputs)
    by_index = dict(gathered)
    # Not an assert: a row that is counted twice or not at all would give a wrong score.
    if len(gathered) != len(features) or len(by_index) != len(features):
        raise RuntimeError(f"{len(gathered)} outputs of {len(by_index)} features came back for {len(features)} features")
    return head.decode(features, [by_index[index] for index in range(len(features))], count)
