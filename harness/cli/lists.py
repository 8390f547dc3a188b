"""`bench tasks`, `bench models`, `bench suites`: what is registered."""

from __future__ import annotations

from typing import Any

from harness.cli import options
from harness.strict_json import dumps

WIDE = 140  # columns of a terminal from which on a model takes one line


def tasks(as_json: options.Json = False) -> None:
    """List the task families and the registered tasks."""
    from harness import registry

    families = [
        {"family": family.name, "metric": family.primary_metric, "description": family.description}
        for family in registry.families().values()
    ]
    named = [
        {"task": task.name, "family": task.family, "version": task.version, "description": task.description}
        for task in registry.tasks().values()
    ]
    if as_json:
        print(dumps({"families": families, "tasks": named}, indent=1))
    else:
        _print(families)
        print()
        _print(named)


def models(as_json: options.Json = False) -> None:
    """List the registered models and the baselines; any Hub id, folder or .gguf file works as well."""
    from harness import registry
    from harness.methods import BASELINE

    rows = [
        {
            "model": model.name,
            "architecture": model.architecture,
            "source": model.source,
            "families": list(model.families or registry.families()),
            "description": model.description,
            "kind": model.kind,
            "parameters": model.parameters,
            "traps": model.traps(),
        }
        for model in registry.models().values()
    ]
    rows += [
        {
            "model": baseline.name,
            "architecture": BASELINE,
            "source": f"{BASELINE}:{baseline.name}",
            "families": list(baseline.families),
            "description": baseline.description,
            "kind": BASELINE,
            "parameters": None,
            "traps": {},
        }
        for baseline in registry.baselines().values()
    ]
    if as_json:
        print(dumps(rows, indent=1))
    else:
        from harness.shown import console

        wide = console().width >= WIDE
        _print([_model_line(row, wide) for row in rows if row["kind"] != BASELINE])
        print()
        names = {"model": "baseline", "families": "families", "description": "description"}
        baselines = ({**row, "families": ", ".join(row["families"])} for row in rows if row["kind"] == BASELINE)
        _print([{title: row[name] for name, title in names.items()} for row in baselines])


def _model_line(row: dict[str, Any], wide: bool) -> dict[str, Any]:
    """What a person reads of a model: the source without its revision, and the traps in words."""
    from harness.grouping.costs import count

    traps = row["traps"]
    known = [f"only {', '.join(traps['families'])}"] if "families" in traps else []
    known += [f"never {', '.join(traps['avoid'])}"] if "avoid" in traps else []
    known += [f"{traps['max_length']:,} tokens"] if "max_length" in traps else []
    known += [f"reads {traps['prefix'].strip()!r} first"] if "prefix" in traps else []
    size = count(row["parameters"]) if row["parameters"] else ""
    line = {"model": row["model"], "size": size, "architecture": row["architecture"]}
    source, told = row["source"].partition("@")[0], "; ".join(known)
    if wide:
        return {**line, "source": source, "description": row["description"], "traps": told}
    return {**line, "source, description, traps": "\n".join(filter(None, (source, row["description"], told)))}


def suites(as_json: options.Json = False) -> None:
    """List the suites."""
    from harness import registry
    from harness.suite import load_suite

    rows = [
        {
            "suite": suite.name,
            "version": suite.version,
            "models": dict(suite.models),
            "tasks": [task.title for task in suite.tasks],
            "description": suite.description,
        }
        for suite in map(load_suite, registry.suites())
    ]
    if as_json:
        print(dumps(rows, indent=1))
    else:
        _print([{**row, "models": ", ".join(row["models"]), "tasks": ", ".join(row["tasks"])} for row in rows])


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from harness.shown import console

    table = Table(*rows[0], header_style="bold", box=None, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    table.columns[0].no_wrap = True
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    console().print(table)
