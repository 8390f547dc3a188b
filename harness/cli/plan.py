"""`bench plan`: what a run would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.cli.options import RESULTS, make_request
from harness.cli.run_options import Devices, Jobs
from harness.cli.running import say, tell_doubts
from harness.cli.search_request import read_search
from harness.cli.searching import Rounds
from harness.secrets import redact

if TYPE_CHECKING:
    from rich.console import Console

    from harness.cell import Cell
    from harness.estimate.estimate import Estimate as CellEstimate

RECIPES = 12  # lines of recipes that are printed

Estimate = Annotated[
    bool,
    typer.Option(
        "--estimate/--no-estimate",
        envvar="BENCH_ESTIMATE",
        help="Time and memory, from past records and a measurement of this machine, which is made once and kept.",
    ),
]


def plan(
    models: options.Models = "all",
    tasks: options.Tasks = "all",
    suite: options.SuiteName = None,
    methods: options.Methods = None,
    seeds: options.Seeds = None,
    columns: options.Columns = None,
    limit: options.Limit = None,
    train_sizes: options.TrainSizes = None,
    settings: options.Settings = None,
    search: options.Search = None,
    trust_remote_code: options.TrustRemoteCode = False,
    keep_head: options.KeepHead = False,
    baselines: options.Baselines = True,
    results: options.Results = RESULTS,
    devices: Devices = "auto",
    jobs: Jobs = None,
    estimate: Estimate = True,
    as_json: options.Json = False,
) -> None:
    """Show the cells of a run, which are finished, and how long the others will take. Runs nothing."""
    from harness.cli.cells_table import all_facts, cells_table, to_json
    from harness.cli.estimate import estimated
    from harness.estimate import estimate as words
    from harness.plan import make_plan
    from harness.remote.mirror import read_store
    from harness.shown import console as make_console

    request = make_request(
        models, tasks, suite, methods, seeds, limit, settings, trust_remote_code, baselines, train_sizes, columns, keep_head
    )
    wanted = read_search(search, request)
    made, store = make_plan(request), read_store(results)
    rounds = Rounds(made, made.cells, wanted, request.settings, store) if wanted else None
    made = replace(made, cells=tuple(rounds.cells)) if rounds else made
    finished = store.finished_among(cell.id for cell in made.cells)
    pending = [cell for cell in made.cells if cell.id not in finished]
    trials = [*rounds.pending, *rounds.unknown] if rounds else []
    tell = partial(typer.echo, err=True)  # what it prints may be JSON
    grid = estimated([*pending, *trials], store, devices, jobs, tell=tell) if estimate else None
    told = dict(zip([cell.id for cell in pending], grid.cells[: len(pending)], strict=True)) if grid else {}
    if as_json:
        lost = zip(all_facts(cell for cell, _ in made.lost), made.lost, strict=True)
        cells = []
        for facts in all_facts(made.cells):
            one = told.get(facts["id"])
            if "search" in facts and "trials" not in facts["search"]:
                facts = {**facts, "id": None}  # which depends on the recipe that the search will find
            cells.append({**facts, "finished": facts["id"] in finished, "estimate": one.facts() if one else None})
        content = {
            "suite": made.suite.name or None,
            "cells": cells,
            **(rounds.facts() if rounds else {}),
            "impossible": list(made.impossible),
            "notes": list(made.notes),
            "lost": [{**facts, "error": redact(str(error))} for facts, (_, error) in lost],
            "estimate": grid.facts() if grid else None,
        }
        print(to_json(content))
        return
    console = make_console(highlight=False)
    seconds = {name: one.seconds if one else None for name, one in told.items()} if grid else None
    console.print(cells_table(made, finished, seconds))
    tell_doubts(made, console)
    cannot = f", {len(made.lost)} cannot run" if made.lost else ""
    console.print(
        f"\n{len(made.cells) + len(made.lost)} cells, {len(finished)} finished, {len(pending)} to run{cannot} "
        f"({f'suite {made.suite.name}, ' if made.suite.name else ''}results in {store.name})"
    )
    if rounds:
        say(console, rounds.counted())
        if trials and rounds.told:
            say(console, rounds.told)
    if grid:
        tell_recipes(console, pending, grid.cells[: len(pending)])
        say(console, f"{words.line(grid)}; {words.memory(grid)}")


def tell_recipes(console: Console, cells: Sequence[Cell], estimates: Sequence[CellEstimate | None]) -> None:
    """A line for each task, model and method whose recipe follows from the model and the data."""
    from harness.cli.progress import FIXED, recipe_line, title

    lines = {title(cell, seed=False): recipe_line(one.fitted) for cell, one in zip(cells, estimates, strict=True) if one and len(one.fitted) > FIXED}
    for name, line in list(lines.items())[:RECIPES]:
        say(console, f"recipe {name}: {line}")
    if len(lines) > RECIPES:
        say(console, f"and {len(lines) - RECIPES} more recipes; --json lists every one")
