"""How near training steps and evaluations come to what the processor can do.

    python benchmarks/roofline.py --tasks sst2 --output roofline.md

Achieved: 6 × parameters outside the embeddings × tokens without padding ÷ seconds of training, and for evaluations,
of validation and test rows, 2 × the same. Forward and backward take two and four operations a parameter and token;
attention over a row's tokens, the loss, the optimiser and scoring are not counted, so that work which a side does
beyond that, padding above all, lowers its figure. Where texts are written an evaluation is another thing, and its
figure means little. Peak: a plain product of two square matrices in the same precision on the same threads, the best
of many. The runs are those of `speed.py cells` and shared with it (--results).
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import sides
from runs import kept
from speed import add_options, conditions_of, plan, report
from tables import markdown

SIDES = ("trainer-default", "trainer-tuned", "harness")
SIZE = 2048
SECONDS = 5.0
PASSES = {"train": 6, "evaluate": 2}  # operations a parameter and token
GIGA = 1e9


def parameters(cell: Any, conditions: sides.Conditions) -> dict[str, Any]:
    """How many weights the cell's model has outside its embedding tables. Runs in a fresh process."""
    from torch import nn

    from harness import registry
    from harness.heads.make import fitted_head
    from harness.task_data import load_splits

    sides.prepare(conditions)
    family = registry.family(cell.task.family)
    splits = load_splits(cell.task, family)
    model = fitted_head(cell, family, family.labels(splits, cell.task), splits).head.build()
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    counts = [weight.numel() for weight in model.parameters() if id(weight) not in tables]
    return {"outside_embeddings": sum(counts)}


def peak(precision: str, threads: int) -> dict[str, Any]:
    """Operations a second of a product of two square matrices. Runs in a fresh process."""
    import torch

    torch.set_num_threads(threads)
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = torch.randn(SIZE, SIZE).to(kind), torch.randn(SIZE, SIZE).to(kind)
    out, best, end = torch.empty_like(left), float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        started = time.perf_counter()
        torch.mm(left, right, out=out)
        best = min(best, time.perf_counter() - started)
    return {"flops_per_second": 2 * SIZE**3 / best}


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Every side of every task, training and evaluation: achieved and peak operations a second."""
    conditions, rows = conditions_of(options), {}
    folder = options.results / conditions.name
    for cell in plan(options, options.repeats):
        weights = kept(folder / "parameters" / f"{cell.id}.json", parameters, cell, conditions)["outside_embeddings"]
        for side in SIDES:
            run = kept(folder / side / f"{cell.id}.json", sides.run, side, cell, conditions)
            # Beside the run and after each: a machine is not equally fast all day.
            file = folder / "peak" / f"{side}-{cell.id}.json"
            top = kept(file, peak, run["precision_used"], conditions.threads)["flops_per_second"]
            for phase, passes in PASSES.items():
                achieved = passes * weights * run[f"{phase}_tokens"] / run[f"{phase}_seconds"]
                row = rows.setdefault((cell.task.title, cell.model.name, phase, side, run["precision_used"]), [])
                row.append((achieved, top))
    return [
        {
            "task": task, "model": model, "phase": phase, "side": side, "precision": precision, "runs": len(found),
            "achieved": statistics.median(one for one, _ in found), "peak": statistics.median(top for _, top in found),
            "share": statistics.median(one / top for one, top in found),
        }
        for (task, model, phase, side, precision), found in rows.items()
    ]  # fmt: skip


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, "sst2")
    options = parser.parse_args()
    facts = measure(options)
    rows = [
        [
            fact["task"], fact["model"], fact["phase"], fact["side"], fact["precision"], f"{fact['achieved'] / GIGA:.1f}",
            f"{fact['peak'] / GIGA:.1f}", f"{fact['share']:.0%}", str(fact["runs"]),
        ]
        for fact in facts
    ]  # fmt: skip
    heads = ("task", "model", "phase", "side", "precision", "achieved GFLOP/s", "peak GFLOP/s", "share", "runs")
    report(options, markdown(heads, rows), facts)


if __name__ == "__main__":
    main()
