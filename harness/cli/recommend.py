"""`bench recommend`: which model to fine-tune, under limits."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.cli.options import RESULTS


def recommend(
    task: Annotated[str, typer.Option("--task", envvar="BENCH_TASK", help="Tasks; default: all. Commas between.")] = "",
    max_parameters: Annotated[
        str | None, typer.Option("--max-parameters", envvar="BENCH_MAX_PARAMETERS", help="Such as 100M or 1.5B.")
    ] = None,
    max_train_minutes: Annotated[
        float | None,
        typer.Option(
            "--max-train-minutes",
            envvar="BENCH_MAX_TRAIN_MINUTES",
            min=0,
            help="Of one training, and of the search for its recipe, if there was one.",
        ),
    ] = None,
    max_memory: Annotated[
        str | None, typer.Option("--max-memory", envvar="BENCH_MAX_MEMORY", help="Such as 8GiB.")
    ] = None,
    results: options.Results = RESULTS,
    as_json: options.Json = False,
) -> None:
    """Say which model to fine-tune under these limits, and on what evidence."""
    from harness.cli.leaderboard import say_damaged
    from harness.files import dump_json
    from harness.results import load_results
    from harness.safe_text import console

    found = load_results(results)
    choice = found.recommend(tasks=task, max_parameters=max_parameters, max_train_minutes=max_train_minutes, max_memory=max_memory)
    say_damaged(found.store)
    if as_json:
        print(dump_json(choice.facts(), indent=1))
    else:
        screen = console(highlight=False)
        screen.print(choice.picture(screen.width))
