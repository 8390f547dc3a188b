"""The cells of a plan: as a table of limited length, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.cell import Cell
from harness.estimate.grid_estimate import describe_seconds
from harness.files import dump_json
from harness.planning.plan import Plan

MAX_LINES = 200  # lines of the table
FINISHED, PENDING, LOST = "finished", "pending", "cannot run"
STYLES = {FINISHED: "green", PENDING: "", LOST: "red"}
HEADINGS = ("task", "model", "method", "seed")
GROUPINGS = {3: "task, model and method", 1: "task"}  # number of names that a line is for


def cells_table(
    plan: Plan, finished: Collection[str], seconds: Mapping[str, float | None] | None = None
) -> RenderableType:
    """Return a table of all cells and their states, or of the number of cells in each state if there are too many.

    Args:
        plan: the plan.
        finished: ids of the cells that do not have to run again.
        seconds: id of each other cell → its estimated time, None if unknown; None: no column with estimates.
    """
    lines = [_Line(_names(cell), FINISHED if cell.id in finished else PENDING, cell.id) for cell in plan.cells]
    lines += [_Line(_names(cell), LOST, "") for cell, _ in plan.lost]
    if len(lines) <= MAX_LINES:
        table = _table(*HEADINGS, "state")
        _add_time(table, seconds)
        for line in lines:
            table.add_row(*map(Text, line.names), Text(line.state, style=STYLES[line.state]), *_time([line], seconds))
        return table
    width = next((width for width in GROUPINGS if len({line.names[:width] for line in lines}) <= MAX_LINES), min(GROUPINGS))
    note = f"{len(lines):,} cells, so a line stands for all of a {GROUPINGS[width]}; --json lists every one"
    return Group(_summary(lines, width, seconds), Text(note, style="dim"))


class _Line(NamedTuple):
    names: tuple[str, ...]
    state: str
    id: str


def _summary(lines: Iterable[_Line], width: int, seconds: Mapping[str, float | None] | None) -> Table:
    groups: dict[tuple[str, ...], list[_Line]] = {}
    for line in lines:
        groups.setdefault(line.names[:width], []).append(line)
    counts = {names: Counter(line.state for line in group) for names, group in groups.items()}
    shown = [state for state in STYLES if any(count[state] for count in counts.values())]
    table = _table(*HEADINGS[:width])
    for heading in ("cells", *shown):
        table.add_column(heading, justify="right")
    _add_time(table, seconds)
    for names, count in counts.items():
        numbers = (Text(str(count[state]), style=STYLES[state] if count[state] else "dim") for state in shown)
        table.add_row(*map(Text, names), str(count.total()), *numbers, *_time(groups[names], seconds))
    return table


def _add_time(table: Table, seconds: Mapping[str, float | None] | None) -> None:
    if seconds is not None:
        table.add_column("estimate", justify="right")


def _time(lines: Iterable[_Line], seconds: Mapping[str, float | None] | None) -> list[str]:
    """Return the estimated time of the pending cells of a line, one after another, as its last column."""
    if seconds is None:
        return []
    known = [seconds.get(line.id) for line in lines if line.state == PENDING]
    return ["" if not known else "?" if None in known else describe_seconds(sum(known))]


def _table(*headings: str) -> Table:
    return Table(*headings, header_style="bold", box=None, pad_edge=False)


def _names(cell: Cell) -> tuple[str, ...]:
    return cell.title, cell.model.name, cell.method, str(cell.seed)


def all_facts(cells: Iterable[Cell]) -> Iterator[dict[str, Any]]:
    """Return the facts of each cell. They are computed once for cells that differ only in their seeds."""
    known: dict[tuple[Any, ...], dict[str, Any]] = {}
    for cell in cells:
        key = (id(cell.task), id(cell.model), id(cell.recipe), cell.method, cell.train_rows, id(cell.search))
        if key not in known:
            known[key] = cell.facts()
        yield {**known[key], "id": cell.id, "seed": cell.seed}


def to_json(facts: Mapping[str, Any]) -> str:
    """Return a JSON object with a line for each value, and for each item of a list."""
    return "{\n" + ",\n".join(f"{dump_json(name)}: {_value(value)}" for name, value in facts.items()) + "\n}"


def _value(value: Any) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(map(dump_json, value)) + "\n]"
    return dump_json(value)
