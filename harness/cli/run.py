"""`bench run`: train and evaluate every pending cell, then show the table."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.cli.leaderboard import refresh
from harness.cli.options import RESULTS, make_request
from harness.errors import unknown
from harness.store import Record, Store

if TYPE_CHECKING:
    from rich.console import Console

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

    from harness.plan import make_plan

    made = make_plan(make_request(models, tasks, suite, methods, seeds, limit, settings))
    console = Console(stderr=as_json)
    announce(made, console)
    store = Store(results)
    pending = [cell for cell in made.cells if not store.finished(cell.id)]
    console.print(f"{len(made.cells)} cells: {len(made.cells) - len(pending)} finished, {len(pending)} to run")
    if pending:
        try:
            _run(pending, store, devices, jobs, console)
        except KeyboardInterrupt:
            console.print(f"interrupted; the finished cells are kept in {results}: the same command goes on from there")
            raise typer.Exit(INTERRUPTED) from None
    records = [record for cell in made.cells if (record := store.record(cell.id)) is not None]
    _conclude(records, results, console, as_json)


def announce(made: Plan, console: Console) -> None:
    """Which suite runs, and what the plan leaves out."""
    more = ""
    if made.suite.name == "mini":
        more = " Small data made to tell models apart; for published data sets: --suite FILE (docs/suites.md)."
    console.print(f"suite {made.suite.name}: {made.suite.description}.{more}", highlight=False, soft_wrap=True)
    for reason in made.impossible:
        console.print(f"not possible: {reason}", style="yellow", markup=False, soft_wrap=True)


def _run(pending: list, store: Store, devices: str, jobs: int | None, console: Console) -> None:
    from harness.cli.progress import make_progress
    from harness.engines.grid import run_grid
    from harness.engines.local import LocalEngine

    with make_progress(console, pending) as progress:
        run_grid(LocalEngine(store, devices, jobs), pending, progress)


def _conclude(records: list[Record], results: Path, console: Console, as_json: bool) -> None:
    """The table, the leaderboard's file, and the exit status: 1 where a cell failed."""
    from harness.report.board import Board
    from harness.report.terminal import final_table

    if as_json:
        keys = ("id", "status", "score", "primary_metric", "error")
        print(json.dumps([{key: record[key] for key in keys} for record in records], indent=1))
    else:
        console.print()
        console.print(final_table(Board.of(records)))
    failed = [record for record in records if record["status"] == "failed"]
    for record in failed:
        error = record["error"]
        console.print(
            f"failed: {record['id']}: {error['type']}: {error['message'].partition(chr(10))[0]}",
            style="red",
            markup=False,
        )
    if failed:
        console.print(
            f"the whole story: bench show {failed[0]['id']} --results {results}", markup=False, highlight=False
        )
    console.print(f"leaderboard: {os.path.relpath(refresh(results))}", highlight=False, soft_wrap=True)
    if failed:
        raise typer.Exit(1)
