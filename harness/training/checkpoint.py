"""The state of a training between two steps, and the file from which it can be resumed.

Accelerate's `save_state` writes a folder of several files, half of them pickles. A crash can leave a mix of new and old files,
and loading a pickle runs the code in it. Here the same state (weights, optimiser, schedule, random generators, position in the
data) and the weights of the best validation are one safetensors file with a digest, which is written completely or not at all.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from harness.files import write_atomically
from harness.training.weights import Weights

FORMAT = 2


class Unusable(Exception):
    """The file is not a checkpoint that this version can resume from: it is cut off, damaged, or has another format."""


@dataclass
class Progress:
    """How far a training has come, as plain values.

    Attributes:
        steps: optimiser steps done.
        seconds: time in training steps, without validations.
        tokens: tokens read by training steps, without padding.
        computed: tokens that the layers computed, with padding.
        history: for each validation its step, its score, and the mean training loss since the one before.
        validation: metrics of the best validation.
        best_step: optimiser steps before the best validation.
        best_score: score of the best validation; None before the first.
        waited: validations since the best one.
        ended: no step is left, and the model holds the weights of the best validation.
        micro_batch_size: maximum number of rows computed at once, where memory allowed fewer than the recipe.
        refused: why the training stopped packing its batches, or "".
        pruned: the training was stopped because other trials had better validations.
    """

    steps: int = 0
    seconds: float = 0.0
    tokens: int = 0
    computed: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    validation: dict[str, Any] = field(default_factory=dict)
    best_step: int = 0
    best_score: float | None = None
    waited: int = 0
    ended: bool = False
    micro_batch_size: int | None = None
    refused: str = ""
    pruned: bool = False


@dataclass
class State:
    """A training between two steps.

    Attributes:
        losses: losses of the steps since the last validation.
        best: the weights of the best validation; None while the model still holds them.
    """

    weights: Weights
    optimiser: Optimizer
    schedule: LRScheduler
    progress: Progress = field(default_factory=Progress)
    losses: list[Tensor] = field(default_factory=list)
    best: dict[str, Tensor] | None = None


class RandomStates:
    """The current states of all random generators that a training uses."""

    def __init__(self) -> None:
        self.python = random.getstate()
        self.numpy = np.random.get_state()
        self.torch = torch.get_rng_state()
        self.device = _device_generator().get_rng_state() if _device_generator() else None

    def restore(self) -> None:
        """Set the generators back to these states."""
        random.setstate(self.python)
        np.random.set_state(self.numpy)
        torch.set_rng_state(self.torch)
        if self.device is not None:
            _device_generator().set_rng_state(self.device)

    def to_plain(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Return the states as values for JSON and as tensors."""
        kind, keys, *rest = self.numpy
        values = {"python": self.python, "numpy": [kind, *rest]}
        tensors = {"numpy": torch.from_numpy(keys.astype(np.int64)), "torch": self.torch}
        return values, tensors | ({} if self.device is None else {"device": self.device})

    @classmethod
    def from_plain(cls, values: dict[str, Any], tensors: dict[str, Tensor]) -> RandomStates:
        """Rebuild the states from the result of `to_plain`."""
        states = cls.__new__(cls)
        version, keys, gauss = values["python"]
        states.python = (version, tuple(keys), gauss)
        kind, *rest = values["numpy"]
        states.numpy = (kind, tensors["numpy"].numpy().astype(np.uint32), *rest)
        states.torch, states.device = tensors["torch"], tensors.get("device")
        return states


def _device_generator() -> Any:
    """Return the torch module whose `get_rng_state` is that of the GPU in use, or None without a GPU."""
    if torch.cuda.is_initialized():
        return torch.cuda
    return torch.mps if torch.backends.mps.is_available() else None


@dataclass
class SavedTraining:
    """The content of a checkpoint file: plain values and named tensors."""

    values: dict[str, Any]
    tensors: dict[str, Tensor]

    @classmethod
    def of(cls, state: State, generators: Iterable[tuple[dict[str, Any], dict[str, Tensor]]]) -> SavedTraining:
        """Build the checkpoint of a state.

        Args:
            state: of the training.
            generators: for each process of the training the result of `RandomStates.to_plain`.
        """
        tensors = {f"model/{name}": tensor for name, tensor in state.weights.items()}
        tensors |= {f"best/{name}": tensor for name, tensor in (state.best or {}).items()}
        optimiser = state.optimiser.state_dict()
        for number, slots in optimiser["state"].items():
            tensors |= {f"optimiser/{number}/{name}": tensor for name, tensor in slots.items()}
        if state.losses:
            tensors["losses"] = torch.stack(state.losses)
        plain = []
        for rank, (values, states) in enumerate(generators):
            plain.append(values)
            tensors |= {f"random/{rank}/{name}": tensor for name, tensor in states.items()}
        return cls(
            {
                "progress": asdict(state.progress), "groups": optimiser["param_groups"],
                "schedule": state.schedule.state_dict(), "random": plain,
            },
            {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
        )  # fmt: skip

    def mismatch(self, weights: Weights, processes: int) -> str:
        """Return why a training of `weights` by so many processes cannot resume from this checkpoint; "" if it can."""
        shapes = {f"model/{name}": tensor.shape for name, tensor in weights.items()}
        if shapes != {name: tensor.shape for name, tensor in self.tensors.items() if name.startswith("model/")}:
            return "it was made of another model"
        if len(self.values["random"]) != processes:
            return "it was made by another number of processes"
        return ""

    def restore(self, state: State, rank: int) -> None:
        """Set a newly built state, and the random generators of process `rank`, to those of the checkpoint."""
        device = next(state.weights.model.parameters()).device
        state.weights.put(self._part("model/"))
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in self._part("optimiser/").items():
            number, _, key = name.partition("/")
            slots.setdefault(int(number), {})[key] = tensor
        groups = [{**group, "betas": tuple(group["betas"])} for group in self.values["groups"]]
        state.optimiser.load_state_dict({"state": slots, "param_groups": groups})
        state.schedule.load_state_dict(self.values["schedule"])
        state.progress = Progress(**self.values["progress"])
        state.losses = [tensor.to(device) for tensor in self.tensors.get("losses", torch.empty(0))]
        state.best = {name: tensor.to(device) for name, tensor in self._part("best/").items()} or None
        RandomStates.from_plain(self.values["random"][rank], self._part(f"random/{rank}/")).restore()

    def _part(self, prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): tensor for name, tensor in self.tensors.items() if name.startswith(prefix)}

    def save(self, path: Path) -> None:
        """Write the file.

        Raises:
            OSError: the disk is full; an earlier file stays as it was.
        """
        size = sum(tensor.numel() * tensor.element_size() for tensor in self.tensors.values())
        metadata = {
            "format": str(FORMAT), "digest": _digest(self.tensors, self.values), "values": json.dumps(self.values),
        }  # fmt: skip

        def fill(temporary: Path) -> None:
            # Checked beforehand, because safetensors' error does not carry the system's error number.
            if shutil.disk_usage(path.parent).free < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            try:
                save_file(self.tensors, temporary, metadata)
            except SafetensorError as error:
                raise OSError(f"{path.name} cannot be written: {error}") from error

        write_atomically(path, fill)

    @classmethod
    def load(cls, path: Path) -> SavedTraining | None:
        """Read the file; None if there is none.

        Raises:
            Unusable: the file is cut off or damaged, or another version wrote it.
        """
        if not path.exists():
            return None
        try:
            with safe_open(path, "pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            if metadata.get("format") != str(FORMAT):
                raise Unusable("another version wrote it")
            values = json.loads(metadata["values"])
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            raise Unusable(f"it cannot be read: {error}") from error
        if metadata.get("digest") != _digest(tensors, values):
            raise Unusable("it is damaged")
        return cls(values, tensors)


def _digest(tensors: dict[str, Tensor], values: dict[str, Any]) -> str:
    digest = hashlib.blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
