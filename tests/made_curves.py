"""Results folders with learning curves whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from made_records import record

from harness.store import Store

ALL = 5000  # training rows that there are


def write_curve(
    root, skills: Mapping[str, Sequence[float]], sizes=(100, 300, 1000, None), task="films", seeds=3, rows=400, **more
) -> Store:
    """Models with a chance to be right at each size, on the same test rows; a model without a number at a size was not run there."""
    store, chance = Store(root), np.random.default_rng(11)
    gold = chance.choice(("good", "bad"), rows)
    for model, own in skills.items():
        for size, skill in zip(sizes, own, strict=True):
            for seed in range(seeds) if skill is not None else ():
                right = chance.random(rows) < skill + chance.normal(0, 0.01)
                write(store, gold, right, task, model, size, seed, **more)
    return store


def write(store, gold, right, task, model, size, seed, **more):
    """One record; `size` None: all rows."""
    said = np.where(right, gold, np.where(gold == "good", "bad", "good"))
    lines = [
        {"id": f"r{row}", "prediction": str(one), "reference": str(other)}
        for row, (one, other) in enumerate(zip(said, gold, strict=True))
    ]
    counts = {"train": size or ALL, "validation": 200, "test": len(gold)}
    facts = {"rows": counts, **({"train_rows": size, "train_rows_available": ALL} if size else {})}
    name = f"{task}--{model}--full--{f'{size}rows--' if size else ''}s{seed}--x"
    made = record(task, model, 100 * float(right.mean()), seed, task_facts=facts, id=name, **more)
    store.write(made, lines)
    return made
