"""`bench run`: train and evaluate every pending cell, then show the table."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import typer

from harness.cli import options, run_options
from harness.cli.leaderboard import refresh
from harness.cli.options import RESULTS, make_request
from harness.errors import unknown
from harness.files import disk_full
from harness.secrets import redact
from harness.store import Store, head, timestamp

if TYPE_CHECKING:
    from rich.console import Console

    from harness.cell import Cell
    from harness.duration import Every
    from harness.engines.base import Engine
    from harness.engines.grid import Policy
    from harness.plan import Plan

INTERRUPTED = 130


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
    engine: run_options.Engine = "local",
    address: run_options.Address = "auto",
    devices: run_options.Devices = "auto",
    jobs: run_options.Jobs = None,
    shard: run_options.Shard = None,
    checkpoint_every: run_options.CheckpointEvery = "5m",
    timeout: run_options.Timeout = None,
    retries: run_options.Retries = 0,
    fail_fast: run_options.FailFast = False,
    rerun_failed: run_options.RerunFailed = False,
    as_json: options.Json = False,
) -> None:
    """Fine-tune every model on every task and rank them. What is finished already is not run again."""
    from harness import duration
    from harness.engines.choose import ENGINES, make_engine
    from harness.engines.grid import Policy

    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    every = duration.every("--checkpoint-every", checkpoint_every)
    policy = Policy(duration.seconds("--timeout", timeout) if timeout else None, retries, fail_fast)
    index, shards = run_options.shard_of(shard)
    from rich.console import Console

    from harness.plan import make_plan

    request = make_request(models, tasks, suite, methods, seeds, limit, settings, trust_remote_code)
    # Bound to the stream: the engine `inline` puts another one into its place.
    console = Console(file=sys.stderr if as_json else sys.stdout, highlight=False)
    # What ends a session or a batch job (its terminal or its time is gone) saves as much as Ctrl-C.
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    try:
        made = make_plan(request)
        announce(made, console)
        store = Store(results)
        record_lost(made, store)
        cells = made.cells[index::shards]
        pending, kept = to_run(cells, store, rerun_failed)
        when = expected(pending, store, devices, jobs) if engine != "ray" else ""  # of this machine it would be
        say(console, counted(made, cells, pending, kept, shard) + when)
        if pending:
            work(
                pending,
                store,
                made,
                console,
                partial(make_engine, engine, devices, jobs, results, address),
                every,
                policy,
            )
        show(made, cells, store, console, as_json)
    except KeyboardInterrupt:
        say(console, f"interrupted; finished cells are kept in {results}, the others go on from there: run it again")
        raise typer.Exit(INTERRUPTED) from None


def to_run(cells: Sequence[Cell], store: Store, rerun_failed: bool) -> tuple[list[Cell], list[Cell]]:
    """The cells that are to run, and those that are not because they failed for a reason that stays."""
    from harness.engines.base import stays_failed

    pending, kept = [], []
    for cell in cells:
        record = store.record(cell.id, head)
        if record is None or (record["status"] != "ok" and (rerun_failed or not stays_failed(record))):
            pending.append(cell)
        elif record["status"] != "ok":
            kept.append(cell)
    return pending, kept


def counted(made: Plan, cells: Sequence[Cell], pending: Sequence[Cell], kept: Sequence[Cell], shard: str | None) -> str:
    """How many cells there are, and what will become of them."""
    here = f" (shard {shard} of {len(made.cells)})" if shard else ""
    failed = f", {len(kept)} failed for a reason that stays (--rerun-failed runs them)" if kept else ""
    lost = f", {len(made.lost)} cannot run" if made.lost else ""
    finished = len(cells) - len(pending) - len(kept)
    return f"{len(cells) + len(made.lost)} cells{here}: {finished} finished, {len(pending)} to run{failed}{lost}"


def work(
    pending: Sequence[Cell], store: Store, made: Plan, console: Console, engine: Callable[[], Engine], every: Every,
    policy: Policy,
) -> None:  # fmt: skip
    """Run the cells on what `engine` makes.

    Raises:
        typer.Exit: with status 1, after a clear line, where the disk is full.
    """
    from harness.cli.progress import make_progress
    from harness.engines.grid import NoRoom, run_grid
    from harness.estimate.disk import check_disk
    from harness.job import Job

    store.tidy()
    chosen = engine()
    if warning := check_disk(store.root, pending, len(chosen.slots), every):
        say(console, warning, "yellow")
    todo = [Job(cell, str(store.root), store.stamp(cell.id), every) for cell in pending]
    try:
        with make_progress(console, pending, made.references) as progress:
            run_grid(chosen, todo, progress, policy)
    except NoRoom as error:
        say(
            console,
            f"{error}; finished cells are kept in {store.root}: make room, then run the same command again",
            "red",
        )
        raise typer.Exit(1) from None


def show(made: Plan, cells: Sequence[Cell], store: Store, console: Console, as_json: bool) -> None:
    """The table, the failures, and where the leaderboard is.

    Raises:
        typer.Exit: with status 1, where a cell failed or was not run.
    """
    from harness.report.board import Board
    from harness.report.terminal import final_table

    every = [*cells, *(cell for cell, _ in made.lost)]
    records = [record for cell in every if (record := store.record(cell.id)) is not None]
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
        say(console, f"the whole story: bench show {failed[0]['id']} --results {store.root}")
    if len(records) < len(every):
        say(console, f"not run: {len(every) - len(records)} cells; the same command runs them", "yellow")
    try:
        say(console, f"leaderboard: {os.path.relpath(refresh(store.root))}")
    except OSError as error:
        if not disk_full(error):
            raise
        say(console, "the disk is full: leaderboard.md is not up to date; make room, then: bench leaderboard", "red")
        raise typer.Exit(1) from None
    if failed or len(records) < len(every):
        raise typer.Exit(1)


def expected(cells: Sequence[Cell], store: Store, devices: str, jobs: int | None) -> str:
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
