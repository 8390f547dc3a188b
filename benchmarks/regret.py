"""How much is lost by taking the default recipe instead of the best of a grid?

    python benchmarks/regret.py --models minilm,bert-mini --tasks sst2,ag-news --sizes 200,1000 --results regret-results

For each model, data set and number of training rows, a grid of five learning rates × three lengths of training is run with
one seed. The two settings with the best validation get two more seeds, and the one with the best mean validation of
three seeds is the grid's answer. Regret is its mean test score minus that of the default recipe, by the same seeds: positive
where the default is worse. The choice never sees the test rows.

Data are the tasks of benchmarks/real.yaml and benchmarks/other.yaml, cut to so many training rows, a third as many for
validation (at least 50) and up to 400 for test. What is finished is not run again.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tables import markdown

from harness import registry
from harness.data.subsets import nested
from harness.engines import make_engine
from harness.engines.base import Job
from harness.engines.grid import Observer, run_grid
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.planning.suite import load_suite
from harness.recipe import trained_recipe
from harness.store import Record, Store
from harness.task import Task
from harness.task_data import load_data

HERE = Path(__file__).parent
SUITES = [load_suite(str(HERE / name)) for name in ("real.yaml", "other.yaml")]
TASKS = {task.name: task for suite in SUITES for task in suite.tasks}
MINIS = ("bert-mini", "gpt2-mini", "t5-mini")
MODELS = {**{name: name for name in MINIS}, **{name: source for suite in SUITES for name, source in suite.models.items()}}
USUAL = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3)
SMALL = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)  # for models of about a million weights
RATES = dict.fromkeys(("stories260k", *MINIS), SMALL)
LENGTHS = {200: (5, 10, 20), 1000: (2, 5, 10)}  # epochs, by the number of training rows
TEST_ROWS, SEEDS, KEPT = 400, 3, 2


def main() -> None:
    options = _options()
    lines = []
    for size in options.sizes:
        for name in options.tasks:
            file = prepare(TASKS[name], size, options.results / "data")
            for model in options.models:
                line = compare(file, model, size, options)
                if line:
                    lines.append(line)
                    print(*line, sep=" | ", flush=True)
    print(table(lines))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)

    def names(text: str) -> list[str]:
        return text.split(",")

    parser.add_argument("--models", type=names, default=["minilm", "stories260k", *MINIS])
    parser.add_argument("--tasks", type=names, default=list(TASKS))
    parser.add_argument("--sizes", type=lambda text: [int(size) for size in text.split(",")], default=list(LENGTHS))
    parser.add_argument("--results", type=Path, default=Path("regret-results"))
    parser.add_argument("--jobs", type=int, default=None, help="cells at once")
    parser.add_argument("--parts", type=names, default=["grid", "default"], help="grid, default, or both")
    return parser.parse_args()


def prepare(task: Task, size: int, folder: Path) -> Path:
    """A task file with `size` training rows of a task."""
    name = f"{task.name}-{size}"
    file = folder / f"{name}.yaml"
    if file.exists():
        return file
    family = registry.family(task.family)
    splits = load_data(task, family).splits
    parts = {"train": size, "validation": max(50, size // 3), "test": TEST_ROWS}
    folder.mkdir(parents=True, exist_ok=True)
    for split, count in parts.items():
        rows = nested(splits[split], min(count, len(splits[split])), seed=0, stratify=family.stratum)
        keys = (*family.columns, *family.optional_columns)
        kept = [{key: row[key] for key in keys if row.get(key) is not None} for row in rows]
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in kept]
        (folder / f"{name}.{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    files = {split: f"{name}.{split}.jsonl" for split in parts}
    data = {"format": "jsonl", "files": files}
    content = {"name": name, "family": task.family, "data": data, "options": dict(task.options)}
    file.write_text(json.dumps(content, indent=1), encoding="utf-8")  # JSON is YAML too
    return file


def compare(file: Path, model: str, size: int, options: argparse.Namespace) -> list[str] | None:
    """A line of the table: the grid's answer, the default, and the regret."""
    best = ours = None
    if "grid" in options.parts:
        every = [
            {"learning_rate": rate, "epochs": epochs, **common(file)}
            for rate in RATES.get(model, USUAL)
            for epochs in LENGTHS[size]
        ]
        best = grid(file, MODELS[model], every, options)
    if "default" in options.parts:
        ours = train(file, MODELS[model], "default", range(SEEDS), [{}], options)
    if not best or not ours:
        return None
    better, default = (statistics.mean(one["test"] for one in cells) for cells in (best, ours))
    regret = f"{better - default:+.1f}"
    return [file.stem, model, words(best), f"{better:.1f}", words(ours), f"{default:.1f}", regret]


def common(file: Path) -> dict[str, Any]:
    """What a careful person would set for these data beside rate and epochs."""
    family = json.loads(file.read_text(encoding="utf-8"))["family"]
    length = 256 if family in ("ner", "qa") else 128
    return {"batch_size": 16, "max_length": length, "doc_stride": 64, "max_target_length": 64, "evaluations": 5,
            "patience": 0, "warmup_ratio": 0.1, "max_answer_length": 30, "precision": "auto"}  # fmt: skip


def grid(file: Path, model: str, every: Sequence[dict[str, Any]], options: argparse.Namespace) -> list[dict[str, Any]]:
    """All settings with one seed, the best of them with the others; the cells of the one with the best mean validation."""
    first = train(file, model, "grid", [0], every, options)
    known = {(one["learning_rate"], one["epochs"]): one["validation"] for one in first}
    order = sorted(every, key=lambda one: -known.get((one["learning_rate"], one["epochs"]), -1.0))
    groups = defaultdict(list)
    for cell in train(file, model, "grid", range(SEEDS), order[:KEPT], options):
        groups[cell["learning_rate"], cell["epochs"]].append(cell)
    return max(groups.values(), key=lambda cells: statistics.mean(one["validation"] for one in cells))


def train(
    file: Path, model: str, part: str, seeds: Iterable[int], recipes: Sequence[dict[str, Any]], options: argparse.Namespace
) -> list[dict[str, Any]]:  # fmt: skip
    """Run a cell for each recipe (fields that are set; none: the default) and seed; what the comparison needs of them."""
    root = options.results / part
    store, cells = Store(root), {}
    for recipe in recipes:
        settings = {f"recipe.{name}": str(value) for name, value in recipe.items()}
        request = Request([model], [str(file)], seeds=list(seeds), settings=settings)
        cells.update({cell.id: cell for cell in make_plan(request).cells})
    pending = [Job(cell, str(root), store.digest(name)) for name, cell in cells.items() if not _ok(store.record(name))]
    if pending:
        run_grid(make_engine("local", "cpu", options.jobs, 1, root), pending, Observer())
    return [figures(record) for name in cells if _ok(record := store.record(name))]


def _ok(record: Record | None) -> bool:
    return record is not None and record["status"] == "ok"


def figures(record: Record) -> dict[str, Any]:
    """What the comparison needs of a record; scores lie in 0-100."""
    recipe = trained_recipe(record)
    return {
        "learning_rate": recipe["learning_rate"],
        "epochs": recipe["epochs"],
        "validation": max(point["score"] for point in record["training"]["history"]),
        "test": record["score"],
    }


def words(cells: Sequence[dict[str, Any]]) -> str:
    """Rate and epochs of cells of one setting."""
    return f"{cells[0]['learning_rate']:g} × {cells[0]['epochs']}"


def table(lines: Sequence[list[str]]) -> str:
    """Markdown, with mean and worst regret at its foot."""
    if not lines:
        return "nothing to compare yet"
    head = ("data", "model", "best of the grid", "its test", "default", "its test", "regret")
    regrets = [float(line[-1]) for line in lines]
    foot = f"regret: mean {statistics.mean(regrets):+.2f}, worst {max(regrets):+.1f}, of {len(regrets)} pairs\n"
    return f"{markdown(head, lines)}\n{foot}"


if __name__ == "__main__":
    main()
