"""How good `bench plan`'s estimates are: the plan, then the real run, side by side.

    python benchmarks/estimate.py --results DIR [--limit 300] [--jobs N]

For each suite twice: without any record (a calibration of the machine), then for another seed beside the records of the first.
May be stopped and started again: what has run is kept in DIR, and so is what the plan said before it ran. Prints a Markdown
table. `time` is what the slots took by the cells' own clocks, scheduled as the engine does; `processor` the same by the
processor's clock, for machines that do other things at the same time (one thread a cell only).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.estimate.grid_estimate import makespan
from harness.files import write_text

HERE = Path(__file__).resolve().parent
SUITES = {
    "mini": ["--suite", "mini", "--models", "bert,gpt2,t5"],
    "real": ["--suite", str(HERE / "real.yaml"), "--models", "minilm,stories260k"],
}
STAGES = {"calibration": "0,", "records": "1,"}


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--suites", default=",".join(SUITES))
    parser.add_argument("--limit", type=int, default=300, help="rows of the real data's splits; 0: all")
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--cells", action="store_true", help="a line for each cell too")
    asked = parser.parse_args()
    lines, cells = [], []
    for suite in asked.suites.split(","):
        options = [*SUITES[suite], "--devices", "cpu", *(["--jobs", str(asked.jobs)] if asked.jobs else [])]
        options += ["--limit", str(asked.limit)] if suite == "real" and asked.limit else []
        for stage in asked.stages.split(","):
            seeds = STAGES[stage]
            folder = asked.results / suite
            said = planned(folder, stage, [*options, "--seeds", seeds])
            bench(folder, "run", *options, "--no-baselines", "--seeds", seeds)
            line, own = compare(folder, said, f"{suite} | {stage}")
            lines.append(line)
            cells += own
    print(
        "| suite | from | cells | estimated s | time s | factor | processor s | factor | worst cell | memory factors |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---|")
    print("\n".join(lines))
    if asked.cells:
        print(
            "\n| suite | from | cell | estimated s | time s | processor s | estimated MiB | MiB |\n|---|---|---|---:|---:|---:|---:|---:|"
        )
        print("\n".join(cells))


def planned(folder: Path, stage: str, options: list[str]) -> dict[str, Any]:
    """What the plan says before anything of the stage has run; as it said it the first time."""
    file = folder / f"plan-{stage}.json"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, bench(folder, "plan", *options, "--json"))
    return json.loads(file.read_text(encoding="utf-8"))


def bench(folder: Path, *words: str) -> str:
    """Run the command with a results folder and a cache of calibrations of its own."""
    command = [sys.executable, "-m", "harness", *words, "--results", str(folder / "results")]
    environment = {**os.environ, "BENCH_CACHE": str(folder / "cache")}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1):  # 1: a cell failed; the others count
        sys.exit(f"{' '.join(command)} ended with status {done.returncode}")
    return done.stdout


def compare(folder: Path, said: dict[str, Any], title: str) -> tuple[str, list[str]]:
    """A line of the table, and a line for each cell."""
    slots, found, rows = said["estimate"]["slots"], [], []
    for cell in said["cells"]:
        file = folder / "results" / "cells" / cell["id"] / "record.json"
        record = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
        if record is None or record["status"] != "ok" or not cell["estimate"]:
            continue
        cost, one = record["cost"], cell["estimate"]
        twice = " (run again in fp32)" if record["training"].get("retried") else ""
        found.append(
            (
                one["seconds"],
                cost["total_seconds"],
                cost["processor_seconds"],
                one["peak_memory_bytes"] / cost["peak_memory_bytes"],
            )
        )
        rows.append(
            f"| {title} | {record['task']['name']} · {record['model']['name']}{twice} | {one['seconds']:.1f} | {cost['total_seconds']:.1f} | "
            f"{cost['processor_seconds']:.1f} | {one['peak_memory_bytes'] / 2**20:.0f} | {cost['peak_memory_bytes'] / 2**20:.0f} |"
        )
    estimated, time, processor = (makespan((row[place] for row in found), slots) for place in range(3))
    worst = max((row[0] / row[2] for row in found), key=lambda factor: abs(math.log(factor)))
    memory = sorted(row[3] for row in found)
    line = (
        f"| {title} | {len(found)} | {estimated:.0f} | {time:.0f} | {estimated / time:.2f} | {processor:.0f} | "
        f"{estimated / processor:.2f} | {worst:.2f} | {memory[0]:.2f} to {memory[-1]:.2f} |"
    )
    return line, rows


if __name__ == "__main__":
    main()
