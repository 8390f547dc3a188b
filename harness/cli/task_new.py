"""`bench task new`: a task file, from data or to be filled in."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options


def new(
    data: Annotated[str, typer.Argument(help="Data: a file, folder, pattern, a.en+a.de; or a name, for a template.")],
    family: Annotated[
        str | None, typer.Option("--family", envvar="BENCH_FAMILY", help="The task family; default: told by the data.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", envvar="BENCH_OUTPUT", help="The file to write; default: NAME.yaml here.")
    ] = None,
    columns: options.Columns = None,
    force: Annotated[bool, typer.Option("--force", envvar="BENCH_FORCE", help="Overwrite it.")] = False,
) -> None:
    """Write a task file with comments from a data file or folder, or as a template."""
    from harness.scaffold.new import write_task_file

    path, todo = write_task_file(data, family, output, columns or [], force)
    print(f"{path} is written; {todo or 'look it over'}, then: bench task check {shlex.quote(str(path))}")
