"""`bench task check`: a look at a task's data before anything is trained."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from harness.cli import options
from harness.files import dump_json

WRONG = 2  # exit status: what was asked for cannot be trained on


def check(
    ref: Annotated[str, typer.Argument(help="A task, a family of the suite, a task file, family:path, or all.")],
    model: Annotated[
        str | None,
        typer.Option("--model", envvar="BENCH_MODEL", help="Count its tokens, and the rows that it must cut."),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option("--max-length", envvar="BENCH_MAX_LENGTH", min=1, help="Tokens, instead of the recipe's."),
    ] = None,
    columns: options.Columns = None,
    suite: options.SuiteName = None,
    limit: options.Limit = None,
    as_json: options.Json = False,
) -> None:
    """Read a task's data and say what is in them and what is wrong with them. Trains nothing."""
    from harness.checked_task import check_tasks
    from harness.planning.option_values import read_names
    from harness.safe_text import console, plain

    found = check_tasks(read_names(ref, "REF"), model, max_length, columns, suite, limit)
    if as_json:
        print(dump_json([one.facts() for one in found], indent=1))
    else:
        screen = console(highlight=False)
        for one in found:
            if one.readable:
                if len(found) > 1:
                    screen.print()
                if one.task.reference and ":" in one.task.reference:  # what the files were taken for
                    screen.print(plain(one.task.description), markup=False, soft_wrap=not screen.is_terminal)
                screen.print(one.picture(screen.width))
    errors = [message for one in found for message in one.errors]
    for message in errors:
        print(f"bench: {plain(message)}", file=sys.stderr)
    if errors:
        raise typer.Exit(WRONG)
