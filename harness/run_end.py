"""What is said at the end of a run: failures, trainings that need another recipe, and where the leaderboard is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import fmean
from typing import TYPE_CHECKING, Any

from harness.errors import BenchError
from harness.files import disk_full
from harness.methods import BASELINE
from harness.remote.remote_folder import Unreachable
from harness.report.board_files import BOARD, refresh
from harness.running import GridRun, say
from harness.startup import describe_unexpected
from harness.store import Record, Store

if TYPE_CHECKING:
    from rich.console import Console


def say_table(grid: GridRun, records: Sequence[Record], console: Console) -> None:
    """The verdict and the table of a run's records."""
    from harness.grouping.board_records import BoardRecords
    from harness.report.board import Board
    from harness.report.terminal import final_table
    from harness.stats.standings import standings

    with whatever_happens("the table cannot be made", grid.store, console):
        console.print()
        needed = BoardRecords.of(records)
        board = Board.of(needed, standings=standings(grid.store, needed))
        console.print(final_table(board, f"{grid.store.name}/{BOARD}"))


def say_end(grid: GridRun, records: Sequence[Record], console: Console, again: str) -> bool:
    """Failures, what to try next, and where the leaderboard is, which is written; whether all is well.

    Args:
        records: of the run.
        again: the command or call that searches for other recipes.
    """
    failed = [record for record in records if record["status"] == "failed"]
    for record in failed:
        error = record["error"]
        say(console, f"failed: {record['id']}: {error['type']}: {error['message'].partition(chr(10))[0]}", "red")
    if failed:
        say(console, f"the whole story: bench show {failed[0]['id']} --results {grid.store.name}")
    with whatever_happens("what to try next cannot be told", grid.store, console):
        if line := advice(records):
            say(console, f"{line}; to try other recipes: {again}", "yellow")
    missing = len(grid.every) - len(records)
    if missing:
        say(console, f"not run: {missing} cells; the same command runs them", "yellow")
    if grid.unsent:
        say(console, grid.unsent, "red")
        return False
    try:
        with whatever_happens(f"{BOARD} cannot be written", grid.store, console):
            say(console, f"leaderboard: {refresh(grid.store)}")
    except Unreachable as error:
        say(console, f"{error}; leaderboard.md is not up to date there: bench leaderboard", "red")
        return False
    except OSError:
        say(console, "the disk is full: leaderboard.md is not up to date; make room, then: bench leaderboard", "red")
        return False
    return not failed and not missing


@contextmanager
def whatever_happens(what: str, store: Store, console: Console) -> Iterator[None]:
    """Report an error instead of raising it: the cells have ended, and the end of their run must not fail them.

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
        say(console, f"{what}: {describe_unexpected(error)}; the records are kept: bench leaderboard --results {store.name}", "red")


def advice(records: Sequence[Record]) -> str:
    """How many recipes that nobody has searched did not suit their models; empty where all went well."""
    from harness.grouping.groups import identified, records_by_place
    from harness.trouble import SEARCH, trouble, trouble_of_seeds

    plain = [record for record in records if record["method"] != BASELINE and not record.get("search")]
    unfit = {}  # record's id → whether its training failed
    for group in records_by_place(filter(identified, plain))[0].values():
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
    return f"{len(unfit)} of {len(plain)} trainings {what}"


def summaries(records: Sequence[Record]) -> list[dict[str, Any]]:
    """What a program is told of each record."""
    from harness.grouping.recipe_variants import search_summary

    keys = ("id", "status", "score", "primary_metric", "error")
    return [
        {key: record[key] for key in keys} | ({"search": search_summary(record["search"])} if record.get("search") else {})
        for record in records
    ]
