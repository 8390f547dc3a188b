"""Toy data for every built-in family: rows made by functions of a module, so that a worker process can unpickle them."""

from __future__ import annotations

from harness.cell import Cell
from harness.data.source import GeneratedSource
from harness.errors import BenchError
from harness.models.resolve import resolve
from harness.recipe import Recipe
from harness.task import Task

ANIMALS = ("cat", "dog", "house", "garden")


def sentiment():
    def rows(count, word):
        return [
            {"text": f"the {animal} {word} is {label}", "label": label}
            for _ in range(count)
            for animal in ("cat", "dog", "house", "garden")
            for label in ("good", "bad")
        ]

    return {"train": rows(12, "was"), "validation": rows(2, "not"), "test": rows(2, "very")}


def pairs():
    rows = [
        {"source": f"the {animal} sees {other}", "target": f"das {other}"} for animal in ANIMALS for other in ANIMALS
    ]
    return {"train": rows, "validation": rows[:6], "test": rows[5:12]}


def names():
    def row(animal, name, long):
        words = ["the", animal, "likes", name, *(["very", "good", "."] if long else [])]
        return {"words": words, "tags": ["B-X" if word == name else "O" for word in words]}

    rows = [row(animal, name, long) for animal in ANIMALS for name in ("anna", "lisbon") for long in (True, False)]
    return {"train": rows, "validation": rows[:5], "test": rows[4:11]}


def questions():
    def row(animal, name):
        context = f"{name} sees the {animal} . " * 6  # several windows
        return {
            "question": f"who sees the {animal} ?",
            "context": context,
            "answers": {"text": [name], "answer_start": [0]},
        }

    rows = [row(animal, name) for animal in ANIMALS for name in ("anna", "lisbon")]
    return {"train": rows, "validation": rows[:3], "test": rows[3:]}


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
