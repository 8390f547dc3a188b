"""In the last layer, no work on tokens that the head does not read.

A head that classifies texts by their first token (Devlin et al. 2019) needs that token alone behind the last attention: its
output projection and the feed-forward network, three quarters of a layer, are computed for one token a row.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from harness.fast.attention import ACTIVE, NotPackable
from harness.fast.layout import Collect


def projection(layer: nn.Module) -> nn.Module:
    """Where a layer can go on with fewer tokens: BERT's and its kin's `attention.output`, which takes context and residual.

    Raises:
        NotPackable: the layer is built otherwise.
    """
    output = getattr(getattr(layer, "attention", None), "output", None)
    if not isinstance(output, nn.Module):
        raise NotPackable(f"{type(layer).__name__} has no attention.output")
    return output


def first_tokens(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The hook before that module: of all that it is given, the first token of each row."""
    packed = ACTIVE.get()
    if packed is None:
        return None
    packed.narrowed = True
    return tuple(Collect.apply(states[0], packed.own.firsts, packed.own.rows)[None] for states in args)


def widen(states: Tensor, width: int) -> Tensor:
    """[1, rows, size] → [rows, width, size]: every place holds its row's first token; only the first may be read."""
    return states[0][:, None].expand(-1, width, -1)
