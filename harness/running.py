"""A run, from a request to records. It prints to a console and never ends the process."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from harness import quantities
from harness.errors import BenchError, unknown
from harness.estimate.estimator import RunEstimates, check_disk
from harness.planning.arguments import check_boolean, check_integer, check_type
from harness.planning.plan import Plan, make_plan
from harness.planning.request import Request
from harness.remote.mirror import Mirror, open_store
from harness.remote.remote_folder import Unreachable
from harness.run_output import print_line, print_plan
from harness.store import Record, Store, timestamp

if TYPE_CHECKING:
    from rich.console import Console

    from harness.cell import Cell
    from harness.engines.base import Engine
    from harness.engines.grid import Policy
    from harness.search.rounds import Rounds
    from harness.search.search_option import SearchRequest


@dataclass(frozen=True)
class Execution:
    """Where and how the cells of a run are trained. None of these values changes a score.

    Attributes:
        engine: `local`, `ray`, or `inline`.
        address: the Ray cluster: `HOST:PORT`, or `auto`.
        devices: `auto`, or a list such as `cpu` or `cuda:0,cuda:1`.
        jobs: how many cells run at once; None: as many as suit the devices.
        devices_per_cell: how many devices train each cell together.
        shard: `I/N`: run only every N-th cell, starting with the I-th (1 to N).
        checkpoint_every: how often to save a training: `5m`, `200steps`, `never`.
        timeout: the longest time a cell may take, such as `30m`; None: no limit.
        retries: how often to try a failed cell again.
        fail_fast: end the run at the first cell that failed.
        rerun_failed: also run cells that failed for a reason that another try would meet again.
        estimate: before a search, measure this machine if no record says how long the search will take.
    """

    engine: str = "local"
    address: str = "auto"
    devices: str = "auto"
    jobs: int | None = None
    devices_per_cell: int = 1
    shard: str | None = None
    checkpoint_every: str = "5m"
    timeout: str | None = None
    retries: int = 0
    fail_fast: bool = False
    rerun_failed: bool = False
    estimate: bool = True

    @property
    def policy(self) -> Policy:
        """What to do with cells that take long or fail."""
        from harness.engines.grid import Policy

        timeout = quantities.parse_seconds("--timeout", self.timeout) if self.timeout else None
        return Policy(timeout, self.retries, self.fail_fast)

    def part(self) -> tuple[int, int]:
        """Return the shard as (index from 0, number of shards); (0, 1) for the whole run.

        Raises:
            BenchError: `shard` is not of the form I/N.
        """
        if self.shard is None:
            return 0, 1
        index, slash, count = self.shard.partition("/")
        if not (slash and index.strip().isdecimal() and count.strip().isdecimal() and 1 <= int(index) <= int(count)):
            raise BenchError(f"--shard {self.shard}: must be I/N with I from 1 to N, such as 1/4")
        return int(index) - 1, int(count)

    def check(self) -> None:
        """Raise a `BenchError` for an invalid value."""
        from harness.engines import ENGINES

        for name in ("engine", "address", "devices", "shard", "checkpoint_every", "timeout"):
            kinds = (str, type(None)) if name in ("shard", "timeout") else str
            check_type(name, getattr(self, name), kinds, "text, as the command line has it")
        for name in ("fail_fast", "rerun_failed", "estimate"):
            check_boolean(name, getattr(self, name))
        if self.jobs is not None:
            check_integer("--jobs", self.jobs, 1)
        check_integer("--devices-per-cell", self.devices_per_cell, 1)
        check_integer("--retries", self.retries, 0)
        if self.engine not in ENGINES:
            raise unknown("engine", self.engine, ENGINES)
        quantities.parse_interval("--checkpoint-every", self.checkpoint_every)
        self.policy, self.part()


@dataclass
class GridRun:
    """The cells and results of one run.

    Attributes:
        plan: the plan of the request.
        store: the results.
        cells: the cells of the plan that belong to this run, with the recipes that a search has found.
        unsent: why the results are not at their URL, and what to do; empty if they are.
    """

    plan: Plan
    store: Store
    cells: list[Cell] = field(default_factory=list)
    unsent: str = ""

    @property
    def every(self) -> list[Cell]:
        """The cells, and those that cannot run."""
        return [*self.cells, *(cell for cell, _ in self.plan.lost)]

    def records(self) -> list[Record]:
        """Return the records of the cells that have ended."""
        return [record for cell in self.every if (record := self.store.record(cell.id)) is not None]


def execute(request: Request, search: SearchRequest | None, results: str, execution: Execution, console: Console) -> GridRun:
    """Train and evaluate every pending cell of a request.

    Args:
        search: the search for recipes, if any.
        results: a folder or URL.
        console: where to print what happens.

    Raises:
        BenchError: the request is wrong, or the results cannot be written.
        DiskFull: the disk is full (`harness.engines.grid`); finished cells are kept.
        KeyboardInterrupt: the run was interrupted; the running cells have saved their state.
    """
    from harness.origins import write_notes

    execution.check()
    plan = make_plan(request)
    store = open_results(results)
    print_plan(plan, console)
    if isinstance(store, Mirror):
        print_line(
            console,
            f"results in {store.name}, by way of {store.root}; no locks reach there: a cell that two machines begin at one"
            " time is done twice, and the first result counts (docs/cluster.md)",
        )
    record_lost(plan, store)
    write_notes(store.root, plan.cells)
    grid = GridRun(plan, store)
    runner = _CellRunner(grid, results, execution, console)
    index, shards = execution.part()
    grid.cells, lost = list(plan.cells[index::shards]), []
    if search:
        from harness.search.rounds import Rounds
        from harness.search.searches import shard_by_search

        shard_cells = shard_by_search(plan.cells, index, shards)
        rounds = Rounds(plan, shard_cells, search, request.settings, store, execution.rerun_failed)
        runner.print_search(rounds)
        completed = rounds.run(runner.start, execution.fail_fast, lambda line: print_line(console, line))
        grid.cells, lost = rounds.cells, rounds.record_failures()
        if not completed:
            grid.unsent = send(store)
            return grid
    pending, failed = to_run(grid.cells, store, execution.rerun_failed, lost)
    unfinished = {cell.id for cell in [*(cell for cell, _ in pending), *failed]}
    store.clean_up(cell.id for cell in grid.cells if cell.id not in unfinished)
    counts = count_line(plan, grid.cells, pending, failed, execution.shard)
    print_line(console, counts + runner.time_line([cell for cell, _ in pending]))
    if pending:
        runner.start(pending)
    if pending or search:
        grid.unsent = send(store)
    return grid


class _CellRunner:
    """Runs cells of one grid, in one or more rounds."""

    def __init__(self, grid: GridRun, results: str, execution: Execution, console: Console):
        self.grid, self.results, self.execution, self.console = grid, results, execution, console
        slots = (execution.devices, execution.jobs, execution.devices_per_cell)
        # The machines of a cluster are not known here, so nothing is estimated for them.
        self.estimates = RunEstimates(grid.store, *slots) if execution.engine != "ray" else None
        self.warned: set[str] = set()  # one line for each task, however many rounds a search has

    @cached_property
    def engine(self) -> Engine:
        """The engine, started when it is first used."""
        from harness.engines import make_engine
        from harness.methods import adapter_modules

        if not self.console.is_terminal:  # on a terminal the live display says it
            print_line(self.console, "starting the workers")
        how, preload = self.execution, adapter_modules(cell.method for cell in self.grid.plan.cells)
        return make_engine(
            how.engine, how.devices, how.jobs, how.devices_per_cell, self.results, how.address, preload
        )

    def start(self, pending: Sequence[tuple[Cell, str]]) -> list[Record]:
        """Run cells, given as (cell, stamp of its record), and return the records of those that ended."""
        from harness.engines.base import Job
        from harness.engines.grid import run_grid
        from harness.progress import make_progress

        interval = quantities.parse_interval("--checkpoint-every", self.execution.checkpoint_every)
        jobs = [Job(cell, self.results, stamp, interval, self.execution.devices_per_cell) for cell, stamp in pending]
        cells, store = [cell for cell, _ in pending], self.grid.store
        expected = self.estimates.expected_seconds(cells) if self.estimates else {}
        with make_progress(self.console, cells, self.grid.plan.references, self.warned, expected) as progress:
            if warning := check_disk(store.root, cells, len(self.engine.slots), interval):
                print_line(self.console, warning, "yellow")
            progress.time.slots = len(self.engine.slots)
            return run_grid(self.engine, jobs, progress, self.execution.policy)

    def time_line(self, cells: Sequence[Cell], measure: bool = False) -> str:
        """Return how long cells will take, to follow their number; `measure` allows a measurement of this machine."""
        if not self.estimates:
            return ""
        return self.estimates.summary(cells, (lambda line: print_line(self.console, line)) if measure else None)

    def print_search(self, rounds: Rounds) -> None:
        """Print how many trials a search has, and how long it will take."""
        trials = [*rounds.pending, *rounds.later]
        finished = self.grid.store.finished_among(cell.id for cell in rounds.cells)
        cells = [cell for cell in rounds.cells if cell.id not in finished] if trials else []
        then = f", then {len(cells)} cell{'s' if len(cells) > 1 else ''}" if cells else ""
        time_line = self.time_line([*trials, *cells], self.execution.estimate)
        print_line(self.console, f"{rounds.counted()}{then}{time_line}")
        if trials and rounds.note:
            print_line(self.console, rounds.note)


def open_results(results: str) -> Store:
    """Open a results folder or URL for writing; a URL is first brought up to date.

    Raises:
        BenchError: the URL cannot be read or written, or the folder cannot be written.
    """
    store = open_store(results)
    if isinstance(store, Mirror):
        store.remote.check()
        store.sync(send=True)
        return store
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        if not os.access(store.root, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(store.root))
    except OSError as error:
        raise BenchError(f"--results {results}: {error.strerror}; name a folder that can be written") from None
    return store


def send(store: Store) -> str:
    """Synchronise results with their URL. Return why that failed, and what to do; empty if it succeeded."""
    try:
        store.sync(send=True)
    except Unreachable as error:
        waiting = len(store.unsent()) if isinstance(store, Mirror) else 0
        if not waiting:
            return f"{error}; all finished cells are there, but leaderboard.md may be out of date"
        cells = "1 finished cell waits" if waiting == 1 else f"{waiting} finished cells wait"
        return f"{error}; {cells} in {store.root}: the same command sends them"
    return ""


def to_run(
    cells: Sequence[Cell], store: Store, rerun_failed: bool, lost: Collection[Cell] = ()
) -> tuple[list[tuple[Cell, str]], list[Cell]]:
    """Return the pending cells, with the stamps of their records, and the cells that failed for a reason that stays.

    Args:
        lost: those of the cells for whose recipe a search has found nothing; they cannot run.
    """
    from harness.engines.failures import failed_permanently

    lost_ids = {cell.id for cell in lost}
    pending, failed = [], list(lost)
    for cell in cells:
        if cell.id in lost_ids:
            continue
        record, stamp = store.record_and_digest(cell.id)
        if record is None or (record["status"] != "ok" and (rerun_failed or not failed_permanently(record))):
            pending.append((cell, stamp))
        elif record["status"] != "ok":
            failed.append(cell)
    return pending, failed


def count_line(
    plan: Plan, cells: Sequence[Cell], pending: Collection[object], failed: Sequence[Cell], shard: str | None
) -> str:
    """Return how many cells there are, and how many of them are finished, will run, or cannot."""
    shard_text = f" (shard {shard} of {len(plan.cells)})" if shard else ""
    failed_text = f", {len(failed)} failed for a reason that stays (--rerun-failed runs them)" if failed else ""
    lost_text = f", {len(plan.lost)} cannot run" if plan.lost else ""
    finished = len(cells) - len(pending) - len(failed)
    total = len(cells) + len(plan.lost)
    return f"{total} cells{shard_text}: {finished} finished, {len(pending)} to run{failed_text}{lost_text}"


def record_lost(plan: Plan, store: Store) -> None:
    """Write failed records for cells whose model or data are unavailable, and delete those that no longer apply."""
    from harness.engines.failures import error_facts, failed_record

    for cell in plan.cells:
        store.discard(cell.unresolved_id)
    now = timestamp(time.time())
    for cell, error in plan.lost:
        store.write(failed_record(cell, error_facts(error), now, now, 0.0))
