"""Searches without training: cells of toy models, and records of trials with values that a test chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from harness.cell import Cell
from harness.data.source import GeneratedSource
from harness.model import Checkpoint
from harness.recipe import Recipe
from harness.store import Record, Store
from harness.task import Task


def rows():
    return {"all": [{"text": "a", "label": "b"}]}


def cell(model: str = "bert", task: str = "films", seed: int = 0, method: str = "full", **recipe: Any) -> Cell:
    """A cell that nothing can run, of a model that is told apart by its name."""
    checkpoint = Checkpoint(model, f"hub/{model}", f"hub/{model}", "r1", None, "encoder", f"d-{model}", kind="BERT")
    data = Task(task, "sentiment", GeneratedSource(rows, "made"))
    return Cell(checkpoint, data, "f1", 1, method, seed, Recipe(**recipe), "own")


def record(cell: Cell, scores: Sequence[float] = (50.0,), **more: Any) -> Record:
    """The record of a trial with these validations; one that had to be pruned is."""
    thresholds = cell.search.thresholds
    done: list[float] = []
    pruned = False
    for number, score in enumerate(scores):
        done.append(score)
        wanted = thresholds[number] if number < len(thresholds) else None
        if number + 1 < len(scores) and wanted is not None and max(done) < wanted:
            pruned = True
            break
    facts = cell.facts()
    made = {
        **facts,
        "schema": 1,
        "status": "ok",
        "score": None,
        "primary_metric": "accuracy",
        "metrics": {"validation": {"accuracy": max(done) / 100}},
        "trial": {**facts["trial"], "value": max(done), "pruned": pruned},
        "training": {"history": [{"step": step, "loss": 1.0, "score": score} for step, score in enumerate(done)]},
        "cost": {"train_seconds": 3.0, "total_seconds": 5.0, "peak_memory_bytes": 1000},
        "error": None,
    }
    return made | more


def failed(cell: Cell, kind: str = "FloatingPointError", **error: Any) -> Record:
    """The record of a trial that failed."""
    told = {"type": kind, "message": "the training loss became nan\nmore", "traceback": "", **error}
    cost = {"total_seconds": 2.0}
    return {
        **cell.facts(), "schema": 1, "status": "failed", "score": None, "metrics": {}, "primary_metric": None, "cost": cost,
        "error": told,
    }  # fmt: skip


class Runner:
    """Stands for an engine: writes the record that `make` gives for each trial into a store, and counts."""

    def __init__(self, store: Store, make: Callable[[Cell], Record], most: int | None = None):
        self.store, self.make, self.most = store, make, most
        self.rounds: list[list[Cell]] = []

    def __call__(self, todo: list[tuple[Cell, str]]) -> list[Record]:
        if self.most is not None and len(self.rounds) == self.most:
            raise KeyboardInterrupt
        self.rounds.append([cell for cell, _ in todo])
        records = []
        for cell, _ in todo:
            self.store.write(self.make(cell))
            records.append(self.store.record(cell.id))
        return records
