"""How large a model is, from the files that are there before it is loaded."""

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

# What configurations call the same thing.
NAMES = {
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "encoder_layers", "num_layers", "block_count"),
    "width": ("hidden_size", "n_embd", "d_model", "dim", "embedding_length"),
    "inner": (
        "intermediate_size",
        "n_inner",
        "d_ff",
        "encoder_ffn_dim",
        "ffn_dim",
        "hidden_dim",
        "feed_forward_length",
    ),
    "heads": (
        "num_attention_heads",
        "n_head",
        "n_heads",
        "num_heads",
        "encoder_attention_heads",
        "attention.head_count",
    ),
    "positions": ("max_position_embeddings", "n_positions", "context_length"),
}
ACTIVATIONS = ("activation_function", "hidden_act", "dense_act_fn")
DROPOUT = ("attention_probs_dropout_prob", "attn_pdrop", "attention_dropout", "dropout_rate")
# Activations written out step by step, each of which is kept for the way back
UNFUSED = ("gelu_new", "gelu_fast", "quick_gelu")
RELATIVE = ("t5", "mt5", "umt5")  # their n_positions is no limit
# Models whose layers have BERT's `attention.output`: a head that reads the first token leaves out most of the last
# layer, see `harness.fast.packing`.
NARROWS = ("bert", "roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "electra", "ernie")


@dataclass(frozen=True)
class Shape:
    """A model as far as its cost goes.

    Attributes:
        layers: of the encoder, or of the only stack.
        decoder_layers: of a decoder beside an encoder; 0 where there is none.
        width: of the hidden states.
        weights: in the matrices of the first stack's layers.
        decoder_weights: in those of the decoder beside it, cross-attention included.
        vocabulary: rows of the table of word embeddings.
        parameters: all of them.
        heads: of an attention layer.
        positions: the most tokens that can be read, or None.
        drops: whether attention has dropout, which its fast kernels on CPUs do not know: the scores are then written
            out.
        rotates: whether positions are rotations of the states, as in Llama and its kin, whose norms and gates are not
            fused either.
        unfused: whether the activations in the layers are written out step by step.
        narrows: whether the last layer goes on with the first token of each row where the head reads no other.
        relative: whether a decoder's positions are told by their distance, so that each row may have its own.
        type: the `model_type` of its configuration.
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
    narrows: bool = False
    relative: bool = False
    type: str = ""
    unfused: bool = False


def shape_of(checkpoint: Checkpoint, known: int | None = None) -> Shape | None:
    """The shape of a resolved checkpoint, or None where its files do not tell.

    Args:
        checkpoint: a folder, a GGUF file, or a commit of the Hub of which the cache has the configuration.
        known: its parameters, where something else than its files tells them (the registry, a record).
    """
    if checkpoint.gguf:
        return _gguf(Path(checkpoint.location, checkpoint.gguf))
    config = _file(checkpoint, "config.json")
    if config is None:
        return None
    weights = _file(checkpoint, "model.safetensors")
    tensors = tensor_sizes(weights) if weights else {}
    return from_config(json.loads(config.read_text(encoding="utf-8")), tensors, known)


def from_config(config: Mapping[str, Any], tensors: Mapping[str, tuple[int, ...]], known: int | None) -> Shape | None:
    """The shape by a configuration and, where they are at hand, the sizes of the tensors; they win."""
    layers, width = _first(config, "layers"), _first(config, "width")
    if not layers or not width:
        return None
    inner = _first(config, "inner") or 4 * width
    vocabulary = config.get("vocab_size") or 0
    two_sided = bool(config.get("is_encoder_decoder"))
    decoder_layers = (config.get("num_decoder_layers") or config.get("decoder_layers") or layers) if two_sided else 0
    gated = "gated" in str(config.get("feed_forward_proj", "")) or str(config.get("hidden_act", "")).startswith("silu")
    layer = 4 * width * width + (3 if gated else 2) * width * inner
    weights, decoder_weights = layers * layer, decoder_layers * (layer + 4 * width * width)
    parameters = known or weights + decoder_weights + vocabulary * width
    if tensors:
        # The matrices of layers are those in numbered modules, whatever a model calls them.
        numbered = {name: math.prod(size) for name, size in tensors.items() if len(size) == 2 and _numbered(name)}
        decoder_weights = sum(count for name, count in numbered.items() if two_sided and "decoder" in name)
        weights = sum(numbered.values()) - decoder_weights
        parameters = sum(math.prod(size) for size in tensors.values())
    if config.get("num_hidden_groups"):  # ALBERT's layers share weights
        weights = weights * layers // config["num_hidden_groups"] if tensors else weights
    positions = None if config.get("model_type") in RELATIVE else _first(config, "positions")
    rotates = any(name.startswith("rope") and value for name, value in config.items())
    drops = any(config.get(name) for name in DROPOUT)
    heads = _first(config, "heads") or max(1, width // 64)
    return Shape(
        layers,
        decoder_layers,
        width,
        weights,
        decoder_weights,
        vocabulary,
        parameters,
        heads,
        positions,
        drops,
        rotates,
        narrows=config.get("model_type") in NARROWS,
        relative=config.get("model_type") in RELATIVE,
        type=str(config.get("model_type") or ""),
        unfused=any(config.get(name) in UNFUSED for name in ACTIVATIONS),
    )


def _first(config: Mapping[str, Any], what: str) -> int | None:
    found = (config.get(name) for name in NAMES[what])
    return next((value for value in found if isinstance(value, int) and value > 0), None)


def _numbered(name: str) -> bool:
    return any(part.isdigit() for part in name.split("."))


def _file(checkpoint: Checkpoint, name: str) -> Path | None:
    """A file of the checkpoint that is on this machine already."""
    if not checkpoint.revision:
        path = Path(checkpoint.location, name)
        return path if path.is_file() else None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(checkpoint.location, name, revision=checkpoint.revision)
    return Path(found) if isinstance(found, str) else None


def tokenizer_file(checkpoint: Checkpoint) -> Path | None:
    """The checkpoint's fast tokeniser, if it has one and it is on this machine."""
    return None if checkpoint.gguf else _file(checkpoint, "tokenizer.json")


def tensor_sizes(path: Path) -> dict[str, tuple[int, ...]]:
    """Tensor → its size, from the first bytes of a safetensors file: their length in 8 bytes, then JSON."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}


@cache
def _gguf(path: Path) -> Shape | None:
    from gguf import GGUFReader

    reader = GGUFReader(path)
    kind = reader.get_field("general.architecture").contents()
    prefix = f"{kind}."
    config = {
        name.removeprefix(prefix): field.contents()
        for name, field in reader.fields.items()
        if name.startswith(prefix) and len(field.data) == 1
    }
    tensors = {tensor.name: tuple(int(size) for size in tensor.shape) for tensor in reader.tensors}
    vocabulary = next((max(size) for name, size in tensors.items() if name.startswith("token_embd")), 0)
    two_sided = any(name.startswith("dec.") for name in tensors)
    named = {name.replace("dec.blk", "decoder.blk"): size for name, size in tensors.items()}
    return from_config(
        {**config, "model_type": kind, "vocab_size": vocabulary, "is_encoder_decoder": two_sided}, named, None
    )
