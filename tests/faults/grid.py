"""The grid that faults are done to: toy rows whose labels cannot all be learnt, and two tiny random models."""

from __future__ import annotations

import csv
import json
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tiny

from faults.process import Run

SUITE = """\
name: faults
models: {{bert: {folder}/bert, gpt2: {folder}/gpt2}}
tasks:
  - name: toy
    family: sentiment
    data: {{format: csv, files: {{train: train.csv, validation: validation.csv, test: test.csv}}}}
recipes:
  - {{learning_rate: 1.0e-3, batch_size: 8, epochs: 20, precision: fp32, max_length: 32, patience: 0, evaluations: 6}}
"""
EVERY = 10  # steps between two checkpoints


@dataclass
class Grid:
    """What is run again and again.

    Attributes:
        arguments: of `bench run`, without the results folder.
        undisturbed: results of one run that nothing happened to.
        seconds: that it took, the start of the workers left out, a cell.
        environment: of its processes.
    """

    arguments: list[str]
    undisturbed: Path
    seconds: float = 2.0
    environment: dict[str, str] = field(default_factory=dict)

    def cells(self) -> list[str]:
        """The ids."""
        return sorted(path.name for path in (self.undisturbed / "cells").iterdir())


def make_toy(folder: Path, seeds: int = 3) -> list[str]:
    """Write suite, rows and models; the arguments that run them."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("bert", "gpt2"):
        tiny.make(kind, folder / kind)
    chance = random.Random(0)
    for split, count in (("train", 96), ("validation", 40), ("test", 60)):
        with (folder / f"{split}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            for _ in range(count):
                label, words = chance.choice(["good", "bad"]), [chance.choice(tiny.WORDS) for _ in range(8)]
                # Two of three rows tell their label; so the scores differ from seed to seed, and from a wrong resumption.
                words.insert(chance.randrange(8), label if chance.random() < 0.66 else "who")
                writer.writerow([" ".join(words), label])
    suite = folder / "suite.yaml"
    suite.write_text(SUITE.format(folder=folder))
    return ["--suite", str(suite), "--seeds", str(seeds)]


def undisturbed(
    arguments: Sequence[str], folder: Path, patience: float = 600.0, environment: Mapping[str, str] | None = None
) -> Grid:
    """Run a grid in peace.

    Args:
        arguments: of `bench run`.
        folder: for its results.
        patience: seconds.
        environment: of its processes.
    """
    # Its own cache of token ids, so that what is compared with does not depend on what is tested.
    environment = {"BENCH_CACHE": tempfile.mkdtemp(prefix="cache-", dir=folder.parent), **(environment or {})}
    whole = [*arguments, "--devices", "cpu", "--jobs", "2", "--checkpoint-every", f"{EVERY}steps"]
    run = Run([*whole, "--results", str(folder / "results")], folder, "undisturbed", None, environment)
    status = run.wait(patience)
    assert status == 0, run.text()
    left = run.left_alive()
    assert not left, left
    grid = Grid(whole, folder / "results", environment=environment)
    records = [json.loads((grid.undisturbed / "cells" / name / "record.json").read_bytes()) for name in grid.cells()]
    grid.seconds = sum(record["cost"]["total_seconds"] for record in records) / len(records)
    return grid
