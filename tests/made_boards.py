"""Results folders with predictions, for figures over several tasks."""

from __future__ import annotations

import numpy as np
from made_records import record
from sklearn.metrics import accuracy_score, matthews_corrcoef, precision_recall_fscore_support

from harness import registry
from harness.predictions import slice_scores
from harness.store import Store
from harness.task import Task

LABELS = ("good", "bad")


def write_board(root, models=4, tasks=6, seeds=3, rows=120, gaps=(), skills=None, words=False) -> Store:
    """Models of unlike skill on sentiment tasks; `gaps` are (model, task) numbers that have no record.

    Args:
        skills: a model's chance to be right, by default from 0.9 downwards.
        words: whether task 0 has its rows' lengths and slices, as records of today have them.
    """
    store, chance = Store(root), np.random.default_rng(5)
    for task in range(tasks):
        gold = chance.choice(LABELS, rows)
        hard = chance.normal(0, 0.05, rows)
        for model in range(models):
            skill = (skills or [0.9 - 0.08 * m for m in range(models)])[model] + chance.normal(0, 0.03)
            for seed in range(seeds):
                right = chance.random(rows) < skill + hard
                if (model, task) not in gaps:
                    _write(
                        store, model, task, seed, gold, np.where(right, gold, np.where(gold == "good", "bad", "good")),
                        words and not task,
                    )  # fmt: skip
    return store


def _write(store, model, task, seed, gold, ours, words):
    found = {"accuracy": float(accuracy_score(gold, ours)), "matthews": float(matthews_corrcoef(gold, ours))}
    for average in ("macro", "weighted"):
        parts = precision_recall_fscore_support(gold, ours, average=average, zero_division=0)
        found |= {
            f"{average}_{name}": float(part)
            for name, part in zip(("precision", "recall", "f1"), parts[:3], strict=True)
        }
    lines = [
        {
            "id": f"r{row}",
            "prediction": str(one),
            "reference": str(other),
            **({"words": row**2 % 37 + 1} if words else {}),
        }
        for row, (one, other) in enumerate(zip(ours, gold, strict=True))
    ]
    family = registry.family("sentiment")
    slices = {"slices": slice_scores(family, Task("t", "sentiment", None), lines)} if words else {}
    made = record(
        f"task-{task}",
        f"model-{model}",
        100 * found["accuracy"],
        seed,
        metrics={"test": found, "phenomena": {}, **slices},
    )
    store.write(made, lines)
