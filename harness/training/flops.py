"""How many floating-point operations a training needs, and how fast its device could do them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from functools import cache

import torch
from torch import nn

# How many floating-point operations a training needs, from the model's layers and the texts' lengths. The count is that of model
# FLOPs as in Chowdhery et al. 2022 (PaLM), appendix B, itself after Kaplan et al. 2020: a matrix of n weights costs 2n a token
# forward and 4n backward, and the scores and sums of an attention layer of width d over T tokens cost 4·T·d a token forward and
# twice that backward: 6·N + 12·layers·d·T a token when everything is trained. Weights that are looked up instead of multiplied
# (word and position embeddings) cost nothing; the matrix that gives a language model's logits counts. Padding, dropout, norms,
# activations, the optimiser and recomputation are left out, so that a faster loop has the same count in less time; so are the
# products by relative positions that DeBERTa adds.


# Beside the names of transformers' modules; what has none of these costs what its own tokens cost.
_QUERIES = {"query", "q", "q_proj", "q_lin", "query_proj"}
_FUSED = {"c_attn", "Wqkv", "qkv", "qkv_proj", "query_key_value"}  # queries, keys and values in one matrix
_SOURCE_SIDE = {"key", "value", "k", "v", "k_proj", "v_proj", "c_attn"}  # of a cross-attention: they read the source
_CROSS = ("cross", "encdec", "encoder_attn")
_ADAPTER = re.compile(r"\.lora_[AB]\.\w+$")  # behind the name of the layer that it is beside
_POOLED = ("pooler", "classification_head", "pre_classifier", "classifier.dense")  # once a row, not once a token


def forward_flops(model: nn.Module, read: Sequence[int], written: Sequence[int] | None = None) -> int:
    """Of one pass over rows, without gradients.

    Args:
        model: with its head.
        read: tokens of each row.
        written: tokens of each row's target, for models whose decoder reads it; None: a decoder reads what the encoder does.
    """
    return 2 * sum(operations for _, operations, _ in _products(model, read, written))


def training_flops(model: nn.Module, read: Sequence[int], written: Sequence[int] | None = None) -> int:
    """Of one pass over rows, forward and backward, without the optimiser.

    A matrix costs 2 forward, 2 for its own gradient if it is trained, and 2 for the gradient of its input if something
    below it is trained: 6 when all is trained, 4 for frozen weights beside trained adapters, 2 for those under a trained head.
    """
    trained = [name for name, weight in model.named_parameters() if weight.requires_grad and _is_below_the_head(name)]
    # Gradients come down to an encoder only if something of it is trained; what is above it, in the decoder, does not count.
    reading = [name for name in trained if not _is_two_sided(model) or _first_side(name) != "decoder"]
    deep = {"read": bool(reading), "written": bool(trained), "rows": bool(trained)}
    total = 0
    for seen, operations, own in _products(model, read, written):
        total += operations * (2 + (4 * deep[seen] if own is None else 2 * own + 2 * deep[seen]))
    return total


def depth(model: nn.Module) -> int:
    """Layers that a pass goes through, those of a decoder and an encoder together."""
    return sum(times for _, _, times in _attentions(model)) or 1


def _products(
    model: nn.Module, read: Sequence[int], written: Sequence[int] | None
) -> Iterator[tuple[str, int, bool | None]]:
    """(whose tokens it sees, multiplications, whether its weights are trained) of every matrix; of every attention layer, which
    has none, None."""
    two_sided = _is_two_sided(model)
    target = read if written is None else written
    tokens = {"read": sum(read), "written": sum(target), "rows": len(read)}
    times = _repeats(model)
    for name, module in _matrices(model):
        seen = _side(_ADAPTER.sub("", name), two_sided)
        yield seen, module.weight.numel() * tokens[seen] * times, module.weight.requires_grad
    for name, width, count in _attentions(model):
        decoder = two_sided and _first_side(name) == "decoder"
        cross = any(word in name.lower() for word in _CROSS)
        if cross:
            pairs = sum(ours * theirs for ours, theirs in zip(target, read, strict=True))
        else:
            pairs = sum(length * length for length in (target if decoder else read))
        # Scores and sums: both factors of these products are activations, so the backward pass has two more for each.
        yield "written" if cross or decoder else "read", 2 * pairs * width * count, None


def _matrices(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Layers that multiply by a weight of two dimensions, those with a shared weight each on its own.

    A layer with adapters beside it goes by the name that it had without them.
    """
    for name, module in model.named_modules():
        weight = module._parameters.get("weight")  # its own: PEFT's layers show that of the layer within
        looked_up = hasattr(module, "num_embeddings")  # also a table that was cut down to the words in use
        if weight is not None and weight.ndim == 2 and not looked_up:
            yield name.removesuffix(".base_layer"), module


def _attentions(model: nn.Module) -> list[tuple[str, int, int]]:
    """(name, width of the queries, how often it is run) of every attention layer."""
    times, found = _repeats(model), []
    for name, module in _matrices(model):
        leaf = name.rpartition(".")[2]
        if leaf in _QUERIES:
            found.append((name, module.weight.numel() // _input_width(module), times))
        elif leaf in _FUSED:
            width = _input_width(module)
            found.append((name, min(width, module.weight.numel() // width), times))
    return found


def _input_width(module: nn.Module) -> int:
    if isinstance(module, nn.Linear):
        return module.in_features
    return module.weight.shape[0]  # Conv1D of GPT-2 keeps its weight the other way round


def _repeats(model: nn.Module) -> int:
    """How often each layer is run in a pass: ALBERT's layers share weights."""
    config = getattr(model, "config", None)
    groups = getattr(config, "num_hidden_groups", None)
    return config.num_hidden_layers // groups if groups else 1


def _is_two_sided(model: nn.Module) -> bool:
    """Whether there is an encoder and a decoder that reads its states."""
    sides = {_first_side(name) for name, _, _ in _attentions(model)}
    return {"encoder", "decoder"} <= sides


def _first_side(name: str) -> str:
    return next((part for part in name.split(".") if part in ("encoder", "decoder")), "")


def _side(name: str, two_sided: bool) -> str:
    """Which tokens a matrix sees: `read`, `written` or one for each of the `rows`."""
    if any(word in name for word in _POOLED):
        return "rows"
    if not two_sided or _first_side(name) == "encoder":
        return "read"
    cross = any(word in name.lower() for word in _CROSS) and name.rpartition(".")[2] in _SOURCE_SIDE
    return "read" if cross else "written"


def _is_below_the_head(name: str) -> bool:
    """Whether a weight belongs to the numbered layers or the embeddings under them."""
    parts = name.split(".")
    return any(part.isdigit() for part in parts) or any(
        "embed" in part or part in ("wte", "wpe", "shared") for part in parts
    )


# How fast a device multiplies matrices: the roof under which a training step works.


SIZES = {"cpu": 512}  # rows and columns: a few milliseconds, so that the best one was not interrupted
LARGE = 4096  # of an accelerator
BUDGET = 0.05  # seconds


@cache
def matmul_peak(device: str, precision: str, threads: int) -> float:
    """FLOP/s of a plain matrix product, the best of as many as take about 50 ms.

    Args:
        device: as torch calls it, such as `cpu` or `cuda`.
        precision: `fp32` or `bf16`.
        threads: as torch is set now; part of the key only.
    """
    size = SIZES.get(device.split(":")[0], LARGE)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    # No random numbers: the generators belong to the cell.
    left = torch.full((size, size), 0.5, dtype=dtype, device=device)
    right = torch.full((size, size), 0.25, dtype=dtype, device=device)
    product = left @ right  # the first one prepares kernels and memory
    best, end = float("inf"), time.perf_counter() + BUDGET
    while best == float("inf") or time.perf_counter() < end:
        _wait(device)
        started = time.perf_counter()
        torch.matmul(left, right, out=product)
        _wait(device)
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device.startswith("mps"):
        torch.mps.synchronize()
