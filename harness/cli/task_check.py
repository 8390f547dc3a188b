"""`bench task check`: a look at a task's data before anything is trained."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.strict_json import dumps

if TYPE_CHECKING:
    from harness.check.report import Report
    from harness.check.tokens import Tokens
    from harness.rows import Data

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
    from harness import registry
    from harness.check.report import UNUSABLE, examine
    from harness.defaults import read_names
    from harness.errors import BenchError
    from harness.finding import ERROR
    from harness.guess.chosen import read_columns
    from harness.plan import find_tasks
    from harness.shown import plain
    from harness.suite import suite_for

    if max_length is not None and model is None:
        raise BenchError("--max-length needs a tokeniser: name a model with --model")
    looks: list[tuple[Report, Tokens | None]] = []
    chosen, asked = read_columns(columns or []), read_names(ref, "REF")
    for name, task in find_tasks(asked, suite_for(suite, asked), limit, chosen).items():
        report, data = examine(task, registry.family(task.family))
        looks.append((report, _tokens(name, data, model, max_length, suite, limit, chosen) if model and data else None))
        if not as_json and data:
            _show(*looks[-1], taken=task.description if ":" in name else "", apart=len(looks) > 1)
    if as_json:
        print(dumps([_facts(*look) for look in looks], indent=1))
    errors = [(report.task, finding) for report, _ in looks for finding in report.of(ERROR)]
    for task_name, finding in errors:
        named = finding.message if finding.code == UNUSABLE else f"{task_name}: {finding.message}"
        print(f"bench: {plain(named)}", file=sys.stderr)
    if errors:
        raise typer.Exit(WRONG)


def _tokens(
    name: str, data: Data, model: str, max_length: int | None, suite: str | None, limit: int | None,
    columns: Mapping[str, str],
) -> Tokens:  # fmt: skip
    from harness.check.tokens import measure
    from harness.errors import BenchError
    from harness.plan import Request, make_plan

    settings = {} if max_length is None else {"recipe.max_length": str(max_length)}
    (cell,) = make_plan(Request([model], [name], suite=suite, limit=limit, settings=settings, columns=columns)).cells
    if cell.is_baseline:
        raise BenchError(f"--model {model}: is a baseline and has no tokeniser; name a model")
    return measure(cell, data.splits)


def _show(report: Report, tokens: Tokens | None, taken: str, apart: bool) -> None:
    from harness.check.check_table import check_table
    from harness.shown import console, plain

    screen = console(highlight=False)
    if apart:
        screen.print()
    if taken:  # what the files were taken for
        screen.print(plain(taken), markup=False, soft_wrap=not screen.is_terminal)
    screen.print(check_table(report, tokens))


def _facts(report: Report, tokens: Tokens | None) -> dict[str, Any]:
    return {**asdict(report), "tokens": asdict(tokens) if tokens else None}
