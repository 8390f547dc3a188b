"""The registered families, tasks, models and suites as rows, for the command line and the Python API."""

from __future__ import annotations

from typing import Any

from harness import registry
from harness.methods import BASELINE
from harness.planning.suite import load_suite


def families() -> list[dict[str, Any]]:
    """Return the task families."""
    return [
        {"family": family.name, "metric": family.primary_metric, "description": family.description}
        for family in registry.families().values()
    ]


def tasks() -> list[dict[str, Any]]:
    """Return the registered tasks."""
    return [
        {"task": task.name, "family": task.family, "version": task.version, "description": task.description}
        for task in registry.tasks().values()
    ]


def models() -> list[dict[str, Any]]:
    """Return the registered models, then the baselines, which have the architecture and kind `baseline`."""
    models = [
        {
            "model": model.name, "architecture": model.architecture, "source": model.source,
            "families": list(model.families or registry.families()), "description": model.description, "kind": model.kind,
            "parameters": model.parameters, "traps": model.traps(),
        }
        for model in registry.models().values()
    ]  # fmt: skip
    baselines = [
        {
            "model": baseline.name, "architecture": BASELINE, "source": f"{BASELINE}:{baseline.name}",
            "families": list(baseline.families), "description": baseline.description, "kind": BASELINE,
            "parameters": None, "traps": {},
        }
        for baseline in registry.baselines().values()
    ]  # fmt: skip
    return models + baselines


def suites() -> list[dict[str, Any]]:
    """Return the registered suites."""
    return [
        {
            "suite": suite.name, "version": suite.version, "models": dict(suite.models),
            "tasks": [task.title for task in suite.tasks], "description": suite.description,
        }
        for suite in map(load_suite, registry.suites())
    ]  # fmt: skip
