"""`bench run`: train and evaluate every pending cell, then show the table."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.cli.leaderboard import refresh
from harness.cli.options import RESULTS, make_request
from harness.errors import unknown
from harness.secrets import redact
from harness.store import Store, timestamp

if TYPE_CHECKING:
    from rich.console import Console

    from harness.cell import Cell
    from harness.plan import Plan

ENGINES = ("local",)
INTERRUPTED = 130

Engine = Annotated[str, typer.Option("--engine", envvar="BENCH_ENGINE", help=", ".join(ENGINES))]
Devices = Annotated[str, typer.Option("--devices", envvar="BENCH_DEVICES", help="auto, cpu, cuda:0,cuda:1 ...")]
Jobs = Annotated[
    int | None, typer.Option("--jobs", envvar="BENCH_JOBS", min=1, help="Cells at once; default: by the devices.")
]


def run(
    models: options.Models = "all",
    tasks: options.Tasks = "all",
    suite: options.SuiteName = "mini",
    methods: options.Methods = "full",
    seeds: options.Seeds = "1",
    limit: options.Limit = None,
    settings: options.Settings = None,
    trust_remote_code: options.TrustRemoteCode = False,
    results: options.Results = RESULTS,
    engine: Engine = "local",
    devices: Devices = "auto",
    jobs: Jobs = None,
    as_json: options.Json = False,
) -> None:
    """Fine-tune every model on every task and rank them. What is finished already is not run again."""
    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    from rich.console import Console

    from harness.cli.progress import make_progress
    from harness.engines.grid import run_grid
    from harness.engines.local import LocalEngine
    from harness.plan import make_plan
    from harness.report.board import Board
    from harness.report.terminal import final_table

    made = make_plan(make_request(models, tasks, suite, methods, seeds, limit, settings, trust_remote_code))
    console = Console(stderr=as_json, highlight=False)
    announce(made, console)
    store = Store(results)
    record_lost(made, store)
    pending = [cell for cell in made.cells if not store.finished(cell.id)]
    lost = f", {len(made.lost)} cannot run" if made.lost else ""
    total = len(made.cells) + len(made.lost)
    say(
        console,
        f"{total} cells: {len(made.cells) - len(pending)} finished, {len(pending)} to run{lost}{expected(pending, store, devices, jobs)}",
    )
    if pending:
        try:
            with make_progress(console, pending, made.references) as progress:
                run_grid(LocalEngine(store, devices, jobs), pending, progress)
        except KeyboardInterrupt:
            say(console, f"interrupted; the finished cells are kept in {results}: the same command goes on from there")
            raise typer.Exit(INTERRUPTED) from None
    cells = [*made.cells, *(cell for cell, _ in made.lost)]
    records = [record for cell in cells if (record := store.record(cell.id)) is not None]
    if as_json:
        keys = ("id", "status", "score", "primary_metric", "error")
        print(json.dumps([{key: record[key] for key in keys} for record in records], indent=1))
    else:
        console.print()
        console.print(final_table(Board.of(records)))
    failed = [record for record in records if record["status"] == "failed"]
    for record in failed:
        error = record["error"]
        say(console, f"failed: {record['id']}: {error['type']}: {error['message'].partition(chr(10))[0]}", "red")
    if failed:
        say(console, f"the whole story: bench show {failed[0]['id']} --results {results}")
    say(console, f"leaderboard: {os.path.relpath(refresh(results))}")
    if failed:
        raise typer.Exit(1)


def expected(cells: list[Cell], store: Store, devices: str, jobs: int | None) -> str:
    """How long they will take, where past records tell it at once."""
    from harness.cli.estimate import estimated
    from harness.estimate import words

    grid = estimated(cells, store, devices, jobs, quick=True)
    return f"; {words.line(grid)}" if grid and not grid.unknown else ""


def record_lost(made: Plan, store: Store) -> None:
    """Failed records for the cells whose model or data cannot be had; those of an earlier run go where they now can be."""
    from harness.engines.base import error_facts, failed_record

    for cell in made.cells:
        store.discard(cell.unresolved_id)
    now = timestamp(time.time())
    for cell, error in made.lost:
        store.write(failed_record(cell, error_facts(error), now, now, 0.0))


def announce(made: Plan, console: Console) -> None:
    """Which suite runs, what was made of the person's own files, and what the plan leaves out."""
    line = f"suite {made.suite.name}" + (f": {made.suite.description}" if made.suite.description else "")
    say(console, line)
    if made.suite.name == "mini":
        say(console, "For published data sets and models: --suite standard (docs/standard.md), or a FILE of your own")
    for note in made.notes:
        say(console, note)
    for reason in made.impossible:
        say(console, f"not possible: {reason}", "yellow")
    for reason in dict.fromkeys(str(error) for _, error in made.lost):
        say(console, f"cannot run: {reason}", "red")


def say(console: Console, line: str, style: str | None = None) -> None:
    """Print a line: brackets are no markup, and in a file or pipe it stays one line, for scripts to search."""
    console.print(redact(line), style=style, markup=False, soft_wrap=not console.is_terminal)
