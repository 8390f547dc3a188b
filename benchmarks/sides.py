"""The four sides of the comparison, and what one cell costs on each of them. Runs in a fresh process."""

from __future__ import annotations

import importlib
import os
import resource
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness import registry
from harness.cell import Cell
from harness.engines.server import PRELOADED
from harness.store import Store
from harness.task_data import load_splits

PEERS = ("trainer-default", "trainer-tuned", "tutorial")
SIDES = (*PEERS, "harness")
TUTORIAL_WIDTH = 128  # tokens


@dataclass(frozen=True)
class Conditions:
    """What holds for every run of a comparison.

    Attributes:
        threads: for the one cell that runs.
        precision: of the tuned Trainer and the harness: `auto` (bf16 where the processor multiplies it natively), `fp32` or
            `bf16`. The other sides stay with the library's default, fp32.
        eval_batch_size: of the tuned Trainer.
        keep: `last`: the peers test their last weights and save nothing; `best`: they save every epoch and go back to the best.
    """

    threads: int
    precision: str = "auto"
    eval_batch_size: int = 64
    keep: str = "last"

    @property
    def name(self) -> str:
        """A folder's name."""
        return "-".join(str(value) for value in asdict(self).values())


def run(side: str, cell: Cell, conditions: Conditions) -> dict[str, Any]:
    """Run a cell from raw rows to its test score; the clocks start when everything is imported.

    Returns:
        Score in 0-100, seconds on the wall and of the processor, peak memory in bytes, and the side's own figures.
    """
    prepare(conditions)
    work = by_harness if side == "harness" else by_trainer
    wall, processor = time.perf_counter(), time.process_time()
    outcome = work(side, cell, conditions)
    return {
        "side": side, "cell": cell.id, "task": cell.task.title, "model": cell.model.name, "seed": cell.seed,
        **asdict(conditions), **outcome,
        "wall_seconds": time.perf_counter() - wall, "processor_seconds": time.process_time() - processor,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    }  # fmt: skip


def prepare(conditions: Conditions) -> None:
    """Import all that any side uses, so that no side pays for it, and keep to the threads."""
    os.environ["RAYON_NUM_THREADS"] = str(conditions.threads)  # the tokenisers'
    import torch
    import transformers

    for module in (*PRELOADED, "trainer", "translate"):
        importlib.import_module(module)
    torch.set_num_threads(conditions.threads)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def by_harness(side: str, cell: Cell, conditions: Conditions) -> dict[str, Any]:
    """The cell as `bench run` runs it, with nothing left over from an earlier one."""
    from harness.training.worker import run_cell

    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # as the engine has it
    with tempfile.TemporaryDirectory() as folder:
        record = run_cell(cell, "cpu", Store(Path(folder)), lambda event: None)
    cost = record["cost"]
    return {
        "score": record["score"], "precision_used": record["environment"]["precision"],
        "train_seconds": cost["train_seconds"], "evaluate_seconds": cost["evaluate_seconds"],
        "validations": len(record["training"]["history"]), "steps": record["training"]["steps"],
        "train_tokens": cost["train_tokens"], "evaluate_tokens": cost["evaluate_tokens"], "cost": cost,
    }  # fmt: skip


def by_trainer(side: str, cell: Cell, conditions: Conditions) -> dict[str, Any]:
    """The same rows and recipe with the library's Trainer; of the harness only the splits and the metric."""
    from trainer import BY_FAMILY
    from translate import translate

    from harness.heads.make import fitted_head

    family = registry.family(cell.task.family)
    way = way_of(side, conditions)
    splits = load_splits(cell.task, family)

    def score(split: str, predictions: list[Any]) -> float:
        references = [family.reference(row, cell.task) for row in splits[split]]
        return family.metric(cell.task).score(family.score(predictions, references, cell.task))

    train = {**BY_FAMILY, "translation": translate}[family.name]
    recipe = fitted_head(cell, family, family.labels(splits, cell.task), splits).recipe
    found = train(cell.model.location, splits, recipe, cell.seed, way, lambda found: score("validation", found))
    return {"score": score("test", found), "precision_used": "bf16" if way.bf16 else "fp32", **way.figures}


def way_of(side: str, conditions: Conditions) -> Any:
    """How a peer calls the Trainer."""
    import torch
    from fit import Way

    from harness.training.device import has_fast_bf16

    keep_best = conditions.keep == "best"
    if side == "trainer-default":
        return Way(keep_best=keep_best)
    if side == "tutorial":
        return Way(pad_to=TUTORIAL_WIDTH, keep_best=keep_best)
    bf16 = conditions.precision == "bf16"
    bf16 |= conditions.precision == "auto" and has_fast_bf16(torch.device("cpu"))
    return Way(bf16, "group_by_length", conditions.eval_batch_size, keep_best=keep_best)
