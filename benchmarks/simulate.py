"""Do the figures over tasks hold what they say? Simulated boards whose truth is known.

    python benchmarks/simulate.py --output simulated.md

A task has its own skill of each model (its general skill and what suits it in the task), its rows are of unlike difficulty and
its seeds of unlike luck. For each number of tasks and each kind of board: in how many of the simulated boards the intervals
hold the mean that endless many tasks would give, in which share of boards of equal models some pair is called different
(which 5 % may be), and what plain percentiles of the hierarchical bootstrap (tasks, seeds and rows drawn) would hold.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.files import write_text
from harness.metrics.additive import mean_of
from harness.stats.paired import Resampling
from harness.stats.task_means import PerTask, means_with_intervals, per_task, rank_models, resample_seeds

ROWS, SEEDS, RESAMPLES, TRIVIAL = 100, 3, 100, 20.0
ENDLESS = 20_000  # tasks that the truth is a mean over


@dataclass(frozen=True)
class Kind:
    """How models differ: in logits of a row's chance to be right.

    Attributes:
        skills: one a model, the same on all tasks.
        suits: standard deviation, of a model on a task.
        luck: standard deviation, of a seed.
    """

    skills: tuple[float, ...]
    suits: float
    luck: float


KINDS = {
    "equal models": Kind((1.0,) * 5, 0.5, 0.2),
    "equal, tasks alike": Kind((1.0,) * 5, 0.1, 0.3),
    "near each other": Kind((1.4, 1.2, 1.0, 0.8, 0.6), 0.5, 0.2),
    "far apart": Kind((2.2, 1.2, 1.0, 0.8, -0.2), 0.4, 0.2),
}


def right(kind: Kind, chance: np.random.Generator, tasks: int) -> Any:
    """Which rows are right: [tasks, models, seeds, rows]."""
    models = len(kind.skills)
    skill = np.array(kind.skills) + chance.normal(0, kind.suits, (tasks, models))
    luck = chance.normal(0, kind.luck, (tasks, models, SEEDS))
    hard = chance.normal(0, 1.5, (tasks, 1, 1, ROWS))
    logits = skill[:, :, None, None] + luck[..., None] + hard
    return chance.random(logits.shape) < 1 / (1 + np.exp(-logits))


def told(found: Any) -> PerTask:
    """What the tasks say of the models."""
    scores = 100 * found.mean(axis=3)
    by_seed = [[dict(enumerate(seeds)) for seeds in task] for task in scores.tolist()]
    return per_task(by_seed, [TRIVIAL] * len(scores))


def truth(kind: Kind) -> list[Any]:
    """Average ranks, normalised scores and wins over so many tasks that nothing is left to chance."""
    parts = [told(right(kind, np.random.default_rng([1, part]), 1000)) for part in range(ENDLESS // 1000)]
    return [np.mean([getattr(per, name).mean(axis=0) for per in parts], axis=0) for name in ("ranks", "scores", "wins")]


def percentiles(found: Any, chance: np.random.Generator) -> tuple[Any, Any]:
    """Low and high of average ranks, [models] each: tasks, within these seeds, within these rows drawn with replacement."""
    tasks, models, seeds, rows = found.shape
    drawn = []
    for _ in range(200):
        some = found[chance.integers(0, tasks, tasks)]
        chosen = chance.integers(0, seeds, (tasks, 1, seeds, 1))
        some = np.take_along_axis(some, np.broadcast_to(chosen, (tasks, models, seeds, 1)), axis=2)
        times = chance.multinomial(rows, np.full(rows, 1 / rows), size=tasks)
        drawn.append(rank_models((some * times[:, None, None]).mean(axis=(2, 3)), axis=1).mean(axis=0))
    return np.quantile(drawn, 0.025, axis=0), np.quantile(drawn, 0.975, axis=0)


def simulate(kind: Kind, tasks: int, boards: int, plain: bool = False) -> dict[str, float]:
    """Shares of the boards: intervals that hold the truth (`rank`, `score`, `wins`, and `least` of all models' and figures'),
    boards where some pair differs, and percentiles that hold the truth (`plain`)."""
    real, held, some, simple = truth(kind), [], 0, []
    for board in range(boards):
        chance = np.random.default_rng([2, tasks, board])
        found = right(kind, chance, tasks)
        drawn = []
        for task in found:
            drawing = Resampling(ROWS, RESAMPLES)
            seeds = [{seed: drawing.score(mean_of(rows)).drawn for seed, rows in enumerate(model)} for model in task]
            drawn.append([resample_seeds(one) for one in seeds])
        figures, different = means_with_intervals(told(found), drawn)
        held.append([[f.low <= real[k][m] <= f.high for k, f in enumerate(own)] for m, own in enumerate(figures)])
        some += bool(different)
        if plain:
            low, high = percentiles(found, chance)
            simple.append((low <= real[0]) & (real[0] <= high))
    shares = np.mean(held, axis=0)
    names = dict(zip(("rank", "score", "wins"), shares.mean(axis=0), strict=True))
    return {**names, "least": shares.min(), "some": some / boards, "plain": np.mean(simple) if plain else float("nan")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--boards", type=int, default=1000)
    parser.add_argument("--output", type=Path, help="write the table here too")
    arguments = parser.parse_args()
    lines = [
        "| board | tasks | rank | normalised | wins | least of a model's | some pair differs | percentiles, rank |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, kind in KINDS.items():
        for tasks in (3, 5, 10, 20):
            found = simulate(kind, tasks, arguments.boards, plain=True)
            lines.append(f"| {name} | {tasks} | {' | '.join(f'{100 * share:.1f} %' for share in found.values())} |")
            print(lines[-1], flush=True)
    if arguments.output:
        write_text(arguments.output, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
