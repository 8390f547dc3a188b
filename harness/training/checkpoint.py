"""A training's state in one file, whole or not at all.

Accelerate's `save_state` writes a folder of several files, half of them pickles; a crash can leave some of them new and some
old, and loading a pickle runs what is in it. Here is the same state (weights, optimiser, schedule, random states, place in
the data), and the weights of the best validation, in one safetensors file with a digest.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from harness.files import write_atomically
from harness.training.state import Progress, RandomStates, State
from harness.training.weights import Weights

FORMAT = 2


class Unusable(Exception):
    """A file that is no checkpoint: cut off, damaged, or of another version."""


@dataclass
class SavedTraining:
    """What a file holds: named tensors and plain values."""

    values: dict[str, Any]
    tensors: dict[str, Tensor]

    @classmethod
    def of(cls, state: State, randoms: Iterable[tuple[dict[str, Any], dict[str, Tensor]]]) -> SavedTraining:
        """The checkpoint of a state, with the random states of every process that trains it."""
        tensors = {f"model/{name}": tensor for name, tensor in state.weights.items()}
        tensors |= {f"best/{name}": tensor for name, tensor in (state.best or {}).items()}
        optimiser = state.optimiser.state_dict()
        for number, slots in optimiser["state"].items():
            tensors |= {f"optimiser/{number}/{name}": tensor for name, tensor in slots.items()}
        if state.losses:
            tensors["losses"] = torch.stack(state.losses)
        generators = []
        for rank, (values, states) in enumerate(randoms):
            generators.append(values)
            tensors |= {f"random/{rank}/{name}": tensor for name, tensor in states.items()}
        return cls(
            {
                "progress": asdict(state.progress), "groups": optimiser["param_groups"],
                "schedule": state.schedule.state_dict(), "random": generators,
            },
            {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
        )  # fmt: skip

    def misfit(self, weights: Weights, ranks: int) -> str:
        """Why this is no checkpoint of weights that so many processes train, or nothing."""
        shapes = {f"model/{name}": tensor.shape for name, tensor in weights.items()}
        if shapes != {name: tensor.shape for name, tensor in self.tensors.items() if name.startswith("model/")}:
            return "it was made of another model"
        if len(self.values["random"]) != ranks:
            return "it was made by another number of processes"
        return ""

    def restore(self, state: State, rank: int) -> None:
        """Bring a freshly built state, and the random generators of this process, to where the checkpoint was made."""
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
        RandomStates.of(self.values["random"][rank], self._part(f"random/{rank}/")).restore()

    def _part(self, prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): tensor for name, tensor in self.tensors.items() if name.startswith(prefix)}

    def save(self, path: Path) -> None:
        """Write the file.

        Raises:
            OSError: there is no room; what was there before is still there.
        """
        size = sum(tensor.numel() * tensor.element_size() for tensor in self.tensors.values())
        metadata = {
            "format": str(FORMAT), "digest": _digest(self.tensors, self.values), "values": json.dumps(self.values),
        }  # fmt: skip

        def fill(temporary: Path) -> None:
            # Asked first, because the library's error does not say which of the system's errors it was.
            if shutil.disk_usage(path.parent).free < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            try:
                save_file(self.tensors, temporary, metadata)
            except SafetensorError as error:
                raise OSError(f"{path.name} cannot be written: {error}") from error

        write_atomically(path, fill)

    @classmethod
    def load(cls, path: Path) -> SavedTraining | None:
        """What the file holds, or None where there is none.

        Raises:
            Unusable: it was cut off or damaged, or another version wrote it.
        """
        if not path.exists():
            return None
        try:
            with safe_open(path, "pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
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
