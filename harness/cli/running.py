"""What `bench run` does with its plan, and what it says."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import fmean
from typing import TYPE_CHECKING, Any

import typer

from harness.cli.leaderboard import BOARD, refresh
from harness.edges import unexpected
from harness.errors import BenchError
from harness.files import disk_full
from harness.methods import BASELINE
from harness.remote.folder import Unreachable
from harness.secrets import redact
from harness.shown import plain
from harness.store import Record, Store, timestamp
from harness.strict_json import dumps

if TYPE_CHECKING:
    from rich.console import Console

    from harness.cell import Cell
    from harness.engines.base import Engine
    from harness.engines.grid import Policy
    from harness.job import Job
    from harness.plan import Plan


def to_run(
    cells: Sequence[Cell], store: Store, rerun_failed: bool, lost: Collection[Cell] = ()
) -> tuple[list[tuple[Cell, str]], list[Cell]]:
    """The cells that are to run, with the stamps of their records, and those that failed for a reason that stays.

    Args:
        lost: some of the cells, which cannot be run: the search for their recipe has found none.
    """
    from harness.engines.base import stays_failed

    without = {cell.id for cell in lost}
    pending, kept = [], list(lost)
    for cell in cells:
        if cell.id in without:
            continue
        record, stamp = store.look(cell.id)
        if record is None or (record["status"] != "ok" and (rerun_failed or not stays_failed(record))):
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


def work(
    todo: Sequence[Job], engine: Callable[[], Engine], policy: Policy, references: Mapping[str, str], store: Store,
    console: Console, warned: set[str], expected: Mapping[str, float | None],
) -> list[Record]:  # fmt: skip
    """Run the cells, and return the records of those that ended.

    Args:
        engine: makes the engine, or gives the one that there is.
        warned: the tasks whose data were doubted before; is added to.
        expected: cell's id → seconds, None where nothing is known.

    Raises:
        typer.Exit: with status 1, after a clear line, where the disk is full.
    """
    from harness.cli.progress import make_progress
    from harness.engines.grid import NoRoom, run_grid
    from harness.estimate.disk import check_disk

    cells = [job.cell for job in todo]
    try:
        with make_progress(console, cells, references, warned, expected) as progress:
            made = engine()
            if warning := check_disk(store.root, cells, len(made.slots), todo[0].checkpoint_every):
                say(console, warning, "yellow")
            progress.time.slots = len(made.slots)
            return run_grid(made, todo, progress, policy)
    except NoRoom as error:
        say(
            console,
            f"{error}; finished cells are kept in {store.name}: make room, then run the same command again",
            "red",
        )
        raise typer.Exit(1) from None


def show(
    made: Plan, cells: Sequence[Cell], store: Store, console: Console, as_json: bool, command: str, unsent: str = ""
) -> None:
    """The table, the failures, trainings that need another recipe, and where the leaderboard is.

    Args:
        command: what was run, see `again`.
        unsent: why results are not where they belong, and what to do.

    Raises:
        typer.Exit: with status 1, where a cell failed or was not run.
    """
    from harness.grouping.board_records import BoardRecords
    from harness.report.board import Board
    from harness.report.terminal import final_table
    from harness.stats.standings import standings

    every = [*cells, *(cell for cell, _ in made.lost)]
    records = [record for cell in every if (record := store.record(cell.id)) is not None]
    if as_json:
        keys = ("id", "status", "score", "primary_metric", "error")
        print(dumps([{key: record[key] for key in keys} | _search(record) for record in records], indent=1))
    else:
        with whatever_happens("the table cannot be made", store, console):
            console.print()
            needed = BoardRecords.of(records)
            console.print(final_table(Board.of(needed, standings=standings(store, needed)), f"{store.name}/{BOARD}"))
    failed = [record for record in records if record["status"] == "failed"]
    for record in failed:
        error = record["error"]
        say(console, f"failed: {record['id']}: {error['type']}: {error['message'].partition(chr(10))[0]}", "red")
    if failed:
        say(console, f"the whole story: bench show {failed[0]['id']} --results {store.name}")
    with whatever_happens("what to try next cannot be told", store, console):
        if line := advice(records, command):
            say(console, line, "yellow")
    if len(records) < len(every):
        say(console, f"not run: {len(every) - len(records)} cells; the same command runs them", "yellow")
    if unsent:
        say(console, unsent, "red")
        raise typer.Exit(1)
    try:
        with whatever_happens(f"{BOARD} cannot be written", store, console):
            say(console, f"leaderboard: {refresh(store)}")
    except Unreachable as error:
        say(console, f"{error}; leaderboard.md is not up to date there: bench leaderboard", "red")
        raise typer.Exit(1) from None
    except OSError:
        say(console, "the disk is full: leaderboard.md is not up to date; make room, then: bench leaderboard", "red")
        raise typer.Exit(1) from None
    if failed or len(records) < len(every):
        raise typer.Exit(1)


@contextmanager
def whatever_happens(what: str, store: Store, console: Console) -> Iterator[None]:
    """Tell of an error instead of raising it: the cells have ended, and the end of their run must not fail them.

    A full disk and results that cannot be reached are raised: what to do then is known.
    """
    try:
        yield
    except Unreachable:
        raise
    except BenchError as error:
        say(console, f"{what}: {error}; the records are kept in {store.name}", "red")
    except Exception as error:
        if disk_full(error):
            raise
        say(console, f"{what}: {unexpected(error)}; the records are kept: bench leaderboard --results {store.name}", "red")


def advice(records: Sequence[Record], command: str) -> str:
    """What to run where recipes that nobody has searched did not suit their models; empty where all went well."""
    from harness.grouping.groups import identified, place
    from harness.trouble import SEARCH, trouble, trouble_of_seeds

    plain = [record for record in records if record["method"] != BASELINE and not record.get("search")]
    unfit = {}  # record's id → whether its training failed
    for group in place(filter(identified, plain))[0].values():
        together = trouble_of_seeds(group)
        middle = fmean(record["score"] for record in group if record["score"] is not None) if together else 0.0
        for record in group:
            shared = together if record["score"] is not None and record["score"] < middle else []  # it collapsed
            signs = [sign for sign in [*trouble(record), *shared] if sign.cure == SEARCH]
            diverged = (record.get("error") or {}).get("type") == FloatingPointError.__name__
            if signs or diverged:
                unfit[record["id"]] = diverged or any(sign.failed for sign in signs)
    if not unfit:
        return ""
    failed = sum(unfit.values())
    what = "failed" if failed == len(unfit) else f"failed ({failed}) or fell short" if failed else "may have fallen short"
    return f"{len(unfit)} of {len(plain)} trainings {what}; to try other recipes: {command} {SEARCH}"


def again(context: typer.Context) -> str:
    """The command as it was given, without the learning rate: what is fixed cannot be searched."""
    words = ["bench", str(context.info_name)]
    for option in context.command.params:
        source = context.get_parameter_source(str(option.name))
        if source is None or source.name != "COMMANDLINE":
            continue  # from the environment, where it still is, or a default
        value = context.params[str(option.name)]
        if isinstance(value, bool):
            words.append((option.opts if value else option.secondary_opts)[0])
            continue
        for one in value if isinstance(value, list | tuple) else [value]:
            if option.name != "settings" or one.partition("=")[0].strip() != "recipe.learning_rate":
                words += [option.opts[0], str(one)]
    return shlex.join(words)


def _search(record: Record) -> dict[str, Any]:
    """What a record tells of the search for its recipe, if there was one: its trials can be looked up in the record."""
    from harness.grouping.recipe_variants import search_summary

    return {"search": search_summary(record["search"])} if record.get("search") else {}


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
    suite = made.suite
    if suite.name:
        say(console, f"suite {suite.name}: {suite.description}" if suite.description else f"suite {suite.name}")
    names = {cell.model.name for cell in made.cells}
    if renamed := {alias: name for alias, name in suite.aliases.items() if name in names}:
        told = ", ".join(f"{alias} is {name}" for alias, name in renamed.items())
        say(console, f"In this suite {told}: small models of its own. The published ones: --suite standard (docs/standard.md)")
    if changed := suite.defaults.changed:
        told = " ".join(f"{option} {value}" for option, values in changed.items() for value in values)
        say(console, f"the suite's defaults, over which the command line wins: {told}")
    tell_doubts(made, console)


def tell_doubts(made: Plan, console: Console) -> None:
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
