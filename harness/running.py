"""A run: from a request to records, whoever asks for it. What happens is printed to a console; nothing here ends the process."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from harness import quantities
from harness.errors import BenchError, unknown
from harness.estimate.estimator import RunEstimates, check_disk
from harness.planning.arguments import check_boolean, check_integer, check_type
from harness.planning.plan import Plan, make_plan
from harness.planning.request import Request
from harness.remote.mirror import Mirror, open_store
from harness.remote.remote_folder import Unreachable
from harness.safe_text import plain, redact
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
    """Where and how the cells of a run are trained. Nothing of it changes a score.

    Attributes:
        engine: `local`, `ray`, or `inline`.
        address: of the Ray cluster: `HOST:PORT`, or `auto`.
        devices: `auto`, or a list such as `cpu` or `cuda:0,cuda:1`.
        jobs: cells at once; None: by the devices.
        devices_per_cell: devices that train each cell together.
        shard: `I/N`: only every N-th cell, from the I-th (1 to N) on.
        checkpoint_every: how often a training is saved: `5m`, `200steps`, `never`.
        timeout: the longest that a cell may take, such as `30m`; None: any time.
        retries: how often a cell that failed is tried again.
        fail_fast: end the run at the first cell that failed.
        rerun_failed: run also cells that failed for a reason that another try would meet again.
        estimate: measure this machine before a search, where no record says how long it will take.
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

        return Policy(quantities.parse_seconds("--timeout", self.timeout) if self.timeout else None, self.retries, self.fail_fast)

    def part(self) -> tuple[int, int]:
        """(index from 0, number of shards); (0, 1) for the whole.

        Raises:
            BenchError: `shard` is no such pair.
        """
        if self.shard is None:
            return 0, 1
        index, slash, count = self.shard.partition("/")
        if not (slash and index.strip().isdecimal() and count.strip().isdecimal() and 1 <= int(index) <= int(count)):
            raise BenchError(f"--shard {self.shard}: must be I/N with I from 1 to N, such as 1/4")
        return int(index) - 1, int(count)

    def check(self) -> None:
        """Raise a `BenchError` for a value that cannot be."""
        from harness.engines import ENGINES

        for name in ("engine", "address", "devices", "shard", "checkpoint_every", "timeout"):
            value = getattr(self, name)
            check_type(name, value, (str, type(None)) if name in ("shard", "timeout") else str, "text, as the command line has it")
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
    """What a run came to.

    Attributes:
        plan: what was asked for.
        store: the results.
        cells: those of the plan that this run was to do, with the recipes that a search has found.
        worked: whether anything was run.
        unsent: why results are not where they belong, and what to do; empty where they are.
    """

    plan: Plan
    store: Store
    cells: list[Cell] = field(default_factory=list)
    worked: bool = False
    unsent: str = ""

    @property
    def every(self) -> list[Cell]:
        """The cells, and those that cannot run."""
        return [*self.cells, *(cell for cell, _ in self.plan.lost)]

    def records(self) -> list[Record]:
        """The records of those that have ended."""
        return [record for cell in self.every if (record := self.store.record(cell.id)) is not None]


def execute(request: Request, search: SearchRequest | None, results: str, execution: Execution, console: Console) -> GridRun:
    """Train and evaluate every pending cell of a request.

    Args:
        search: the search for recipes, if any.
        results: a folder or URL.
        console: is told what happens.

    Raises:
        BenchError: the request is wrong, or the results cannot be written.
        DiskFull: the disk is full (`harness.engines.grid`); finished cells are kept.
        KeyboardInterrupt: the person has interrupted it; the cells that ran have saved their state.
    """
    execution.check()
    made = make_plan(request)
    store = open_results(results)
    announce(made, console)
    if line := about_url(store):
        say(console, line)
    record_lost(made, store)
    from harness.origins import note as note_data

    note_data(store.root, made.cells)
    grid = GridRun(made, store)
    worker = _Worker(grid, results, execution, console)
    index, shards = execution.part()
    grid.cells, lost = list(made.cells[index::shards]), []
    if search:
        from harness.search.rounds import Rounds
        from harness.search.searches import shard_by_search

        ours = shard_by_search(made.cells, index, shards)
        rounds = Rounds(made, ours, search, request.settings, store, execution.rerun_failed)
        grid.worked = True
        worker.say_search(rounds, execution.estimate)
        whole = rounds.run(worker.start, execution.fail_fast, lambda line: say(console, line))
        grid.cells, lost = rounds.cells, rounds.record_failures()
        if not whole:
            grid.unsent = send(store)
            return grid
    pending, kept = to_run(grid.cells, store, execution.rerun_failed, lost)
    open_cells = {cell.id for cell in [*(cell for cell, _ in pending), *kept]}
    store.clean_up(cell.id for cell in grid.cells if cell.id not in open_cells)
    say(console, counted(made, grid.cells, pending, kept, execution.shard) + worker.time([cell for cell, _ in pending]))
    if pending:
        worker.start(pending)
    grid.worked |= bool(pending)
    if grid.worked:
        grid.unsent = send(store)
    return grid


class _Worker:
    """Runs cells of one grid, in one or more rounds."""

    def __init__(self, grid: GridRun, results: str, execution: Execution, console: Console):
        self.grid, self.results, self.execution, self.console = grid, results, execution, console
        # Of a cluster's machines nothing is known here.
        given = (execution.devices, execution.jobs, execution.devices_per_cell)
        self.estimates = RunEstimates(grid.store, *given) if execution.engine != "ray" else None
        self.warned: set[str] = set()  # one line for each task, however many rounds a search has
        self.engine: Callable[[], Engine] = cache(self._make_engine)

    def _make_engine(self) -> Engine:
        from harness.engines import make_engine
        from harness.methods import adapter_modules

        if not self.console.is_terminal:  # where the live picture says it
            say(self.console, "starting the workers")
        one = self.execution
        used = adapter_modules(cell.method for cell in self.grid.plan.cells)
        return make_engine(one.engine, one.devices, one.jobs, one.devices_per_cell, self.results, one.address, used)

    def start(self, todo: Sequence[tuple[Cell, str]]) -> list[Record]:
        """Run cells, given with the stamps of their records; the records of those that ended."""
        from harness.engines.base import Job
        from harness.engines.grid import run_grid
        from harness.progress import make_progress

        every = quantities.parse_interval("--checkpoint-every", self.execution.checkpoint_every)
        jobs = [Job(cell, self.results, seen, every, self.execution.devices_per_cell) for cell, seen in todo]
        cells, store = [cell for cell, _ in todo], self.grid.store
        expected = self.estimates.expected_seconds(cells) if self.estimates else {}
        with make_progress(self.console, cells, self.grid.plan.references, self.warned, expected) as progress:
            engine = self.engine()
            if warning := check_disk(store.root, cells, len(engine.slots), every):
                say(self.console, warning, "yellow")
            progress.time.slots = len(engine.slots)
            return run_grid(engine, jobs, progress, self.execution.policy)

    def time(self, cells: Sequence[Cell], thorough: bool = False) -> str:
        """How long cells will take, to stand behind their number."""
        if not self.estimates:
            return ""
        return self.estimates.summary(cells, (lambda line: say(self.console, line)) if thorough else None)

    def say_search(self, rounds: Rounds, thorough: bool) -> None:
        """How many trials a search has, and how long it will take."""
        todo = [*rounds.pending, *rounds.later]
        finished = self.grid.store.finished_among(cell.id for cell in rounds.cells)
        later = [cell for cell in rounds.cells if cell.id not in finished] if todo else []
        then = f", then {len(later)} cell{'s' if len(later) > 1 else ''}" if later else ""
        say(self.console, f"{rounds.counted()}{then}{self.time([*todo, *later], thorough)}")
        if todo and rounds.note:
            say(self.console, rounds.note)


def open_results(results: str) -> Store:
    """The results at a path, or at a URL with all that is there, to be written.

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


def about_url(store: Store) -> str:
    """What a person has to know of results behind a URL; empty for a folder."""
    if not isinstance(store, Mirror):
        return ""
    return (
        f"results in {store.name}, by way of {store.root}; no locks reach there: a cell that two machines begin at one time"
        " is done twice, and the first result counts (docs/cluster.md)"
    )


def send(store: Store) -> str:
    """Send what could not be sent before, bring what others have done meanwhile, and return why that cannot be."""
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
    """The cells that are to run, with the stamps of their records, and those that failed for a reason that stays.

    Args:
        lost: some of the cells, which cannot be run: the search for their recipe has found none.
    """
    from harness.engines.failures import failed_permanently

    without = {cell.id for cell in lost}
    pending, kept = [], list(lost)
    for cell in cells:
        if cell.id in without:
            continue
        record, stamp = store.record_and_digest(cell.id)
        if record is None or (record["status"] != "ok" and (rerun_failed or not failed_permanently(record))):
            pending.append((cell, stamp))
        elif record["status"] != "ok":
            kept.append(cell)
    return pending, kept


def counted(
    made: Plan, cells: Sequence[Cell], pending: Collection[object], kept: Sequence[Cell], shard: str | None
) -> str:
    """How many cells there are, and what will become of them."""
    here = f" (shard {shard} of {len(made.cells)})" if shard else ""
    failed = f", {len(kept)} failed for a reason that stays (--rerun-failed runs them)" if kept else ""
    lost = f", {len(made.lost)} cannot run" if made.lost else ""
    finished = len(cells) - len(pending) - len(kept)
    return f"{len(cells) + len(made.lost)} cells{here}: {finished} finished, {len(pending)} to run{failed}{lost}"


def record_lost(made: Plan, store: Store) -> None:
    """Failed records for the cells whose model or data cannot be had; those of an earlier run go where they now can be."""
    from harness.engines.failures import error_facts, failed_record

    for cell in made.cells:
        store.discard(cell.unresolved_id)
    now = timestamp(time.time())
    for cell, error in made.lost:
        store.write(failed_record(cell, error_facts(error), now, now, 0.0))


def announce(made: Plan, console: Console) -> None:
    """Which suite runs, what was made of the person's own files, and what the plan leaves out."""
    suite = made.suite
    if suite.name:
        say(console, f"suite {suite.name}: {suite.description}" if suite.description else f"suite {suite.name}")
    names = {cell.model.name for cell in made.cells}
    if renamed := {alias: name for alias, name in suite.aliases.items() if name in names}:
        listed = ", ".join(f"{alias} is {name}" for alias, name in renamed.items())
        say(console, f"In this suite {listed}: small models of its own. The published ones: --suite standard (docs/standard.md)")
    if changed := suite.defaults.changed:
        listed = " ".join(f"{option} {value}" for option, values in changed.items() for value in values)
        say(console, f"the suite's defaults, over which the command line wins: {listed}")
    say_notes(made, console)


def say_notes(made: Plan, console: Console) -> None:
    """What was made of the person's own files, and what the plan leaves out."""
    for note in made.notes:
        say(console, note)
    for reason in made.impossible:
        say(console, f"not possible: {reason}", "yellow")
    for reason in dict.fromkeys(str(error) for _, error in made.lost):
        say(console, f"cannot run: {reason}", "red")


def say(console: Console, line: str, style: str | None = None) -> None:
    """Print a line: brackets are no markup, and in a file or pipe it stays one line, for scripts to search."""
    console.print(plain(redact(line)), style=style, markup=False, soft_wrap=not console.is_terminal)
