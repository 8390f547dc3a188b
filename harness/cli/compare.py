"""`bench compare`: is one model better than another?"""

from __future__ import annotations

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
    import sys
    from dataclasses import asdict

    from harness.cli.comparison import picture
    from harness.cli.leaderboard import tell_damaged
    from harness.remote.mirror import read_store
    from harness.shown import console, plain
    from harness.stats.row_comparison import compare as found
    from harness.strict_json import dumps

    told: list[str] = []
    store = read_store(results)
    rows = found(store, ours, theirs, [name.strip() for name in task.split(",") if name.strip()], told.append)
    tell_damaged(store)
    for line in told if not as_json else ():
        print(f"bench: {plain(line)}", file=sys.stderr)
    if as_json:
        print(dumps([{**asdict(row), "verdict": row.verdict} for row in rows], indent=1))
    else:
        screen = console(highlight=False)
        screen.print(picture(ours, theirs, rows, screen.width))
