"""`bench task check` and `bench task new`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.options import option
from harness.files import dump_json

UNUSABLE_DATA = 2  # exit status


def check(
    ref: Annotated[str, typer.Argument(help="A task, a family of the suite, a task file, family:path, or all.")],
    model: Annotated[str | None, option("--model", "Count its tokens, and the rows that it must cut.")] = None,
    max_length: Annotated[int | None, option("--max-length", "Tokens, instead of the recipe's.", min=1)] = None,
    columns: options.Columns = None,
    suite: options.SuiteName = None,
    limit: options.Limit = None,
    as_json: options.Json = False,
) -> None:
    """Read a task's data and say what is in them and what is wrong with them. Trains nothing."""
    from harness.checked_task import check_tasks
    from harness.planning.option_values import read_names
    from harness.safe_text import console, plain

    tasks = check_tasks(read_names(ref, "REF"), model, max_length, columns, suite, limit)
    if as_json:
        print(dump_json([task.facts() for task in tasks], indent=1))
    else:
        screen = console(highlight=False)
        for checked in tasks:
            if not checked.readable:
                continue
            if len(tasks) > 1:
                screen.print()
            if checked.task.reference and ":" in checked.task.reference:  # say how the files were read
                screen.print(plain(checked.task.description), markup=False, soft_wrap=not screen.is_terminal)
            screen.print(checked.renderable(screen.width))
    errors = [message for checked in tasks for message in checked.errors]
    for message in errors:
        print(f"bench: {plain(message)}", file=sys.stderr)
    if errors:
        raise typer.Exit(UNUSABLE_DATA)


def new(
    data: Annotated[str, typer.Argument(help="Data: a file, folder, pattern, a.en+a.de; or a name, for a template.")],
    family: Annotated[str | None, option("--family", "The task family; default: told by the data.")] = None,
    output: Annotated[Path | None, option("--output", "The file to write; default: NAME.yaml here.")] = None,
    columns: options.Columns = None,
    force: Annotated[bool, option("--force", "Overwrite it.")] = False,
) -> None:
    """Write a task file with comments from a data file or folder, or as a template."""
    from harness.scaffold.new import write_task_file

    path, todo = write_task_file(data, family, output, columns or [], force)
    print(f"{path} is written; {todo or 'look it over'}, then: bench task check {shlex.quote(str(path))}")
