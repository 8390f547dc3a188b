"""Word embeddings of the words that a cell's rows hold, and of no others.

A word that no row holds has a zero gradient in every step; all that an optimiser does to its embedding is weight decay, and
nothing reads the result. Leaving it out changes no output, and saves the gradient, the norm and the step of most of a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from harness.adapt.frozen import backbone
from harness.models.load import word_embeddings

WORTH = 0.8  # share of the vocabulary above which the table stays as it is


class UsedEmbedding(nn.Module):
    """The rows `used` of an embedding table; asked for by their numbers in the whole table.

    Raises:
        IndexError: a number that is not among them is asked for.
    """

    def __init__(self, whole: nn.Embedding, used: Tensor):
        super().__init__()
        places = torch.full((whole.num_embeddings,), -1, device=used.device)
        places[used] = torch.arange(len(used), device=used.device)
        self.register_buffer("places", places, persistent=False)
        self.weight = nn.Parameter(whole.weight.detach()[used].clone(), requires_grad=whole.weight.requires_grad)
        self.num_embeddings, self.embedding_dim = len(used), whole.embedding_dim
        padding = whole.padding_idx
        self.padding_idx = None if padding is None or places[padding] < 0 else int(places[padding])

    def forward(self, input_ids: Tensor) -> Tensor:
        return nn.functional.embedding(self.places[input_ids], self.weight, self.padding_idx)


def keep_used(model: nn.Module, used: Iterable[int]) -> tuple[int | None, Callable[[], None] | None]:
    """Cut the table of word embeddings down to the rows `used`, where it is a plain table that nothing else shares.

    Returns:
        How many rows it has now, and what makes it whole again; None and None where it stayed whole.
    """
    table = word_embeddings(backbone(model))
    if type(table) is not nn.Embedding or table.max_norm is not None or table.scale_grad_by_freq or table.sparse:
        return None, None
    numbers = torch.tensor(sorted(used))
    if len(numbers) > WORTH * table.num_embeddings or int(numbers[-1]) >= table.num_embeddings:
        return None, None
    # An encoder-decoder has two or three such modules of one weight; an output layer among them would score every word.
    sharing = [module for module in model.modules() if any(p is table.weight for p in module.parameters(recurse=False))]
    if any(type(module) is not nn.Embedding for module in sharing):
        return None, None
    cut = UsedEmbedding(table, numbers.to(table.weight.device))
    places = [
        (parent, name, child) for parent in list(model.modules()) for name, child in list(parent.named_children())
        if any(child is module for module in sharing)
    ]  # fmt: skip
    for parent, name, _ in places:
        setattr(parent, name, cut)

    def undo() -> None:
        for parent, name, child in places:
            setattr(parent, name, child)

    return len(numbers), undo
