"""Toy data for every built-in family: rows made by functions of a module, so that a worker process can unpickle them."""

from __future__ import annotations

from harness.cell import Cell
from harness.data.source import GeneratedSource
from harness.errors import BenchError
from harness.models.resolve import resolve
from harness.recipe import Recipe
from harness.task import Task


def sentiment():
    def rows(count, word):
        return [
            {"text": f"the {animal} {word} is {label}", "label": label}
            for _ in range(count)
            for animal in ("cat", "dog", "house", "garden")
            for label in ("good", "bad")
        ]

    return {"train": rows(12, "was"), "validation": rows(2, "not"), "test": rows(2, "very")}


def broken():
    raise RuntimeError("the data set is broken\non purpose")


def unusable():
    raise BenchError("the data set is not what it should be")


def task(generate=sentiment, family="sentiment", **values) -> Task:
    """A task on toy rows."""
    return Task(f"toy-{generate.__name__}", family, GeneratedSource(generate, generate.__name__), **values)


def cell(
    folder, toy_task: Task | None = None, seed: int = 0, method: str = "full", trust_remote_code: bool = False, **recipe
) -> Cell:
    """A cell of seconds."""
    toy_task = toy_task or task()
    values = {"epochs": 3, "learning_rate": 3e-3, "batch_size": 8, "precision": "fp32", "max_length": 32, **recipe}
    checkpoint = resolve(str(folder), trust_remote_code=trust_remote_code)
    return Cell(checkpoint, toy_task, "toy", 1, method, seed, Recipe(**values), "toy")
