"""Attention over a group of rows: its output and gradients are those of the textbook's formula."""

import pytest
import torch

from harness.fast.attention import _kernel, _sdpa
from harness.fast.dropout import random_mask
from harness.fast.layout import Layout
from harness.fast.training_attention import TrainingAttention

CPU = torch.device("cpu")
HEADS, SIZE = 2, 3


def sides(mine, theirs):
    (own,), (read,) = (Layout(lengths, max(lengths), CPU).groups(((0, len(lengths)),)) for lengths in (mine, theirs))
    return own, read


def packed(count, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, HEADS, SIZE, generator=generator, dtype=torch.float64).requires_grad_()


def textbook(query, key, value, mine, theirs, bias, dropout, scaling):
    """Row by row, head by head."""
    torch.manual_seed(0)
    mask, scale = random_mask((len(mine) * HEADS, max(mine), max(theirs)), dropout, query.dtype)
    outputs = []
    starts = [sum(lengths[:row]) for lengths in (mine, theirs) for row in range(len(lengths))]
    for row, (own, read) in enumerate(zip(mine, theirs, strict=True)):
        first, begin = starts[row], starts[len(mine) + row]
        heads = []
        for head in range(HEADS):
            q, k, v = query[first : first + own, head], *(s[begin : begin + read, head] for s in (key, value))
            scores = q @ k.T * scaling
            if bias is not None:
                scores = scores + bias.expand(len(mine), HEADS, -1, -1)[row, head, :own, :read]
            heads.append(scores.softmax(-1) * mask[row * HEADS + head, :own, :read] * scale @ v)
        outputs.append(torch.stack(heads, 1))
    return torch.cat(outputs)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [([3, 3], [3, 3]), ([4, 2, 1], [4, 2, 1]), ([3, 1], [5, 2])],
    ids=["without padding", "padded", "two sides"],
)
@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("learned", [False, True], ids=["", "learned bias"])
def test_outputs_and_gradients(mine, theirs, dropout, learned):
    own, read = sides(mine, theirs)
    states = packed(sum(mine), 1), packed(sum(theirs), 2), packed(sum(theirs), 3)
    hidden = torch.zeros(len(theirs), 1, 1, max(theirs), dtype=torch.float64)
    for row, length in enumerate(theirs):
        hidden[row, ..., length:] = -torch.inf
    bias = torch.randn(1, HEADS, max(mine), max(theirs), dtype=torch.float64).requires_grad_() if learned else None
    given = hidden if bias is None else bias + hidden
    torch.manual_seed(0)
    made = TrainingAttention.apply(*states, own, read, given, dropout, 0.7)
    expected = textbook(*states, mine, theirs, bias, dropout, 0.7)
    torch.testing.assert_close(made, expected)
    leaves = [*states, *([bias] if learned else [])]
    upstream = torch.randn_like(made)
    for gradient, right in zip(
        torch.autograd.grad(made, leaves, upstream), torch.autograd.grad(expected, leaves, upstream), strict=True
    ):
        torch.testing.assert_close(gradient, right)


@pytest.mark.parametrize(
    ("query", "other", "dropout", "gradient", "wanted"),
    [
        (torch.bfloat16, torch.bfloat16, 0.0, True, TrainingAttention.apply),
        (torch.bfloat16, torch.bfloat16, 0.1, True, TrainingAttention.apply),
        (torch.float32, torch.float32, 0.1, True, TrainingAttention.apply),
        (torch.float32, torch.float32, 0.0, True, _sdpa),
        (torch.bfloat16, torch.bfloat16, 0.0, False, _sdpa),
        (torch.float32, torch.float32, 0.0, False, _sdpa),
        (torch.float32, torch.bfloat16, 0.0, False, _sdpa),
        (torch.float32, torch.bfloat16, 0.1, True, _sdpa),
    ],
)
def test_which_way_attention_goes(query, other, dropout, gradient, wanted):
    query, key, value = (torch.zeros(4, HEADS, SIZE, dtype=dtype) for dtype in (query, other, other))
    with torch.set_grad_enabled(gradient):
        assert _kernel(query, key, value, dropout) == wanted


@pytest.mark.parametrize("lengths", [[3, 3], [4, 2, 1]])
def test_unlike_precisions_under_autocast(lengths):
    own, read = sides(lengths, lengths)
    query, key, value = (packed(sum(lengths), seed).detach().float() for seed in (1, 2, 3))
    hidden = torch.zeros(len(lengths), 1, 1, max(lengths))
    for row, length in enumerate(lengths):
        hidden[row, ..., length:] = -torch.inf
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        mixed = query, key.bfloat16(), value.bfloat16()
        made = _kernel(*mixed, 0.0)(*mixed, own, read, hidden, 0.0, 0.7)
    expected = textbook(query, key, value, lengths, lengths, None, 0.0, 0.7)
    torch.testing.assert_close(made.float(), expected, rtol=0.05, atol=0.05)
