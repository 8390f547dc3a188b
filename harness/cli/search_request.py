"""What `--search` asks for, and which of it a shard does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.cell import Cell
    from harness.plan import Request
    from harness.search.wanted import Wanted


def read_search(texts: Sequence[str] | None, request: Request) -> Wanted | None:
    """What `--search` asks for, or else the suite, looked at before anything is brought or read.

    Raises:
        BenchError: it cannot be, or the request contradicts it.
    """
    from harness.errors import BenchError
    from harness.search import wanted as asked
    from harness.suite import suite_for

    suite, where = suite_for(request.suite, request.tasks), asked.OPTION
    if not texts:
        texts, where = suite.defaults.search, f"{request.suite or suite.name}: search"
    wanted = asked.read_wanted(texts, where)
    if wanted is None:
        return None
    if wanted.kind == asked.OPTUNA:
        from harness.search.tpe import require

        require()
    if wanted.kind == asked.SUITE and not suite.search.get(asked.GRID):
        raise BenchError(
            f"--search suite: {f'the suite {suite.name} has no section search.grid' if suite.name else 'no suite is named'}; "
            "name fields instead, such as --search lr=1e-5,3e-5, or use --suite standard"
        )
    asked.check(wanted, wanted.names, request.methods, request.settings)
    return wanted


def shard_by_search(cells: Sequence[Cell], index: int, shards: int) -> list[Cell]:
    """Every `shards`-th model, task and method, with all its seeds: so that no two shards do the same search."""
    units: dict[str, int] = {}
    keys = [replace(cell, seed=0).id for cell in cells]
    for key in keys:
        units.setdefault(key, len(units))
    return [cell for cell, key in zip(cells, keys, strict=True) if units[key] % shards == index]
