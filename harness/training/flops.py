"""How many floating-point operations a training needs, and how fast its device multiplies matrices.

The operations are counted from the model's layers and the lengths of the rows, as model FLOPs in Chowdhery et al. 2022 (PaLM),
appendix B, after Kaplan et al. 2020. A matrix of n weights costs 2n per token forward and 4n backward. The scores and the
weighted sums of an attention layer of width d over T tokens cost 4·T·d per token forward and twice that backward. In sum that is
6·N + 12·layers·d·T per token when all weights are trained. Embeddings cost nothing, because they are looked up; the matrix that
gives a language model's logits counts. Padding, dropout, norms, activations, the optimiser, recomputation and DeBERTa's products
with relative positions are left out, so a faster loop has the same count in less time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from functools import cache

import torch
from torch import nn

# Names of modules in transformers. A layer with another name is counted by the tokens of its own side.
_QUERIES = {"query", "q", "q_proj", "q_lin", "query_proj"}
_FUSED = {"c_attn", "Wqkv", "qkv", "qkv_proj", "query_key_value"}  # queries, keys and values in one matrix
_SOURCE_SIDE = {"key", "value", "k", "v", "k_proj", "v_proj", "c_attn"}  # of a cross-attention, which reads the source
_CROSS = ("cross", "encdec", "encoder_attn")
_ADAPTER = re.compile(r"\.lora_[AB]\.\w+$")  # follows the name of the adapted layer
_POOLED = ("pooler", "classification_head", "pre_classifier", "classifier.dense")  # computed once per row, not per token

CPU_SIZE, GPU_SIZE = 512, 4096  # rows and columns of the timed product; a small one on a CPU is rarely interrupted
BUDGET = 0.05  # seconds


def forward_flops(model: nn.Module, source: Sequence[int], target: Sequence[int] | None = None) -> int:
    """Count the operations of one forward pass over all rows.

    Args:
        model: with its head.
        source: [rows] tokens that the model reads.
        target: [rows] tokens of the decoder's input; None: the decoder reads the source.
    """
    return 2 * sum(operations for _, operations, _ in _products(model, source, target))


def training_flops(model: nn.Module, source: Sequence[int], target: Sequence[int] | None = None) -> int:
    """Count the operations of one forward and backward pass over all rows, without the optimiser.

    Per multiplication of a matrix: 2 forward, 2 for its own gradient if it is trained, and 2 for the gradient of its input if
    something below it is trained. That is 6 when all is trained, 4 for frozen weights beside trained adapters, and 2 for frozen
    layers below a trained head. The arguments are those of `forward_flops`.
    """
    trained = [name for name, weight in model.named_parameters() if weight.requires_grad and _is_below_the_head(name)]
    # Gradients reach an encoder only if a weight of it is trained, whatever is trained in the decoder above it.
    in_source = [name for name in trained if not _has_two_sides(model) or _side_in_name(name) != "decoder"]
    passes_gradient = {"source": bool(in_source), "target": bool(trained), "rows": bool(trained)}
    total = 0
    for side, operations, is_trained in _products(model, source, target):
        if is_trained is None:
            total += operations * (2 + 4 * passes_gradient[side])
        else:
            total += operations * (2 + 2 * is_trained + 2 * passes_gradient[side])
    return total


def depth(model: nn.Module) -> int:
    """Return the number of attention layers of a forward pass, those of encoder and decoder together."""
    return sum(times for _, _, times in _attentions(model)) or 1


def _products(
    model: nn.Module, source: Sequence[int], target: Sequence[int] | None
) -> Iterator[tuple[str, int, bool | None]]:
    """Yield for each matrix and each attention layer (side, multiplications, whether its weights are trained).

    The side is `source`, `target` or `rows` (once per row). Attention's own products have no weights: None.
    """
    two_sides = _has_two_sides(model)
    target = source if target is None else target
    tokens = {"source": sum(source), "target": sum(target), "rows": len(source)}
    times = _repeats(model)
    for name, module in _matrices(model):
        side = _side(_ADAPTER.sub("", name), two_sides)
        yield side, module.weight.numel() * tokens[side] * times, module.weight.requires_grad
    for name, width, count in _attentions(model):
        in_decoder = two_sides and _side_in_name(name) == "decoder"
        cross = any(word in name.lower() for word in _CROSS)
        if cross:
            pairs = sum(queries * keys for queries, keys in zip(target, source, strict=True))
        else:
            pairs = sum(length * length for length in (target if in_decoder else source))
        # Both factors of scores and sums are activations, so the backward pass has two products for each.
        yield "target" if cross or in_decoder else "source", 2 * pairs * width * count, None


def _matrices(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the layers that multiply by a matrix; layers with shared weights count each.

    An adapted layer has the name that it had without its adapters.
    """
    for name, module in model.named_modules():
        weight = module._parameters.get("weight")  # its own: PEFT's layers also show the weight of the layer within
        is_embedding = hasattr(module, "num_embeddings")  # also of a table that was cut down to the used words
        if weight is not None and weight.ndim == 2 and not is_embedding:
            yield name.removesuffix(".base_layer"), module


def _attentions(model: nn.Module) -> list[tuple[str, int, int]]:
    """Return (name, width of the queries, runs per pass) of each attention layer."""
    times, layers = _repeats(model), []
    for name, module in _matrices(model):
        leaf = name.rpartition(".")[2]
        if leaf in _QUERIES:
            layers.append((name, module.weight.numel() // _input_width(module), times))
        elif leaf in _FUSED:
            width = _input_width(module)
            layers.append((name, min(width, module.weight.numel() // width), times))
    return layers


def _input_width(module: nn.Module) -> int:
    if isinstance(module, nn.Linear):
        return module.in_features
    return module.weight.shape[0]  # GPT-2's Conv1D stores [in, out]


def _repeats(model: nn.Module) -> int:
    """Return how often each layer runs in a pass: more than once where layers share weights, as in ALBERT."""
    config = getattr(model, "config", None)
    groups = getattr(config, "num_hidden_groups", None)
    return config.num_hidden_layers // groups if groups else 1


def _has_two_sides(model: nn.Module) -> bool:
    """Return whether the model has an encoder and a decoder."""
    sides = {_side_in_name(name) for name, _, _ in _attentions(model)}
    return {"encoder", "decoder"} <= sides


def _side_in_name(name: str) -> str:
    return next((part for part in name.split(".") if part in ("encoder", "decoder")), "")


def _side(name: str, two_sides: bool) -> str:
    """Return what a matrix is multiplied with: the tokens of `source` or `target`, or one vector for each of the `rows`."""
    if any(word in name for word in _POOLED):
        return "rows"
    if not two_sides or _side_in_name(name) == "encoder":
        return "source"
    cross = any(word in name.lower() for word in _CROSS) and name.rpartition(".")[2] in _SOURCE_SIDE
    return "source" if cross else "target"


def _is_below_the_head(name: str) -> bool:
    """Return whether a weight belongs to the numbered layers or to the embeddings."""
    parts = name.split(".")
    return any(part.isdigit() for part in parts) or any(
        "embed" in part or part in ("wte", "wpe", "shared") for part in parts
    )


@cache
def matmul_peak(device: str, precision: str, threads: int) -> float:
    """Return the FLOP/s of a plain matrix product: the best of the products that fit into 50 ms.

    Args:
        device: torch's name for it, such as `cpu` or `cuda`.
        precision: `fp32` or `bf16`.
        threads: of torch at the moment; only a part of the cache's key.
    """
    size = CPU_SIZE if device.split(":")[0] == "cpu" else GPU_SIZE
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    # Constants, because drawing random numbers would change the cell's generators.
    left = torch.full((size, size), 0.5, dtype=dtype, device=device)
    right = torch.full((size, size), 0.25, dtype=dtype, device=device)
    product = left @ right  # the first product prepares kernels and memory
    best, end = float("inf"), time.perf_counter() + BUDGET
    while best == float("inf") or time.perf_counter() < end:
        _synchronize(device)
        started = time.perf_counter()
        torch.matmul(left, right, out=product)
        _synchronize(device)
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


def _synchronize(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device.startswith("mps"):
        torch.mps.synchronize()
