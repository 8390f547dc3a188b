"""The size and layout of a model, from its files, before it is loaded."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from harness.model import Checkpoint

# Names in configurations for the same value.
NAMES = {
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "encoder_layers", "num_layers", "block_count"),
    "width": ("hidden_size", "n_embd", "d_model", "dim", "embedding_length"),
    "inner": (
        "intermediate_size", "n_inner", "d_ff", "encoder_ffn_dim", "ffn_dim", "hidden_dim", "feed_forward_length",
    ),
    "heads": (
        "num_attention_heads", "n_head", "n_heads", "num_heads", "encoder_attention_heads", "attention.head_count",
    ),
    "positions": ("max_position_embeddings", "n_positions", "context_length"),
}  # fmt: skip
ACTIVATIONS = ("activation_function", "hidden_act", "dense_act_fn")
DROPOUT = ("attention_probs_dropout_prob", "attn_pdrop", "attention_dropout", "dropout_rate")
UNFUSED = ("gelu_new", "gelu_fast", "quick_gelu")  # computed in steps, each of which is stored for the backward pass
RELATIVE = ("t5", "mt5", "umt5")  # types with relative positions, whose n_positions is no limit


@dataclass(frozen=True)
class Shape:
    """The facts about a model that decide its cost.

    Attributes:
        layers: of the encoder, or of the only stack.
        decoder_layers: of a decoder beside an encoder; 0 without one.
        width: size of the hidden states.
        weights: number of weights in the matrices of the first stack's layers.
        decoder_weights: the same for the decoder beside it, cross-attention included.
        vocabulary: rows of the table of word embeddings.
        parameters: number of all weights.
        heads: attention heads of a layer.
        positions: maximum input length in tokens, or None.
        drops: whether attention has dropout: fast CPU kernels cannot do that, so scores are then stored.
        rotates: whether positions are rotary, as in Llama and similar models, whose norms and gates are not fused either.
        relative: whether a decoder's positions are relative, so that each row may have its own.
        type: the `model_type` of the configuration.
        unfused: whether activations are computed in several steps.
    """

    layers: int
    decoder_layers: int
    width: int
    weights: int
    decoder_weights: int
    vocabulary: int
    parameters: int
    heads: int = 1
    positions: int | None = None
    drops: bool = True
    rotates: bool = False
    relative: bool = False
    type: str = ""
    unfused: bool = False


def shape_of(checkpoint: Checkpoint, parameters: int | None = None) -> Shape | None:
    """The shape of a resolved checkpoint, or None if its files do not tell.

    Args:
        checkpoint: a folder, a GGUF file, or a commit of the Hub whose configuration is cached.
        parameters: number of weights, if known from the registry or a record.
    """
    if checkpoint.gguf:
        return _gguf_shape(Path(checkpoint.location, checkpoint.gguf))
    config = _local_file(checkpoint, "config.json")
    if config is None:
        return None
    weights = _local_file(checkpoint, "model.safetensors")
    tensors = tensor_sizes(weights) if weights else {}
    return from_config(json.loads(config.read_text(encoding="utf-8")), tensors, parameters)


def from_config(
    config: Mapping[str, Any], tensors: Mapping[str, tuple[int, ...]], parameters: int | None
) -> Shape | None:
    """The shape by a configuration, and by the sizes of the tensors where these are known; tensors take precedence."""
    layers, width = _first(config, "layers"), _first(config, "width")
    if not layers or not width:
        return None
    inner = _first(config, "inner") or 4 * width
    vocabulary = config.get("vocab_size") or 0
    encoder_decoder = bool(config.get("is_encoder_decoder"))
    decoder_layers = (config.get("num_decoder_layers") or config.get("decoder_layers") or layers) if encoder_decoder else 0
    gated = "gated" in str(config.get("feed_forward_proj", "")) or str(config.get("hidden_act", "")).startswith("silu")
    layer = 4 * width * width + (3 if gated else 2) * width * inner
    weights, decoder_weights = layers * layer, decoder_layers * (layer + 4 * width * width)
    parameters = parameters or weights + decoder_weights + vocabulary * width
    if tensors:
        # The matrices of layers are those in numbered modules, whatever a model calls them.
        sizes = {name: math.prod(size) for name, size in tensors.items() if len(size) == 2 and _is_numbered(name)}
        decoder_weights = sum(size for name, size in sizes.items() if encoder_decoder and "decoder" in name)
        weights = sum(sizes.values()) - decoder_weights
        parameters = sum(math.prod(size) for size in tensors.values())
        if config.get("num_hidden_groups"):  # ALBERT's layers share weights
            weights = weights * layers // config["num_hidden_groups"]
    model_type = config.get("model_type")
    return Shape(
        layers=layers,
        decoder_layers=decoder_layers,
        width=width,
        weights=weights,
        decoder_weights=decoder_weights,
        vocabulary=vocabulary,
        parameters=parameters,
        heads=_first(config, "heads") or max(1, width // 64),
        positions=None if model_type in RELATIVE else _first(config, "positions"),
        drops=any(config.get(name) for name in DROPOUT),
        rotates=any(name.startswith("rope") and value for name, value in config.items()),
        relative=model_type in RELATIVE,
        type=str(model_type or ""),
        unfused=any(config.get(name) in UNFUSED for name in ACTIVATIONS),
    )


def _first(config: Mapping[str, Any], key: str) -> int | None:
    values = (config.get(name) for name in NAMES[key])
    return next((value for value in values if isinstance(value, int) and value > 0), None)


def _is_numbered(name: str) -> bool:
    return any(part.isdigit() for part in name.split("."))


def _local_file(checkpoint: Checkpoint, name: str) -> Path | None:
    """A file of the checkpoint, if it is on this machine."""
    if not checkpoint.revision:
        path = Path(checkpoint.location, name)
        return path if path.is_file() else None
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(checkpoint.location, name, revision=checkpoint.revision)
    return Path(cached) if isinstance(cached, str) else None


def tokenizer_file(checkpoint: Checkpoint) -> Path | None:
    """The file of the checkpoint's fast tokeniser, if it has one and it is on this machine."""
    return None if checkpoint.gguf else _local_file(checkpoint, "tokenizer.json")


def tensor_sizes(path: Path) -> dict[str, tuple[int, ...]]:
    """Tensor → its shape, from the start of a safetensors file: the length of the header in 8 bytes, then JSON."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}


@cache
def _gguf_shape(path: Path) -> Shape | None:
    from gguf import GGUFReader

    reader = GGUFReader(path)
    kind = reader.get_field("general.architecture").contents()
    config = {
        name.removeprefix(f"{kind}."): field.contents()
        for name, field in reader.fields.items()
        if name.startswith(f"{kind}.") and len(field.data) == 1
    }
    tensors = {tensor.name: tuple(int(size) for size in tensor.shape) for tensor in reader.tensors}
    config["model_type"] = kind
    config["vocab_size"] = next((max(size) for name, size in tensors.items() if name.startswith("token_embd")), 0)
    config["is_encoder_decoder"] = any(name.startswith("dec.") for name in tensors)
    return from_config(config, {name.replace("dec.blk", "decoder.blk"): size for name, size in tensors.items()}, None)
