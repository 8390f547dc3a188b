"""What the trial of a model came to, kept in the cache, so that a grid pays for it once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import msgspec
import torch
from torch import nn

from harness import caching
from harness.cache.encoded import source_digest
from harness.fast.rows_tried import tried
from harness.heads.base import Feature, Head

CODE = ("harness.fast", "harness.heads", "harness.heads.decoding", "harness.models.load", "harness.models.language_codes", "harness.linear", "harness.adapt")
LIBRARIES = ("torch", "transformers", "accelerate")


class Decision(msgspec.Struct):
    """How a model's batches are computed; see `harness.fast.prepare.Fast` for what the first five mean.

    Attributes:
        packed, first_only: whether batches are packed, and whether the last layer goes on with the first token of each row.
        whole: whether the table of word embeddings must not be cut down.
        head: what `Head.settle` has decided.
    """

    batches: Literal["padded", "rows of equal length", "single rows"]
    kernels: bool
    evaluates: bool
    refused: str
    notes: list[str]
    packed: bool
    first_only: bool
    whole: bool
    head: dict[str, bool | str]


def place_of(
    model: nn.Module, head: Head, splits: Sequence[Sequence[Feature]], training: Sequence[Feature]
) -> Path | None:
    """The file of the cache for such a cell: everything that a trial depends on is in its name. None: there is no cache, or the
    model's code is not ours to know."""
    folder = caching.cache_folder("preflight")
    checkpoint, recipe = head.pretrained.checkpoint, head.recipe
    if folder is None or not type(head).__module__.startswith("harness.") or checkpoint.remote_code:
        return None
    rows, ends = tried(splits, training)
    facts = {
        "code": source_digest(CODE),
        "libraries": {name: version(name) for name in LIBRARIES},
        "model": checkpoint.identity(),
        "class": [type(module).__qualname__ for module in (head, model)],
        "trained": sorted(name for name, weight in model.named_parameters() if weight.requires_grad),
        "method": [head.pretrained.method.name, recipe.lora_rank, recipe.lora_alpha, recipe.lora_dropout],
        "writes": [head.max_length, head.max_written, recipe.num_beams, dict(head.options)],
        "device": next(model.parameters()).device.type,
        "processor": torch.backends.cpu.get_cpu_capability(),
        "rows": [row.inputs for row in (*rows, *ends)],
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=repr).encode()).hexdigest()
    return folder / f"{digest}.json"


def read(place: Path | None, head: Head) -> Decision | None:
    """What the cache holds; None where that is nothing, or nothing that could be followed."""
    try:
        decision = msgspec.json.decode(place.read_bytes(), type=Decision) if place is not None else None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    usual = head.settled()
    if decision is None or {name: type(value) for name, value in decision.head.items()} != {
        name: type(value) for name, value in usual.items()
    }:
        return None
    return decision


def keep(place: Path | None, decision: Decision) -> None:
    """Write it to the cache, whole or not at all."""
    if place is not None:
        caching.write_file(place, lambda path: path.write_bytes(msgspec.json.encode(decision)))
