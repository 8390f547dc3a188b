"""Does the harness train as well as `transformers.Trainer` does, on the same rows, recipe and seeds?

    python benchmarks/agreement.py --seeds 3 --results agreement-results --output agreement.md

Both sides get the splits of `harness.task_data` and the recipe of benchmarks/real.yaml, run in fresh processes of one thread
each, turn about, go back to the epoch that was best on validation, and are scored by the same metric code. What is finished is
not run again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from harness import registry
from harness.cell import Cell
from harness.files import write_text
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.store import Store

SUITE = Path(__file__).with_name("real.yaml")
TASKS = "sst2,ag-news,wikigold,xquad"
SIDES = ("harness", "trainer")


def run(side: str, cell: Cell, root: Path) -> dict[str, float]:
    """Run a cell in this process, unless its result is there: test score in 0-100, wall and processor seconds."""
    file = root / side / f"{cell.id}.json"
    if file.exists():
        return json.loads(file.read_text(encoding="utf-8"))
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    work = by_harness if side == "harness" else by_trainer
    wall, processor = time.perf_counter(), time.process_time()
    score = work(cell, root)
    seconds = {"wall_seconds": time.perf_counter() - wall, "processor_seconds": time.process_time() - processor}
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps({"score": score, **seconds}) + "\n")
    print(f"{side} {cell.id}: {score:.2f} in {seconds['processor_seconds']:.0f} processor seconds", flush=True)
    return {"score": score, **seconds}


def by_harness(cell: Cell, root: Path) -> float:
    """The cell as `bench run` runs it."""
    from harness.training.worker import run_cell

    return run_cell(cell, "cpu", Store(root), lambda event: None)["score"]


def by_trainer(cell: Cell, root: Path) -> float:
    """The same rows and recipe with `Trainer`; of the harness only the splits and the metric."""
    import torch
    from fit import Way
    from trainer import BY_FAMILY

    from harness.heads.make import fitted_head
    from harness.task_data import load_splits
    from harness.training.device import has_fast_bf16

    family = registry.family(cell.task.family)
    splits = load_splits(cell.task, family)
    precision = cell.recipe.precision
    bf16 = precision == "bf16" or (precision == "auto" and has_fast_bf16(torch.device("cpu")))

    def score(split: str, predictions: list[Any]) -> float:
        references = [family.reference(row, cell.task) for row in splits[split]]
        return family.metric(cell.task).score(family.score(predictions, references, cell.task))

    train = BY_FAMILY[family.name]
    way = Way(bf16=bf16, eval_batch_size=cell.recipe.eval_batch_size, keep_best=True)
    recipe = fitted_head(cell, family, family.labels(splits, cell.task), splits).recipe
    found = train(cell.model.location, splits, recipe, cell.seed, way, lambda found: score("validation", found))
    return score("test", found)


def compare(task: str, ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> dict[str, Any]:
    """Means, spreads and Student's test for two samples of equal variance at 5 %.

    `threshold` is the difference that the test needs: a true difference much smaller than it would not be seen.
    """
    from scipy.stats import t

    n = len(ours)
    scores = [[result["score"] for result in side] for side in (ours, theirs)]
    pooled = (sum(map(statistics.variance, scores)) / 2) ** 0.5
    threshold = float(t.ppf(0.975, 2 * n - 2)) * pooled * (2 / n) ** 0.5
    difference = statistics.mean(scores[0]) - statistics.mean(scores[1])
    sides = {
        side: {
            "scores": values,
            "processor_seconds": statistics.mean(result["processor_seconds"] for result in results),
        }
        for side, values, results in zip(SIDES, scores, (ours, theirs), strict=True)
    }
    return {
        "task": task, **sides, "difference": difference, "pooled_sd": pooled, "threshold": threshold,
        "agree": abs(difference) <= threshold,
    }  # fmt: skip


def table(rows: Iterable[dict[str, Any]]) -> str:
    """The comparison as Markdown."""
    heads = (
        "task", "harness", "Trainer", "difference", "pooled sd of the seeds", "threshold at 5 %", "verdict",
        "processor seconds: harness", "Trainer",
    )  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        means = [
            f"{statistics.mean(row[side]['scores']):.2f} ± {statistics.stdev(row[side]['scores']):.2f}"
            for side in SIDES
        ]
        figures = [f"{row['difference']:+.2f}", f"{row['pooled_sd']:.2f}", f"{row['threshold']:.2f}"]
        seconds = [f"{row[side]['processor_seconds']:.0f}" for side in SIDES]
        verdict = "no difference seen" if row["agree"] else "**they differ**"
        lines.append(f"| {' | '.join([row['task'], *means, *figures, verdict, *seconds])} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Compare task by task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default=TASKS, help="tasks of benchmarks/real.yaml, with commas between")
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--limit", type=int, help="rows of every split, for slow machines")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--results", type=Path, default=Path("agreement-results"))
    parser.add_argument("--output", type=Path, help="Markdown file for the table; beside it a .json")
    options = parser.parse_args()
    if options.seeds < 2:
        parser.error("--seeds must be 2 or more: without a spread there is nothing to compare with")
    rows = []
    for task in options.tasks.split(","):
        request = Request([options.model], [task], suite=str(SUITE), seeds=range(options.seeds), limit=options.limit)
        cells = make_plan(request).cells
        with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
            futures = [(side, pool.submit(run, side, cell, options.results)) for cell in cells for side in SIDES]
            ours, theirs = ([future.result() for at, future in futures if at == side] for side in SIDES)
        rows.append(compare(cells[0].task.title, ours, theirs))
        print(table(rows), flush=True)
    if options.output:
        write_text(options.output, table(rows))
        write_text(options.output.with_suffix(".json"), json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
