"""`bench tasks`, `bench models`, `bench suites`: what is registered."""

from __future__ import annotations

import json
from typing import Any

from harness import registry
from harness.cli import options


def tasks(as_json: options.Json = False) -> None:
    """List the task families and tasks."""
    rows = [
        {"name": name, "kind": "family", "family": name, "version": family.version, "metric": family.primary_metric,
         "description": (family.__doc__ or "").partition("\n")[0]}
        for name, family in registry.families().items()
    ] + [
        {"name": name, "kind": "task", "family": task.family, "version": task.version,
         "metric": registry.family(task.family).primary_metric, "description": task.description}
        for name, task in registry.tasks().items()
    ]  # fmt: skip
    _print(rows, as_json)


def models(as_json: options.Json = False) -> None:
    """List the registered models; any Hub id, folder or .gguf file works as well."""
    rows = [
        {"name": name, "architecture": model.architecture or "", "source": model.source,
         "families": ", ".join(model.families or ["all"]), "description": model.description}
        for name, model in registry.models().items()
    ]  # fmt: skip
    _print(rows, as_json)


def suites(as_json: options.Json = False) -> None:
    """List the suites."""
    from harness.suite import load_suite

    loaded = [load_suite(name) for name in registry.suites()]
    rows = [
        {"name": suite.name, "version": suite.version, "tasks": ", ".join(task.title for task in suite.tasks),
         "models": ", ".join(suite.models), "description": suite.description}
        for suite in loaded
    ]  # fmt: skip
    _print(rows, as_json)


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*rows[0], header_style="bold", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)
