"""What pre-training is worth: the same model from its pretrained and from random weights, seed by seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import stdev

from harness.report.entries import average
from harness.report.groups import Place, succeeded
from harness.store import Record

PRETRAINED, RANDOM = "full", "scratch"


@dataclass(frozen=True)
class Gain:
    """Points that pre-training adds to one model on one task.

    Attributes:
        task: the column's title.
        mean: of `full` minus `scratch` over the seeds that both have.
        sd: sample standard deviation of the differences; None for a single seed.
    """

    model: str
    task: str
    mean: float
    sd: float | None
    seeds: tuple[int, ...]


def gains(places: Mapping[Place, list[Record]]) -> tuple[Gain, ...]:
    """One gain for each model, recipe and task with both methods and a common seed."""
    scores = {
        (where.model, where.task, where.method): {
            record["seed"]: record["score"] for record in records if succeeded(record)
        }
        for where, records in places.items()
    }
    found = []
    for (model, task, method), pretrained in sorted(scores.items()):
        random = scores.get((model, task, RANDOM), {})
        seeds = tuple(seed for seed in sorted(pretrained) if seed in random)
        if method == PRETRAINED and seeds:
            differences = [pretrained[seed] - random[seed] for seed in seeds]
            spread = stdev(differences) if len(differences) > 1 else None
            found.append(Gain(model, task, average(differences), spread, seeds))
    return tuple(found)
