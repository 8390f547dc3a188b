"""Seconds for each thing that a cell does, fitted to measurements of this machine."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.estimate.work import PARTS, Work


@dataclass(frozen=True)
class Speed:
    """What a machine takes.

    Attributes:
        seconds: part → seconds for one of each of its amounts.
        bytes: for one of each of the amounts of `HELD`.
        start: seconds that the libraries need to load.
        pads: how much of the padding of shuffled batches the training computes.
    """

    seconds: Mapping[str, tuple[float, ...]]
    bytes: tuple[float, ...] = ()
    start: float = 0.0
    pads: float = 0.0

    def of(self, work: Work) -> dict[str, float]:
        """Part → seconds."""
        return {
            part: sum(each * amount for each, amount in zip(self.seconds[part], work[part], strict=True))
            for part in work
        }

    def memory(self, held: Sequence[float]) -> float:
        """Bytes at the peak."""
        return sum(each * amount for each, amount in zip(self.bytes, held, strict=True))

    @property
    def base_bytes(self) -> float:
        """Memory of a process that has done next to nothing."""
        return self.bytes[0]


# What `python -m harness.estimate.calibrate --device cpu --threads 1 --slots 1 --precision …` told of an AMD EPYC of
# the fourth generation (AVX-512, bf16): for a first word on a machine that has not been measured.
USUAL = {
    "fp32": Speed(
        {
            "train": (4.8e-3, 1.0e-11, 1.4e-7, 5.0e-8, 8.4e-9, 5.4e-9, 1.4e-8, 3.5e-9),
            "evaluate": (2.4e-3, 9.2e-12, 4.9e-8, 2.3e-8, 2.8e-9),
            "generate": (1.4e-3, 9.2e-12, 0.0, 3.0e-9, 3.1e-10),
            "other": (0.15, 0.0, 1.5e-8),
        },
        bytes=(5.1e8, 9.7, 12.0, 88.0, 110.0, 0.0, 10.0, 16.0),
        start=5.5,
    ),
    "bf16": Speed(
        {
            "train": (5.2e-3, 4.8e-12, 1.1e-7, 3.5e-8, 7.9e-9, 0.0, 1.3e-8, 3.2e-9),
            "evaluate": (8.5e-4, 2.8e-12, 5.7e-8, 3.2e-8, 1.8e-9),
            "generate": (1.9e-3, 2.8e-12, 0.0, 3.0e-9, 1.6e-10),
            "other": (0.13, 0.0, 1.4e-8),
        },
        bytes=(5.1e8, 4.9, 18.0, 91.0, 140.0, 0.24, 4.2, 20.0),
        start=5.5,
    ),
}


def fit(
    measured: Sequence[tuple[Work, Mapping[str, float]]], peaks: Sequence[tuple[Sequence[float], float]] = ()
) -> Speed:
    """The speed that explains measurements best: least squares of the relative errors, nothing below 0.

    Args:
        measured: (what was done, part → seconds that it took); parts may be missing.
        peaks: (what was held, bytes).
    """
    found = {}
    for part, names in PARTS.items():
        rows = [(done[part], took[part]) for done, took in measured if any(done[part]) and took.get(part, 0.0) > 0]
        found[part] = _non_negative(rows) if rows else (0.0,) * len(names)
    # Writing has few measurements, all of small models: its products are taken to be as fast as those of an evaluation,
    # and the rest of its time is told by the other terms. Else a large model's products would seem as slow as a small
    # one's overhead.
    product = found["evaluate"][PARTS["evaluate"].index("operations")]
    place = PARTS["generate"].index("operations")
    rest = [
        (tuple(0.0 if number == place else amount for number, amount in enumerate(done["generate"])), left)
        for done, took in measured
        if any(done["generate"]) and (left := took.get("generate", 0.0) - product * done["generate"][place]) > 0
    ]
    if rest:
        terms = list(_non_negative(rest))
        terms[place] = product
        found["generate"] = tuple(terms)
    return Speed(found, _non_negative(peaks) if peaks else ())


def _non_negative(rows: Sequence[tuple[Sequence[float], float]]) -> tuple[float, ...]:
    """Least squares over every choice of terms; the best one without a negative. There are few terms, so all can be
    tried."""
    amounts = np.array([row for row, _ in rows]) / np.array([[seconds] for _, seconds in rows])
    ones = np.ones(len(rows))
    best, least = np.zeros(amounts.shape[1]), np.inf
    for count in range(1, amounts.shape[1] + 1):
        for terms in itertools.combinations(range(amounts.shape[1]), count):
            chosen = amounts[:, terms]
            scale = np.abs(chosen).max(axis=0)
            if not scale.all():
                continue
            values = np.linalg.lstsq(chosen / scale, ones, rcond=None)[0] / scale
            error = float(((chosen @ values - ones) ** 2).sum())
            if (values >= 0).all() and error < least - 1e-12:
                least = error
                best = np.zeros(amounts.shape[1])
                best[list(terms)] = values
    return tuple(float(value) for value in best)
