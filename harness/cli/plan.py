"""`bench plan`: what a run would do."""

from __future__ import annotations

import json

from harness.cli import options
from harness.cli.options import RESULTS, make_request
from harness.cli.run import say


def plan(
    models: options.Models = "all",
    tasks: options.Tasks = "all",
    suite: options.SuiteName = "mini",
    methods: options.Methods = "full",
    seeds: options.Seeds = "1",
    limit: options.Limit = None,
    settings: options.Settings = None,
    results: options.Results = RESULTS,
    as_json: options.Json = False,
) -> None:
    """Show the cells of a run, and which are finished. Runs nothing."""
    from rich.console import Console
    from rich.table import Table

    from harness.plan import make_plan
    from harness.store import Store

    made = make_plan(make_request(models, tasks, suite, methods, seeds, limit, settings))
    store = Store(results)
    cells = [{**cell.facts(), "finished": store.finished(cell.id)} for cell in made.cells]
    lost = [{**cell.facts(), "error": str(error)} for cell, error in made.lost]
    if as_json:
        told = {
            "suite": made.suite.name,
            "cells": cells,
            "impossible": list(made.impossible),
            "notes": list(made.notes),
            "lost": lost,
        }
        print(json.dumps(told, indent=1))
        return
    table = Table("task", "model", "method", "seed", "state", header_style="bold", box=None, pad_edge=False)
    for cell in [*cells, *lost]:
        state = "[red]cannot run[/]" if "error" in cell else "[green]finished[/]" if cell["finished"] else "pending"
        table.add_row(cell["task"]["name"], cell["model"]["name"], cell["method"], str(cell["seed"]), state)
    console = Console(highlight=False)
    console.print(table)
    for note in made.notes:
        say(console, note)
    for reason in made.impossible:
        say(console, f"not possible: {reason}", "yellow")
    for reason in dict.fromkeys(cell["error"] for cell in lost):
        say(console, f"cannot run: {reason}", "red")
    finished = sum(cell["finished"] for cell in cells)
    cannot = f", {len(lost)} cannot run" if lost else ""
    console.print(
        f"\n{len(cells) + len(lost)} cells, {finished} finished, {len(cells) - finished} to run{cannot} "
        f"(suite {made.suite.name}, results in {results})"
    )
