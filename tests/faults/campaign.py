"""A campaign of faults: `python tests/faults/campaign.py --faults 200 --seed 0`. Other options go to `bench run`.

On real data: `python tests/faults/campaign.py --faults 60 --suite benchmarks/real.yaml --models minilm --tasks sst2 --seeds 2`.
Prints a table of what was done and what was found intact; exits with 1 at any deviation.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from faults.episode import Episode, Tally
from faults.grid import Grid, make_toy, undisturbed
from faults.kinds import KINDS


def campaign(
    grid: Grid, folder: Path, faults: int, seed: int, lanes: int = 2, only: Sequence[str] = (), most: float = 3600.0
) -> Tally:
    """Do so many faults to a grid.

    Args:
        grid: what is run.
        folder: for everything.
        faults: at least so many that did happen.
        seed: of the first episode; the next has the next number.
        lanes: episodes at once.
        only: kinds; empty: all.
        most: seconds after which no other episode begins.
    """
    tally, end = Tally(faults), time.monotonic() + most

    def lane(number: int) -> None:
        while not tally.enough() and time.monotonic() < end:
            Episode(grid, folder / f"episode-{number}", seed * 10_000 + number, tally, frozenset(only)).run()
            number += lanes

    with ThreadPoolExecutor(lanes) as pool:
        for done in [pool.submit(lane, number) for number in range(lanes)]:
            done.result()
    return tally


def table(tally: Tally) -> str:
    """kind × number × intact, as Markdown."""
    lines = ["| fault | number | found intact |", "|---|---|---|"]
    for kind in KINDS:
        if number := tally.happened[kind]:
            lines.append(f"| {kind} | {number} | {number - tally.harmed[kind]} |")
    total, harmed = sum(tally.happened.values()), sum(tally.harmed.values())
    return "\n".join([*lines, f"| **all** | **{total}** | **{total - harmed}** |"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--suite", type=Path, help="another suite than the toy one")
    parser.add_argument("--lanes", type=int, default=2, help="grids at once")
    parser.add_argument("--only", action="append", default=[], help="a kind of fault; may be repeated")
    parser.add_argument("--minutes", type=float, default=60.0, help="after which nothing new is begun")
    parser.add_argument("--keep", type=Path, help="a folder that keeps everything")
    known, more = parser.parse_known_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory(prefix="bench-faults-") as made:
        folder = (known.keep or Path(made)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        begun = time.monotonic()
        if known.suite:
            arguments = ["--suite", str(known.suite.resolve()), *more]
        else:
            arguments = [*make_toy(folder / "toy"), *more]
        grid = undisturbed(arguments, folder / "undisturbed", known.minutes * 60)
        tally = campaign(grid, folder, known.faults, known.seed, known.lanes, known.only, known.minutes * 60)
        print(table(tally))
        print(
            f"\n{tally.episodes} grids of {len(grid.cells())} cells, {tally.runs} runs of the command, seed {known.seed},"
            f" {(time.monotonic() - begun) / 60:.1f} min; the last process of a run ended at most"
            f" {tally.slowest_end:.1f} s after it"
        )
        for line in tally.wrong:
            print(f"\nDEVIATION {line}")
    return 1 if tally.wrong or not tally.enough() else 0


if __name__ == "__main__":
    sys.exit(main())
