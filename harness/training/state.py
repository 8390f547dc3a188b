"""All that a training is at a moment between two steps: what has to be saved to go on from there."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from harness.training.weights import Weights


@dataclass
class Progress:
    """How far a training has come; plain values only.

    Attributes:
        steps: of the optimiser, done.
        seconds: of training steps alone.
        tokens: read by training steps, padding not counted.
        computed: tokens that the layers computed, padding counted.
        history: one entry for each validation: step, mean training loss since the last one, score.
        validation: the metrics of the best validation.
        best_step: the optimiser step after which it was made.
        best_score: its score, None before the first.
        waited: validations since then.
        ended: no step is left, and the model has the weights of the best validation.
        micro_batch_size: the most rows that are computed together, where memory asked for fewer than the recipe.
        refused: why packing was given up during the training.
        pruned: it was ended because its validations were below those of other trials.
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
        losses: of the steps since the last validation.
        best: the weights of the best validation, where the model has moved on since.
    """

    weights: Weights
    optimiser: Optimizer
    schedule: LRScheduler
    progress: Progress = field(default_factory=Progress)
    losses: list[Tensor] = field(default_factory=list)
    best: dict[str, Tensor] | None = None


class RandomStates:
    """The states of all generators that a training draws from."""

    def __init__(self) -> None:
        self.python = random.getstate()
        self.numpy = np.random.get_state()
        self.torch = torch.get_rng_state()
        self.device = _device_generator().get_rng_state() if _device_generator() else None

    def restore(self) -> None:
        """Set the generators back to them."""
        random.setstate(self.python)
        np.random.set_state(self.numpy)
        torch.set_rng_state(self.torch)
        if self.device is not None:
            _device_generator().set_rng_state(self.device)

    def plain(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """The same as values for JSON and as tensors."""
        kind, keys, *rest = self.numpy
        values = {"python": self.python, "numpy": [kind, *rest]}
        tensors = {"numpy": torch.from_numpy(keys.astype(np.int64)), "torch": self.torch}
        return values, tensors | ({} if self.device is None else {"device": self.device})

    @classmethod
    def of(cls, values: dict[str, Any], tensors: dict[str, Tensor]) -> RandomStates:
        """Those that `plain` gave."""
        states = cls.__new__(cls)
        version, keys, gauss = values["python"]
        states.python = (version, tuple(keys), gauss)
        kind, *rest = values["numpy"]
        states.numpy = (kind, tensors["numpy"].numpy().astype(np.uint32), *rest)
        states.torch, states.device = tensors["torch"], tensors.get("device")
        return states


def _device_generator() -> Any:
    """The module of the GPU in use that has a generator of its own, or None."""
    if torch.cuda.is_initialized():
        return torch.cuda
    return torch.mps if torch.backends.mps.is_available() else None
