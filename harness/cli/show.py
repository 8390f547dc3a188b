"""`bench show`: one record, for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.cli.options import RESULTS
from harness.errors import BenchError
from harness.files import dump_json

if TYPE_CHECKING:
    from harness.slices import Slices
    from harness.store import Record


def show(
    cell: Annotated[str, typer.Argument(help="The cell's id, or a part of it that no other cell has.")],
    results: options.Results = RESULTS,
    with_texts: Annotated[
        bool,
        typer.Option(
            "--with-texts", envvar="BENCH_WITH_TEXTS", help="Read the texts of a Hub data set too, which may download it."
        ),
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Show one cell: its scores, cost, some predictions with the texts of their rows, or what went wrong."""
    from harness.results import load_results

    found = load_results(results)
    record, store = found.cell(cell), found.store
    if as_json:
        print(dump_json(record, indent=1))
        return
    from harness.cell import is_trial
    from harness.report.record_view import show as render
    from harness.report.row_texts import texts_of_rows
    from harness.safe_text import console

    predictions = store.predictions(record["id"]) if record["status"] == "ok" and not is_trial(record) else []
    read = texts_of_rows(record["task"], predictions, store.root, fetch=with_texts) if predictions else ({}, "")
    console().print(render(record, predictions, _slices(record, predictions), read))


def _slices(record: Record, predictions: Sequence[Mapping[str, Any]]) -> Slices | None:
    """Of a record that holds none, from its predictions; None where these, or the family, are not there."""
    if not predictions or record["metrics"].get("slices"):
        return None
    from harness.stats.column_statistics import slices_of_predictions

    try:
        return slices_of_predictions(record, predictions)
    except BenchError:  # the family is of a plugin that is not installed here
        return None
