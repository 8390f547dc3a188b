"""Does the test of two models on one task hold its level, also far out, where a board with many pairs looks? Simulated columns.

    python benchmarks/simulate_pairs.py --output simulated.md

The models of a column are equal but for luck: rows are of unlike difficulty, suit one model or another, and each seed has its own
luck. Models may be alike in how much luck decides, unlike (log-normal), or all alike but for one that is three times as unstable.
Printed is the share of pairs whose p (`harness.stats.paired.mean_error`, with the column's `harness.stats.seed_variance`) is below a level,
which should be that level or less; that of the pairs of the unstable model; in how many boards of five such columns Holm's
adjustment tells any pair apart; and the power: in how many pairs a difference of three standard errors is found at 0.05.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np

from harness.files import write_text
from harness.metrics.additive import mean_of
from harness.stats.multiple_tests import holm
from harness.stats.paired import Resampling, TestRows, mean_error
from harness.stats.seed_variance import MeanError, SeedVariance

RESAMPLES = 200
LEVELS = (0.05, 0.005, 0.0005)
SUITS = 0.5  # standard deviations, in logits of a row's chance to be right: of what suits a model in a row
HARD = 1.5  # of a row's difficulty
LUCK = {"no": 0.0, "some": 1.5, "much": 5.0}  # points of accuracy: standard deviation of a seed's luck
KINDS = ("alike", "unlike", "one unstable")
COLUMNS = 5  # of a board
POWER = 3.0  # standard errors, of all pairs together
Pair = tuple[int, float, MeanError]  # number of its first model, difference, its error


def columns(kind: str, seeds: int, models: int, luck: float, rows: int, number: int) -> list[list[Pair]]:
    """The pairs of each of so many columns of equal models."""
    chance = np.random.default_rng([seeds, models, round(10 * luck), KINDS.index(kind)])
    drawing, logit, found = Resampling(rows, RESAMPLES), _logits(), []
    for _ in range(number):
        lucky = (
            luck
            * {
                "alike": np.ones(models),
                "unlike": np.exp(np.clip(chance.normal(0, 0.7, models), -1.1, 1.1)),
                "one unstable": np.where(np.arange(models) == 0, 3.0, 1.0),
            }[kind]
        )
        hard = chance.normal(0, HARD, rows) + chance.normal(0, SUITS, (models, 1, rows))
        own = logit(50 + lucky[:, None] * chance.normal(0, 1, (models, seeds)))
        right = chance.random((models, seeds, rows)) < 1 / (1 + np.exp(-(hard + own[..., None])))
        drawn = [[drawing.score(mean_of(one)) for one in model] for model in right]
        each, many = (np.array([[getattr(one, what) for one in own] for own in drawn]) for what in ("score", "drawn"))
        known = SeedVariance({str(model): dict(enumerate(scores)) for model, scores in enumerate(each.tolist())})
        pairs = []
        for a, b in combinations(range(models), 2):
            error = mean_error(each[a] - each[b], many[a] - many[b], TestRows(rows), known.prior(str(a), str(b)))
            pairs.append((a, float((each[a] - each[b]).mean()), error))
        found.append(pairs)
    return found


def _logits():
    """Accuracy (0-100) over endless many rows → what is to be added to all logits for it; so luck leaves the mean where it is."""
    places = np.linspace(-12, 12, 481)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    deviation = np.hypot(HARD, SUITS)
    accuracy = 100 * (1 / (1 + np.exp(-(places[:, None] + deviation * nodes)))) @ (weights / weights.sum())
    return lambda wanted: np.interp(wanted, accuracy, places)


def line(kind: str, found: list[list[Pair]]) -> list[str]:
    """Shares, as texts."""
    p = np.array([[error.p(value) for _, value, error in column] for column in found])
    unstable = np.array([[first == 0 for first, *_ in column] for column in found])
    shares = [np.mean(p < level) for level in LEVELS]
    if kind == "one unstable":
        shares += [np.mean(p[unstable] < level) for level in (LEVELS[0], LEVELS[-1])]
    else:
        shares += [np.nan] * 2
    boards = [np.concatenate(p[start : start + COLUMNS]) for start in range(0, len(p) - COLUMNS + 1, COLUMNS)]
    shares.append(np.mean([min(holm(board.tolist())) < LEVELS[0] for board in boards]))
    away = POWER * float(np.std([value for column in found for _, value, _ in column]))
    shares.append(np.mean([error.p(value + away) < LEVELS[0] for column in found for _, value, error in column]))
    digits = [2] * 5 + [1, 0]
    return ["" if np.isnan(share) else f"{100 * share:.{n}f} %" for share, n in zip(shares, digits, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, default=2000, help="of each line; five make a board")
    parser.add_argument("--rows", type=int, default=500, help="test rows")
    parser.add_argument("--seeds", default="2,3,5,10")
    parser.add_argument("--models", default="2,3,5,10", help="rows of the column")
    parser.add_argument("--output", type=Path, help="write the table here too")
    arguments = parser.parse_args()
    heads = [f"p < {level}" for level in LEVELS]
    heads += [f"unstable model, {heads[0]}", heads[-1], "boards", "power"]
    lines = [
        f"| models | rows of the column | seeds | luck | {' | '.join(heads)} |",
        f"| --- | ---: | ---: | --- |{' ---: |' * len(heads)}",
    ]
    for kind in KINDS:
        for models in map(int, arguments.models.split(",")):
            for seeds in map(int, arguments.seeds.split(",")):
                for name, luck in LUCK.items():
                    if kind != KINDS[0] and name != "much":
                        continue
                    found = columns(kind, seeds, models, luck, arguments.rows, arguments.columns)
                    lines.append(f"| {kind} | {models} | {seeds} | {name} | {' | '.join(line(kind, found))} |")
                    print(lines[-1], flush=True)
    if arguments.output:
        write_text(arguments.output, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
