"""What is registered, as rows: families, tasks, models, suites."""

from __future__ import annotations

from typing import Any

from harness import registry
from harness.methods import BASELINE
from harness.planning.suite import load_suite

Rows = list[dict[str, Any]]


def families() -> Rows:
    """The task families."""
    return [
        {"family": one.name, "metric": one.primary_metric, "description": one.description} for one in registry.families().values()
    ]


def tasks() -> Rows:
    """The registered tasks."""
    return [
        {"task": task.name, "family": task.family, "version": task.version, "description": task.description}
        for task in registry.tasks().values()
    ]


def models() -> Rows:
    """The registered models, then the baselines, which have the architecture and kind `baseline`."""
    rows = [
        {
            "model": model.name, "architecture": model.architecture, "source": model.source,
            "families": list(model.families or registry.families()), "description": model.description, "kind": model.kind,
            "parameters": model.parameters, "traps": model.traps(),
        }
        for model in registry.models().values()
    ]  # fmt: skip
    return rows + [
        {
            "model": one.name, "architecture": BASELINE, "source": f"{BASELINE}:{one.name}", "families": list(one.families),
            "description": one.description, "kind": BASELINE, "parameters": None, "traps": {},
        }
        for one in registry.baselines().values()
    ]  # fmt: skip


def suites() -> Rows:
    """The registered suites."""
    return [
        {
            "suite": suite.name, "version": suite.version, "models": dict(suite.models), "tasks": [task.title for task in suite.tasks],
            "description": suite.description,
        }
        for suite in map(load_suite, registry.suites())
    ]  # fmt: skip
