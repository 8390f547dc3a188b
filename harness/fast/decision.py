"""The result of a model's preflight, kept in the cache so that the cells of a grid share it."""

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
from harness.fast.comparing import sample_rows
from harness.heads.base import Feature, Head

CODE = ("harness.fast", "harness.heads", "harness.heads.decoding", "harness.models.load", "harness.models.language_codes", "harness.adapt")
LIBRARIES = ("torch", "transformers", "accelerate")


class Decision(msgspec.Struct):
    """How a model's batches are computed. The first four attributes are those of `harness.fast.prepare.BatchComputer`.

    Attributes:
        packed: whether batches are packed.
        whole_vocabulary: whether the embedding table must not be cut down.
        head: what `Head.settle` has decided.
    """

    batches: Literal["padded", "rows of equal length", "single rows"]
    kernels: bool
    refused: str
    notes: list[str]
    packed: bool
    whole_vocabulary: bool
    head: dict[str, bool | str]


def cache_path(
    model: nn.Module, head: Head, splits: Sequence[Sequence[Feature]], training: Sequence[Feature]
) -> Path | None:
    """Return the cache file for a cell; its name is a digest of everything that the preflight depends on.

    None: there is no cache, or the head or the model has code that is not part of this package or of the libraries.
    """
    folder = caching.cache_folder("preflight")
    checkpoint, recipe = head.pretrained.checkpoint, head.recipe
    if folder is None or not type(head).__module__.startswith("harness.") or checkpoint.remote_code:
        return None
    rows, extremes = sample_rows(splits, training)
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
        "rows": [row.inputs for row in (*rows, *extremes)],
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=repr).encode()).hexdigest()
    return folder / f"{digest}.json"


def read(path: Path | None, head: Head) -> Decision | None:
    """Read the decision from the cache; None if there is none that fits the head."""
    try:
        decision = msgspec.json.decode(path.read_bytes(), type=Decision) if path is not None else None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if decision is None or _types(decision.head) != _types(head.settled()):
        return None
    return decision


def _types(settings: dict[str, bool | str]) -> dict[str, type]:
    return {name: type(value) for name, value in settings.items()}


def write(path: Path | None, decision: Decision) -> None:
    """Write the decision to the cache, if there is one."""
    if path is not None:
        caching.write_file(path, lambda temporary: temporary.write_bytes(msgspec.json.encode(decision)))
