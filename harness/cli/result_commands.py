"""The commands that read a results folder: `bench leaderboard`, `compare`, `recommend` and `show`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.cli.options import RESULTS, option
from harness.errors import BenchError
from harness.files import dump_json

if TYPE_CHECKING:
    from harness.predictions import Slices
    from harness.result_views import Comparison, Recommendation
    from harness.store import Record, Store


def leaderboard(
    results: options.Results = RESULTS,
    form: Annotated[str, option("--format", "md, html, json, csv, slices (csv), latex, svg.")] = "md",
    output: Annotated[Path | None, option("--output", "A file; default: print.")] = None,
    rows: Annotated[int, option("--rows", "html: at most N rows of predictions a task.", min=0)] = 500,
    with_texts: Annotated[
        bool, option("--with-texts", "html: the texts of these rows too, out of the tasks' data.")
    ] = False,
) -> None:
    """Make the leaderboard from a results folder."""
    from harness.files import write_text
    from harness.remote.mirror import read_store
    from harness.report.board_files import HTML, page, render

    store = read_store(results)
    text = page(store, output, rows, with_texts) if form == HTML else render(store, form)
    _warn_of_damage(store)
    if output is None:
        print(text, end="")
    else:
        write_text(output, text)


def compare(
    ours: Annotated[str, typer.Argument(metavar="A", help="A row of the board: MODEL or MODEL:METHOD.")],
    theirs: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    task: options.TaskNames = "",
    results: options.Results = RESULTS,
    as_json: options.Json = False,
) -> None:
    """Compare two models on the same test rows: differences with 95 % intervals, and whether they could be chance."""
    from harness.results import load_results
    from harness.safe_text import plain

    comparison = load_results(results).compare(ours, theirs, task)
    _warn_of_damage(comparison.store)
    if not as_json:
        for line in comparison.notes:
            print(f"bench: {plain(line)}", file=sys.stderr)
    _print(comparison, as_json)


def recommend(
    task: options.TaskNames = "",
    max_parameters: Annotated[str | None, option("--max-parameters", "Such as 100M or 1.5B.")] = None,
    max_train_minutes: Annotated[
        float | None,
        option("--max-train-minutes", "Of one training, and of the search for its recipe, if there was one.", min=0),
    ] = None,
    max_memory: Annotated[str | None, option("--max-memory", "Such as 8GiB.")] = None,
    results: options.Results = RESULTS,
    as_json: options.Json = False,
) -> None:
    """Say which model to fine-tune under these limits, and on what evidence."""
    from harness.quantities import parse_amount
    from harness.results import load_results

    def read(name: str, value: str | None, example: str) -> float | None:
        return None if value is None else parse_amount(name, value, example)

    loaded = load_results(results)
    recommendation = loaded.recommend(
        tasks=task,
        max_parameters=read("--max-parameters", max_parameters, "100M or 1.5B"),
        max_train_minutes=max_train_minutes,
        max_memory=read("--max-memory", max_memory, "8GiB"),
    )
    _warn_of_damage(loaded.store)
    _print(recommendation, as_json)


def show(
    cell: Annotated[str, typer.Argument(help="The cell's id, or a part of it that no other cell has.")],
    results: options.Results = RESULTS,
    with_texts: Annotated[
        bool, option("--with-texts", "Read the texts of a Hub data set too, which may download it.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Show one cell: its scores, cost, some predictions with the texts of their rows, or what went wrong."""
    from harness.results import load_results

    loaded = load_results(results)
    record, store = loaded.cell(cell), loaded.store
    if as_json:
        print(dump_json(record, indent=1))
        return
    from harness.cell import is_trial
    from harness.report.record_view import show as render
    from harness.report.row_texts import texts_of_rows
    from harness.safe_text import console

    predictions = store.predictions(record["id"]) if record["status"] == "ok" and not is_trial(record) else []
    texts = texts_of_rows(record["task"], predictions, store.root, fetch=with_texts) if predictions else ({}, "")
    console().print(render(record, predictions, _slices(record, predictions), texts))


def _print(view: Comparison | Recommendation, as_json: bool) -> None:
    from harness.safe_text import console

    if as_json:
        print(dump_json(view.facts(), indent=1))
    else:
        screen = console(highlight=False)
        screen.print(view.renderable(screen.width))


def _warn_of_damage(store: Store) -> None:
    """Name, on standard error, the damaged records that were left out."""
    if store.damaged:
        from harness.record_parsing import damage_note

        typer.echo(damage_note(store.damaged), err=True)


def _slices(record: Record, predictions: Sequence[Mapping[str, Any]]) -> Slices | None:
    """Compute the slices of an old record that holds none; None if its predictions or family are missing."""
    if not predictions or record["metrics"].get("slices"):
        return None
    from harness.stats.column_statistics import slices_of_predictions

    try:
        return slices_of_predictions(record, predictions)
    except BenchError:  # the family belongs to a plugin that is not installed here
        return None
