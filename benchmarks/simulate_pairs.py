"""Does the test of two models on one task hold its level, also far out, where a board with many pairs looks? Simulated pairs.

    python benchmarks/simulate_pairs.py --output simulated.md

Two models are equal but for luck: rows are of unlike difficulty, suit one model or the other, and each seed has its own luck. Printed is
the share of pairs whose p (`harness.stats.paired.spread`) is below a level, which should be that level or less, and of the 95 % intervals
that hold the true difference, zero.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from harness.files import write_text
from harness.metrics.additive import mean_of
from harness.stats.paired import Drawing, spread

RESAMPLES = 200
LEVELS = (0.05, 0.005, 0.0005)
SUITS = 0.5  # standard deviations, in logits of a row's chance to be right: of what suits a model in a row
HARD = 1.5  # of a row's difficulty
LUCK = {"no": 0.0, "some": 0.1, "much": 0.4}  # of a seed


def values(seeds: int, rows: int, luck: float, pairs: int) -> np.ndarray:
    """p of each pair of equal models."""
    chance = np.random.default_rng([seeds, rows, round(100 * luck)])
    drawing, found = Drawing(rows, RESAMPLES), []
    for _ in range(pairs):
        hard = chance.normal(0, HARD, rows) + chance.normal(0, SUITS, (2, 1, rows))
        logits = 1.0 + hard + chance.normal(0, luck, (2, seeds, 1))
        right = chance.random(logits.shape) < 1 / (1 + np.exp(-logits))
        ours, theirs = ([drawing.of(mean_of(one)) for one in model] for model in right)
        each = np.array([one.score - other.score for one, other in zip(ours, theirs, strict=True)])
        drawn = np.array([one.drawn - other.drawn for one, other in zip(ours, theirs, strict=True)])
        found.append(spread(each, drawn, rows).p)
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=4000)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--output", type=Path, help="write the table here too")
    arguments = parser.parse_args()
    lines = [
        f"| seeds | luck of a seed | {' | '.join(f'p < {level}' for level in LEVELS)} | intervals that hold zero |",
        f"| ---: | --- |{' ---: |' * (len(LEVELS) + 1)}",
    ]
    for seeds in (2, 3, 5, 10):
        for name, luck in LUCK.items():
            p = values(seeds, arguments.rows, luck, arguments.pairs)
            shares = [f"{100 * np.mean(p < level):.2f} %" for level in LEVELS] + [f"{100 * np.mean(p >= 0.05):.1f} %"]
            lines.append(f"| {seeds} | {name} | {' | '.join(shares)} |")
            print(lines[-1], flush=True)
    if arguments.output:
        write_text(arguments.output, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
