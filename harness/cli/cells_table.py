"""The cells of a plan: for a person in a table that stays short, for a program in JSON that is soon written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.cell import Cell
from harness.plan import Plan

LINES = 200  # of a table that one still reads
FINISHED, PENDING, LOST = "finished", "pending", "cannot run"
STYLES = {FINISHED: "green", PENDING: "", LOST: "red"}
HEADINGS = ("task", "model", "method", "seed")
WORDS = {3: "task, model and method", 1: "task"}


def cells_table(made: Plan, finished: Collection[str]) -> RenderableType:
    """Every cell and its state; where that would be too long, the number of cells in each state by task, model and method.

    Args:
        made: the plan.
        finished: ids of the cells that need no other run.
    """
    states = [(_names(cell), FINISHED if cell.id in finished else PENDING) for cell in made.cells]
    states += [(_names(cell), LOST) for cell, _ in made.lost]
    if len(states) <= LINES:
        table = _table(*HEADINGS, "state")
        for names, state in states:
            table.add_row(*map(Text, names), Text(state, style=STYLES[state]))
        return table
    width = next((width for width in WORDS if len({names[:width] for names, _ in states}) <= LINES), min(WORDS))
    note = f"{len(states):,} cells, so a line stands for all of a {WORDS[width]}; --json lists every one"
    return Group(_summary(states, width), Text(note, style="dim"))


def _summary(states: Iterable[tuple[tuple[str, ...], str]], width: int) -> Table:
    counts: dict[tuple[str, ...], Counter] = {}
    for names, state in states:
        counts.setdefault(names[:width], Counter())[state] += 1
    shown = [state for state in STYLES if any(found[state] for found in counts.values())]
    table = _table(*HEADINGS[:width])
    for heading in ("cells", *shown):
        table.add_column(heading, justify="right")
    for names, found in counts.items():
        numbers = (Text(str(found[state]), style=STYLES[state] if found[state] else "dim") for state in shown)
        table.add_row(*map(Text, names), str(found.total()), *numbers)
    return table


def _table(*headings: str) -> Table:
    return Table(*headings, header_style="bold", box=None, pad_edge=False)


def _names(cell: Cell) -> tuple[str, ...]:
    return cell.task.title, cell.model.name, cell.method, str(cell.seed)


def all_facts(cells: Iterable[Cell]) -> Iterator[dict[str, Any]]:
    """The facts of each cell. Those that differ in their seeds only are looked into once."""
    known: dict[tuple[Any, ...], dict[str, Any]] = {}
    for cell in cells:
        key = (id(cell.task), id(cell.model), id(cell.recipe), cell.method)
        if key not in known:
            known[key] = cell.facts()
        yield {**known[key], "id": cell.id, "seed": cell.seed}


def to_json(told: Mapping[str, Any]) -> str:
    """A JSON object with a line for each value, and for each item of a list."""
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {_value(value)}" for name, value in told.items()) + "\n}"


def _value(value: Any) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
    return json.dumps(value)
