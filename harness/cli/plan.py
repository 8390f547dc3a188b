"""`bench plan`: what a run would do."""

from __future__ import annotations

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

    from harness.cli.cells_table import all_facts, cells_table, to_json
    from harness.plan import make_plan
    from harness.store import Store

    made = make_plan(make_request(models, tasks, suite, methods, seeds, limit, settings))
    finished = Store(results).finished_among(cell.id for cell in made.cells)
    if as_json:
        lost = zip(all_facts(cell for cell, _ in made.lost), made.lost, strict=True)
        told = {
            "suite": made.suite.name,
            "cells": [{**facts, "finished": facts["id"] in finished} for facts in all_facts(made.cells)],
            "impossible": list(made.impossible),
            "notes": list(made.notes),
            "lost": [{**facts, "error": str(error)} for facts, (_, error) in lost],
        }
        print(to_json(told))
        return
    console = Console(highlight=False)
    console.print(cells_table(made, finished))
    for note in made.notes:
        say(console, note)
    for reason in made.impossible:
        say(console, f"not possible: {reason}", "yellow")
    for reason in dict.fromkeys(str(error) for _, error in made.lost):
        say(console, f"cannot run: {reason}", "red")
    cannot = f", {len(made.lost)} cannot run" if made.lost else ""
    console.print(
        f"\n{len(made.cells) + len(made.lost)} cells, {len(finished)} finished, {len(made.cells) - len(finished)} to run{cannot} "
        f"(suite {made.suite.name}, results in {results})"
    )
