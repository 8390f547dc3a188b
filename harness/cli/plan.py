"""`bench plan`: what a run would do."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.options import RESULTS, make_request
from harness.cli.run import Devices, Jobs, say

Estimate = Annotated[
    bool,
    typer.Option(
        "--estimate/--no-estimate",
        envvar="BENCH_ESTIMATE",
        help="Time and memory, from past records; the first time from some seconds of measuring this machine.",
    ),
]


def plan(
    models: options.Models = "all",
    tasks: options.Tasks = "all",
    suite: options.SuiteName = "mini",
    methods: options.Methods = "full",
    seeds: options.Seeds = "1",
    limit: options.Limit = None,
    settings: options.Settings = None,
    results: options.Results = RESULTS,
    devices: Devices = "auto",
    jobs: Jobs = None,
    estimate: Estimate = True,
    as_json: options.Json = False,
) -> None:
    """Show the cells of a run, which are finished, and how long the others will take. Runs nothing."""
    from rich.console import Console
    from rich.table import Table

    from harness.cli.estimate import estimated
    from harness.estimate import words
    from harness.plan import make_plan
    from harness.store import Store

    made = make_plan(make_request(models, tasks, suite, methods, seeds, limit, settings))
    store = Store(results)
    done = [store.finished(cell.id) for cell in made.cells]
    pending = [cell for cell, finished in zip(made.cells, done, strict=True) if not finished]
    grid = estimated(pending, store, devices, jobs) if estimate else None
    told = dict(zip([cell.id for cell in pending], grid.cells, strict=True)) if grid else {}
    cells = [{**cell.facts(), "finished": finished} for cell, finished in zip(made.cells, done, strict=True)]
    lost = [{**cell.facts(), "error": str(error)} for cell, error in made.lost]
    if as_json:
        for cell in cells:
            one = told.get(cell["id"])
            cell["estimate"] = one.facts() if one else None
        content = {
            "suite": made.suite.name,
            "cells": cells,
            "impossible": list(made.impossible),
            "notes": list(made.notes),
            "lost": lost,
            "estimate": grid.facts() if grid else None,
        }
        print(json.dumps(content, indent=1))
        return
    table = Table("task", "model", "method", "seed", "state", header_style="bold", box=None, pad_edge=False)
    if grid:
        table.add_column("estimate", justify="right")
    for cell in [*cells, *lost]:
        state = "[red]cannot run[/]" if "error" in cell else "[green]finished[/]" if cell["finished"] else "pending"
        one = told.get(cell["id"])
        more = [f"{one.seconds:.0f} s" if one else "?" if state == "pending" else ""] if grid else []
        table.add_row(cell["task"]["name"], cell["model"]["name"], cell["method"], str(cell["seed"]), state, *more)
    console = Console(highlight=False)
    console.print(table)
    for note in made.notes:
        say(console, note)
    for reason in made.impossible:
        say(console, f"not possible: {reason}", "yellow")
    for reason in dict.fromkeys(cell["error"] for cell in lost):
        say(console, f"cannot run: {reason}", "red")
    cannot = f", {len(lost)} cannot run" if lost else ""
    console.print(
        f"\n{len(cells) + len(lost)} cells, {len(cells) - len(pending)} finished, {len(pending)} to run{cannot} "
        f"(suite {made.suite.name}, results in {results})"
    )
    if grid:
        say(console, f"{words.line(grid)}; {words.memory(grid)}")
