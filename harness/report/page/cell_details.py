"""The seeds, records, recipe and metrics behind each number of the main table, for the dialog of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.grouping.groups import succeeded
from harness.report import board_text as text
from harness.report.board import failures
from harness.report.board_columns import BoardColumn
from harness.report.board_rows import Row
from harness.report.entries import Entry
from harness.report.page.view import View
from harness.store import Record

ALIKE = 40  # names of rows that an entry cannot be told apart from


def cell_details(view: View, cells: Sequence[tuple[Row, BoardColumn]]) -> list[dict[str, Any]]:
    """One mapping of texts for each cell, in the order of the cells."""
    return [_cell(view, row, column, row.entries[column.title]) for row, column in cells]


def _cell(view: View, row: Row, column: BoardColumn, entry: Entry) -> dict[str, Any]:
    records = view.records(row, column)
    names = list(entry.metrics)
    recipes = dict.fromkeys(_recipe(record) for record in records)
    return {
        "title": f"{row.title} on {column.title}",
        "task": column.title,
        "facts": _facts(view, row, column, entry),
        "seeds": [_seed(view, record) for record in records],
        "metrics": [[name, text.metric_texts([entry.metrics[name]])[0]] for name in names],
        "recipes": [recipe for recipe in recipes if recipe],
    }


def _facts(view: View, row: Row, column: BoardColumn, entry: Entry) -> list[list[str]]:
    flags = [f"{letter} {meaning}" for flag, (letter, meaning) in text.FLAGS.items() if flag in entry.flags]
    facts = {
        column.metric or "score": text.mean(entry),
        "standard deviation over seeds": text.score(entry.sd) if entry.sd is not None else "",
        "95 % interval": text.interval(entry) if entry.standing else "",
        "group" if not text.group(entry).startswith("#") else "rank": text.group(entry),
        "cannot be told apart from": _listed(_alike(view, row, column)),
        "search for the recipe": text.duration(seconds) if (seconds := entry.costs["search_seconds"]) else "",
        "trivial answer": text.score(column.trivial) if column.trivial is not None else "",
        "published": "; ".join(
            f"{one.metric} {text.score(one.value)} ({text.signed(one.difference)}), {one.source}"
            for one in row.published.get(column.title, ())
        ),
        "marks": "; ".join(flags),
    }
    return [[name, value] for name, value in facts.items() if value]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - ALIKE} more" if len(names) > ALIKE else ""
    return ", ".join(names[:ALIKE]) + more


def _alike(view: View, row: Row, column: BoardColumn) -> list[str]:
    """The rows that share a letter with one in a column."""
    standings = {
        other.title: entry.standing
        for other in view.board.rows
        if (entry := other.entries.get(column.title)) and entry.standing
    }
    ours = standings.pop(row.title, None)
    return [title for title, theirs in standings.items() if ours and ours.groups & theirs.groups]


def _seed(view: View, record: Record) -> list[str]:
    """Seed, status, score, training time, peak memory, trained parameters, id, address."""
    cost = record.get("cost") or {}
    good = succeeded(record)
    error = "" if good else "; ".join(f"{one.type}: {one.message}" for one in failures([record]))
    return [
        str(record["seed"]),
        record["status"] if good else error,
        text.score(record["score"]) if good else text.NONE,
        text.duration(cost.get("train_seconds")),
        text.memory(cost.get("peak_memory_bytes")),
        text.count(cost.get("trainable_parameters")),
        record["id"],
        view.address(record["id"]),
    ]


def _recipe(record: Record) -> str:
    return text.recipe({name: [(value, ())] for name, value in (record.get("recipe") or {}).items()})
