"""`bench tasks`, `bench models` and `bench suites`: what is registered."""

from __future__ import annotations

from typing import Any

from harness.cli import options
from harness.files import dump_json

WIDE = 140  # from this terminal width on, a model takes one line


def tasks(as_json: options.Json = False) -> None:
    """List the task families and the registered tasks."""
    from harness import listings

    if as_json:
        print(dump_json({"families": listings.families(), "tasks": listings.tasks()}, indent=1))
    else:
        _print(listings.families())
        print()
        _print(listings.tasks())


def models(as_json: options.Json = False) -> None:
    """List the registered models and the baselines; any Hub id, folder or .gguf file works as well."""
    from harness import listings
    from harness.methods import BASELINE
    from harness.safe_text import console

    rows = listings.models()
    if as_json:
        print(dump_json(rows, indent=1))
        return
    wide = console().width >= WIDE
    _print([_model_line(row, wide) for row in rows if row["kind"] != BASELINE])
    print()
    _print(
        [
            {"baseline": row["model"], "families": ", ".join(row["families"]), "description": row["description"]}
            for row in rows
            if row["kind"] == BASELINE
        ]
    )


def suites(as_json: options.Json = False) -> None:
    """List the suites."""
    from harness import listings

    rows = listings.suites()
    if as_json:
        print(dump_json(rows, indent=1))
    else:
        _print([{**row, "models": ", ".join(row["models"]), "tasks": ", ".join(row["tasks"])} for row in rows])


def _model_line(row: dict[str, Any], wide: bool) -> dict[str, Any]:
    """Return the columns for a model: its source without the revision, and its traps in words."""
    from harness.grouping.costs import count

    traps = row["traps"]
    phrases = [f"only {', '.join(traps['families'])}"] if "families" in traps else []
    phrases += [f"never {', '.join(traps['avoid'])}"] if "avoid" in traps else []
    phrases += [f"{traps['max_length']:,} tokens"] if "max_length" in traps else []
    phrases += [f"reads {traps['prefix'].strip()!r} first"] if "prefix" in traps else []
    size = count(row["parameters"]) if row["parameters"] else ""
    line = {"model": row["model"], "size": size, "architecture": row["architecture"]}
    source, traps_text = row["source"].partition("@")[0], "; ".join(phrases)
    if wide:
        return {**line, "source": source, "description": row["description"], "traps": traps_text}
    return {**line, "source, description, traps": "\n".join(filter(None, (source, row["description"], traps_text)))}


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from harness.safe_text import console

    table = Table(*rows[0], header_style="bold", box=None, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    table.columns[0].no_wrap = True
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    console().print(table)
