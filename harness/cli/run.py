"""`bench run`: train and evaluate every pending cell, then show the table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import typer

from harness.cli import options, run_options
from harness.cli.estimate import Times
from harness.cli.options import RESULTS, make_request
from harness.cli.results import begin, end, note
from harness.cli.running import again, announce, counted, record_lost, say, show, to_run, work
from harness.cli.search_request import read_search, shard_by_search
from harness.cli.searching import Rounds
from harness.cli.signals import ignore, interrupt_at
from harness.errors import unknown

if TYPE_CHECKING:
    from harness.cell import Cell
    from harness.engines.base import Engine
    from harness.store import Record

INTERRUPTED = 130


def run(
    context: typer.Context,
    models: options.Models = "all",
    tasks: options.Tasks = "all",
    suite: options.SuiteName = None,
    methods: options.Methods = None,
    seeds: options.Seeds = None,
    columns: options.Columns = None,
    limit: options.Limit = None,
    train_sizes: options.TrainSizes = None,
    settings: options.Settings = None,
    search: options.Search = None,
    trust_remote_code: options.TrustRemoteCode = False,
    keep_head: options.KeepHead = False,
    baselines: options.Baselines = True,
    results: options.Results = RESULTS,
    engine: run_options.Engine = "local",
    address: run_options.Address = "auto",
    devices: run_options.Devices = "auto",
    jobs: run_options.Jobs = None,
    devices_per_cell: run_options.DevicesPerCell = 1,
    shard: run_options.Shard = None,
    checkpoint_every: run_options.CheckpointEvery = "5m",
    timeout: run_options.Timeout = None,
    retries: run_options.Retries = 0,
    fail_fast: run_options.FailFast = False,
    rerun_failed: run_options.RerunFailed = False,
    estimate: run_options.EstimateSearch = True,
    as_json: options.Json = False,
) -> None:
    """Fine-tune every model on every task and rank them. What is finished already is not run again."""
    from harness import duration
    from harness.engines.choose import ENGINES, make_engine
    from harness.engines.grid import Policy
    from harness.job import Job
    from harness.methods import modules
    from harness.origins import note as note_data

    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    every = duration.every("--checkpoint-every", checkpoint_every)
    policy = Policy(duration.seconds("--timeout", timeout) if timeout else None, retries, fail_fast)
    index, shards = run_options.shard_of(shard)
    from harness.plan import make_plan
    from harness.shown import console as make_console

    request = make_request(
        models, tasks, suite, methods, seeds, limit, settings, trust_remote_code, baselines, train_sizes, columns, keep_head
    )
    wanted = read_search(search, request)
    # Bound to the stream: the engine `inline` puts another one into its place.
    console = make_console(file=sys.stderr if as_json else sys.stdout, highlight=False)
    # What ends a session or a batch job (its terminal or its time is gone) saves as much as Ctrl-C.
    interrupt_at("SIGTERM", "SIGHUP")
    try:
        made = make_plan(request)
        store = begin(results)
        announce(made, console)
        if told := note(store):
            say(console, told)
        record_lost(made, store)
        note_data(store.root, made.cells)
        used = modules(cell.method for cell in made.cells)

        @cache
        def chosen() -> Engine:
            if not console.is_terminal:  # where the live picture says it
                say(console, "starting the workers")
            return make_engine(engine, devices, jobs, devices_per_cell, results, address, used)

        # Of a cluster's machines nothing is known here.
        times = Times(store, devices, jobs, devices_per_cell) if engine != "ray" else None

        warned: set[str] = set()  # one line for each task, however many rounds a search has

        def start(todo: list[tuple[Cell, str]]) -> list[Record]:
            given = [Job(cell, results, seen, every, devices_per_cell) for cell, seen in todo]
            expected = times.of([cell for cell, _ in todo]) if times else {}
            return work(given, chosen, policy, made.references, store, console, warned, expected)

        def time(todo: Sequence[Cell], thorough: bool = False) -> str:
            return times.line(todo, (lambda line: say(console, line)) if thorough else None) if times else ""

        cells, lost = made.cells[index::shards], []
        if wanted:
            rounds = Rounds(
                made, shard_by_search(made.cells, index, shards), wanted, request.settings, store, rerun_failed
            )
            todo = [*rounds.pending, *rounds.unknown]
            finished = store.finished_among(cell.id for cell in rounds.cells)
            later = [cell for cell in rounds.cells if cell.id not in finished] if todo else []
            then = f", then {len(later)} cell{'s' if len(later) > 1 else ''}" if later else ""
            say(console, f"{rounds.counted()}{then}{time([*todo, *later], estimate)}")
            if todo and rounds.told:
                say(console, rounds.told)
            whole = rounds.run(start, fail_fast, console)
            cells, lost = rounds.cells, rounds.record_failures()
            if not whole:
                return show(made, cells, store, console, as_json, again(context), end(store))
        pending, kept = to_run(cells, store, rerun_failed, lost)
        open_cells = {cell.id for cell in [*(cell for cell, _ in pending), *kept]}
        store.tidy(cell.id for cell in cells if cell.id not in open_cells)
        say(console, counted(made, cells, pending, kept, shard) + time([cell for cell, _ in pending]))
        if pending:
            start(pending)
        show(made, cells, store, console, as_json, again(context), end(store) if pending or wanted else "")
    except KeyboardInterrupt:
        ignore("SIGINT", "SIGTERM", "SIGHUP")  # all has ended: who is impatient now must not see Python end
        say(console, f"interrupted; finished cells are kept in {results}, the others go on from there: run it again")
        raise typer.Exit(INTERRUPTED) from None
