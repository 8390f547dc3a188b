"""How long do the commands take that train nothing, where there are very many cells?

    python benchmarks/scale.py --output scale.md

Makes a folder of 100,000 records and a grid of 10,000 cells (in a temporary place, or in --folder, which is kept and used
again), runs each command as a person would, in a fresh process, and prints seconds by the clock, processor seconds and the
largest resident memory: medians of the runs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import scale_records

from harness import registry
from harness.files import write_text
from harness.models.resolve import package_path

METHODS = ("full", "scratch")
FILES = {"reviews": "mini-sentiment", "topics": "mini-topics"}  # tasks from files of our own, and whose rows they hold
REGISTERED = ("mini-ner", "mini-qa", "mini-translation")


def measure(arguments: list[str], folder: Path) -> tuple[float, float, float]:
    """Run `bench` once: seconds by the clock, processor seconds, and MiB at most in memory."""
    command = [sys.executable, "-m", "harness", *arguments]
    begun = time.perf_counter()
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"bench {' '.join(arguments)} ended with {child.returncode}")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / unit


def make_suite(folder: Path, models: int) -> None:
    """A suite of so many model folders and five tasks: two of files, three of grammars."""
    sources = [model for model in registry.models().values() if model.source.startswith("pkg:tasks/mini/")]
    for number in range(models):
        source = package_path(sources[number % len(sources)].source)
        target = folder / f"model-{number:02}"
        target.mkdir()
        for file in source.iterdir():
            (target / file.name).write_bytes(file.read_bytes())
        config = json.loads((target / "config.json").read_text(encoding="utf-8"))
        (target / "config.json").write_text(json.dumps({**config, "number": number}), encoding="utf-8")
    for name, source in FILES.items():
        for split, rows in registry.tasks()[source].source.read().items():
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (folder / f"{name}-{split}.jsonl").write_text(lines, encoding="utf-8")
    tasks: list[object] = [
        {
            "name": name,
            "family": registry.tasks()[source].family,
            "data": {
                "format": "jsonl",
                "files": {split: f"{name}-{split}.jsonl" for split in ("train", "validation", "test")},
            },
        }
        for name, source in FILES.items()
    ]
    names = {f"model-{number:02}": f"./model-{number:02}" for number in range(models)}
    suite = {"name": "scale", "models": names, "tasks": [*tasks, *REGISTERED]}
    (folder / "scale.yaml").write_text(json.dumps(suite), encoding="utf-8")  # JSON is YAML


def make(folder: Path, sizes: argparse.Namespace) -> None:
    """Fill the folder, unless an earlier run has."""
    if (folder / "made").exists():
        return
    make_suite(folder, sizes.plan_models)
    plan = ["plan", "--suite", "scale.yaml", "--seeds", str(sizes.plan_seeds), "--json"]
    told = subprocess.run([sys.executable, "-m", "harness", *plan], cwd=folder, check=True, stdout=subprocess.PIPE)
    cells = json.loads(told.stdout)["cells"]
    scale_records.FAILED = len(cells) + 1  # all are finished here
    print(f"{scale_records.write(folder / 'finished', scale_records.planned(cells))} cells", file=sys.stderr)
    scale_records.FAILED = 100
    pairs = scale_records.grid(sizes.models, sizes.tasks, METHODS, sizes.seeds)
    print(f"{scale_records.write(folder / 'many', pairs)} records", file=sys.stderr)
    write_text(folder / "made", "")


def table(folder: Path, sizes: argparse.Namespace) -> str:
    """All commands, as Markdown."""
    cells = f"{sizes.plan_models * 5 * sizes.plan_seeds:,} cells"
    records = f"{sizes.models * sizes.tasks * len(METHODS) * sizes.seeds:,} records"
    plan = ["plan", "--suite", "scale.yaml", "--seeds", str(sizes.plan_seeds)]
    commands = {
        "`bench --help`": ["--help"],
        f"`bench plan`, {cells}, none finished": [*plan, "--results", "none"],
        f"`bench plan`, {cells}, all finished": [*plan, "--results", "finished"],
        f"`bench plan --json`, {cells}, all finished": [*plan, "--results", "finished", "--json"],
        **{
            f"`bench leaderboard --format {form}`, {records}": ["leaderboard", "--results", "many", "--format", form]
            for form in ("md", "csv", "json")
        },
    }
    lines = ["| command | seconds | processor seconds | peak memory |", "| --- | ---: | ---: | ---: |"]
    for name, arguments in commands.items():
        if sizes.only and sizes.only not in name:
            continue
        runs = [measure(arguments, folder) for _ in range(sizes.runs)]
        wall, processor, memory = (statistics.median(values) for values in zip(*runs, strict=True))
        lines.append(f"| {name} | {wall:.2f} | {processor:.2f} | {memory:.0f} MiB |")
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    sizes = {"models": 100, "tasks": 20, "seeds": 25, "plan-models": 20, "plan-seeds": 100, "runs": 3}
    for name, size in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=size, help=f"default: {size}")
    parser.add_argument("--only", default="", help="run the commands only whose line has these words")
    parser.add_argument("--folder", type=Path, help="made once, kept and used again; default: a temporary one")
    parser.add_argument("--output", type=Path, help="write the table here too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.folder or Path(temporary)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        make(folder, arguments)
        text = table(folder, arguments)
    print(text, end="")
    if arguments.output:
        write_text(arguments.output, text)


if __name__ == "__main__":
    main()
