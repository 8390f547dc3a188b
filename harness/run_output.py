"""What a run prints before its cells start and after they have ended; `harness.progress` prints in between."""

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
from harness.safe_text import plain, redact
from harness.startup import describe_unexpected
from harness.store import Record, Store

if TYPE_CHECKING:
    from rich.console import Console

    from harness.planning.plan import Plan
    from harness.running import GridRun


def print_line(console: Console, line: str, style: str | None = None) -> None:
    """Print a line without markup. In a file or pipe it is not wrapped, so that scripts can search for it."""
    console.print(plain(redact(line)), style=style, markup=False, soft_wrap=not console.is_terminal)


def print_plan(plan: Plan, console: Console) -> None:
    """Print which suite runs, how the user's files were read, and what the plan leaves out."""
    suite = plan.suite
    if suite.name:
        print_line(console, f"suite {suite.name}: {suite.description}" if suite.description else f"suite {suite.name}")
    names = {cell.model.name for cell in plan.cells}
    if renamed := {alias: name for alias, name in suite.aliases.items() if name in names}:
        listed = ", ".join(f"{alias} is {name}" for alias, name in renamed.items())
        print_line(
            console,
            f"In this suite {listed}: small models of its own. The published ones: --suite standard (docs/standard.md)",
        )
    if changed := suite.defaults.changed:
        listed = " ".join(f"{option} {value}" for option, values in changed.items() for value in values)
        print_line(console, f"the suite's defaults, over which the command line wins: {listed}")
    for note in plan.notes:
        print_line(console, note)
    for reason in plan.impossible:
        print_line(console, f"not possible: {reason}", "yellow")
    for reason in dict.fromkeys(str(error) for _, error in plan.lost):
        print_line(console, f"cannot run: {reason}", "red")


def print_table(grid: GridRun, records: Sequence[Record], console: Console) -> None:
    """Print the verdict and the leaderboard of a run's records."""
    from harness.grouping.board_records import BoardRecords
    from harness.report.board import Board
    from harness.report.terminal import final_table
    from harness.stats.standings import standings

    with errors_printed("the table cannot be made", grid.store, console):
        console.print()
        board_records = BoardRecords.of(records)
        board = Board.of(board_records, standings=standings(grid.store, board_records))
        console.print(final_table(board, f"{grid.store.name}/{BOARD}"))


def print_end(grid: GridRun, records: Sequence[Record], console: Console, search_command: str) -> bool:
    """Write `leaderboard.md` and print failures, what to try next, and where the leaderboard is.

    Args:
        records: the records of the run.
        search_command: the command or call that searches for other recipes.

    Returns:
        Whether every cell has succeeded and all results are where they belong.
    """
    failed = [record for record in records if record["status"] == "failed"]
    for record in failed:
        error = record["error"]
        print_line(console, f"failed: {record['id']}: {error['type']}: {error['message'].partition(chr(10))[0]}", "red")
    if failed:
        print_line(console, f"the whole story: bench show {failed[0]['id']} --results {grid.store.name}")
    with errors_printed("what to try next cannot be told", grid.store, console):
        if line := advice(records):
            print_line(console, f"{line}; to try other recipes: {search_command}", "yellow")
    missing = len(grid.every) - len(records)
    if missing:
        print_line(console, f"not run: {missing} cells; the same command runs them", "yellow")
    if grid.unsent:
        print_line(console, grid.unsent, "red")
        return False
    try:
        with errors_printed(f"{BOARD} cannot be written", grid.store, console):
            print_line(console, f"leaderboard: {refresh(grid.store)}")
    except Unreachable as error:
        print_line(console, f"{error}; leaderboard.md is not up to date there: bench leaderboard", "red")
        return False
    except OSError:
        print_line(
            console, "the disk is full: leaderboard.md is not up to date; make room, then: bench leaderboard", "red"
        )
        return False
    return not failed and not missing


@contextmanager
def errors_printed(failure: str, store: Store, console: Console) -> Iterator[None]:
    """Print an error instead of raising it: all cells have ended, and an error after that must not fail their run.

    A full disk and an unreachable URL are still raised, because the caller says what to do about them.
    """
    try:
        yield
    except Unreachable:
        raise
    except BenchError as error:
        print_line(console, f"{failure}: {error}; the records are kept in {store.name}", "red")
    except Exception as error:
        if disk_full(error):
            raise
        command = f"bench leaderboard --results {store.name}"
        print_line(console, f"{failure}: {describe_unexpected(error)}; the records are kept: {command}", "red")


def advice(records: Sequence[Record]) -> str:
    """Return how many trainings failed or fell short with a recipe that was not searched for; empty if none did."""
    from harness.grouping.groups import identified, records_by_place
    from harness.trouble import SEARCH, trouble, trouble_of_seeds

    unsearched = [record for record in records if record["method"] != BASELINE and not record.get("search")]
    has_failed = {}  # id of each record that shows trouble → whether its training failed
    for group in records_by_place(filter(identified, unsearched))[0].values():
        seed_trouble = trouble_of_seeds(group)
        mean = fmean(record["score"] for record in group if record["score"] is not None) if seed_trouble else 0.0
        for record in group:
            collapsed = record["score"] is not None and record["score"] < mean
            signs = [*trouble(record), *(seed_trouble if collapsed else [])]
            signs = [sign for sign in signs if sign.cure == SEARCH]
            diverged = (record.get("error") or {}).get("type") == FloatingPointError.__name__
            if signs or diverged:
                has_failed[record["id"]] = diverged or any(sign.failed for sign in signs)
    if not has_failed:
        return ""
    failed = sum(has_failed.values())
    if failed == len(has_failed):
        outcome = "failed"
    else:
        outcome = f"failed ({failed}) or fell short" if failed else "may have fallen short"
    return f"{len(has_failed)} of {len(unsearched)} trainings {outcome}"


def summaries(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return what `bench run --json` prints of each record."""
    from harness.grouping.recipe_variants import search_summary

    summaries = []
    for record in records:
        summary = {key: record[key] for key in ("id", "status", "score", "primary_metric", "error")}
        if record.get("search"):
            summary["search"] = search_summary(record["search"])
        summaries.append(summary)
    return summaries
