"""Embedding tables that hold only the words of a cell's rows.

A word that no row contains has a zero gradient in every step. All that an optimiser does to its embedding is weight decay, and
nothing reads the result. Leaving these words out changes no output, and saves their gradients, norms and optimiser steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from harness.adapt.frozen import backbone
from harness.models.load import word_embeddings

MAX_SHARE = 0.8  # a table of which a larger share is used stays as it is


class UsedEmbedding(nn.Module):
    """The rows `used` of an embedding table, addressed by their indices in the whole table.

    Raises:
        IndexError: the index of a missing row is looked up.
    """

    def __init__(self, whole: nn.Embedding, used: Tensor):
        super().__init__()
        positions = torch.full((whole.num_embeddings,), -1, device=used.device)
        positions[used] = torch.arange(len(used), device=used.device)
        self.register_buffer("positions", positions, persistent=False)
        self.weight = nn.Parameter(whole.weight.detach()[used].clone(), requires_grad=whole.weight.requires_grad)
        self.num_embeddings, self.embedding_dim = len(used), whole.embedding_dim
        padding = whole.padding_idx
        self.padding_idx = None if padding is None or positions[padding] < 0 else int(positions[padding])

    def forward(self, input_ids: Tensor) -> Tensor:
        return nn.functional.embedding(self.positions[input_ids], self.weight, self.padding_idx)


def cut_to_used(model: nn.Module, used: Iterable[int]) -> tuple[int | None, Callable[[], None] | None]:
    """Cut the word embeddings down to the rows `used`, if they are a plain table that no other kind of layer shares.

    Returns:
        The number of rows that are left and a function that restores the table; None and None if it stays whole.
    """
    table = word_embeddings(backbone(model))
    if type(table) is not nn.Embedding or table.max_norm is not None or table.scale_grad_by_freq or table.sparse:
        return None, None
    ids = torch.tensor(sorted(used))
    if len(ids) > MAX_SHARE * table.num_embeddings or int(ids[-1]) >= table.num_embeddings:
        return None, None
    # An encoder-decoder has two or three embedding modules with one weight. An output layer with that weight scores all words.
    sharing = [module for module in model.modules() if any(p is table.weight for p in module.parameters(recurse=False))]
    if any(type(module) is not nn.Embedding for module in sharing):
        return None, None
    cut = UsedEmbedding(table, ids.to(table.weight.device))
    places = [
        (parent, name, child) for parent in list(model.modules()) for name, child in list(parent.named_children())
        if any(child is module for module in sharing)
    ]  # fmt: skip
    for parent, name, _ in places:
        setattr(parent, name, cut)

    def restore() -> None:
        for parent, name, child in places:
            setattr(parent, name, child)

    return len(ids), restore
