"""`bench compare`: is one model better than another?"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.options import RESULTS


def compare(
    ours: Annotated[str, typer.Argument(metavar="A", help="A row of the board: MODEL or MODEL:METHOD.")],
    theirs: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    task: Annotated[str, typer.Option("--task", envvar="BENCH_TASK", help="Tasks; default: all. Commas between.")] = "",
    results: options.Results = RESULTS,
    as_json: options.Json = False,
) -> None:
    """Compare two models on the same test rows: differences with 95 % intervals, and whether they could be chance."""
    from harness.cli.leaderboard import say_damaged
    from harness.files import dump_json
    from harness.results import load_results
    from harness.safe_text import console, plain

    found = load_results(results).compare(ours, theirs, task)
    say_damaged(found.store)
    if as_json:
        print(dump_json(found.facts(), indent=1))
        return
    for line in found.notes:
        print(f"bench: {plain(line)}", file=sys.stderr)
    screen = console(highlight=False)
    screen.print(found.picture(screen.width))
