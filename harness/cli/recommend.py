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

    from harness.amount import amount
    from harness.cli.leaderboard import tell_damaged
    from harness.cli.recommendation import facts, picture
    from harness.grouping.board_records import BoardRecords
    from harness.remote.mirror import read_store
    from harness.report.board import Board
    from harness.report.model_choice import Limits
    from harness.report.model_choice import recommend as choose
    from harness.shown import console
    from harness.stats.standings import standings
    from harness.strict_json import dumps

    limits = Limits(
        amount("--max-parameters", max_parameters, "100M or 1.5B") if max_parameters else None,
        max_train_minutes * 60 if max_train_minutes is not None else None,
        amount("--max-memory", max_memory, "8GiB") if max_memory else None,
    )
    store = read_store(results)
    records = BoardRecords.read(store)
    tell_damaged(store)
    board = Board.of(records, standings=standings(store, records))
    found = choose(board, limits, [name.strip() for name in task.split(",") if name.strip()])
    if as_json:
        print(dumps(facts(found), indent=1))
    else:
        console(highlight=False).print(picture(found))
