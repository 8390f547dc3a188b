"""`bench task new`: a task file, from data or to be filled in."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.errors import BenchError


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
    from harness.files import write_text
    from harness.guess.chosen import read_columns
    from harness.scaffold.new import from_data, from_name, is_data

    chosen = read_columns(columns or [])
    if is_data(data):
        text, path, todo = from_data(data, family, output, chosen)
    elif chosen:
        raise BenchError(f"--column is for data that are there; {data} is a name, for a template")
    else:
        text, path, todo = from_name(data, family, output)
    if path.suffix not in (".yaml", ".yml"):
        raise BenchError(f"--output {path}: a task file ends in .yaml")
    if path.exists() and not force:
        raise BenchError(f"{path} is there already; name another --output, or say --force to overwrite it")
    if not path.absolute().parent.is_dir():
        raise BenchError(f"--output {path}: no such folder; make it first")
    write_text(path, text)
    print(f"{path} is written; {todo or 'look it over'}, then: bench task check {shlex.quote(str(path))}")
