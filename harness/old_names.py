"""Modules that plugins may import by the names of earlier versions.

`docs/extending.md` promises some modules to plugins. Where one of them was renamed, its old name still works.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

# Old module → its names, as old name → new module and name.
MOVED = {
    "harness.check.tally": {
        "Tally": "harness.check.repeats:Tally",
        "spot": "harness.check.repeats:row_location",
        "plain": "harness.check.repeats:as_text",
        "listed": "harness.safe_text:listed",
    },
    "harness.metrics.classes": {
        "by_label": "harness.metrics.counts:by_label",
        "by_entity_type": "harness.metrics.counts:by_entity_type",
    },
    "harness.looks": {
        "Looks": "harness.column_profiles:ColumnProfile",
        "look_at": "harness.column_profiles:profile_columns",
    },
}


class _OldNames(MetaPathFinder, Loader):
    """Finds the old modules, and fills them when they are imported."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        for old, place in MOVED[module.__name__].items():
            source, _, new = place.partition(":")
            setattr(module, old, getattr(importlib.import_module(source), new))


def install() -> None:
    """Let `import` find the old modules."""
    if not any(isinstance(finder, _OldNames) for finder in sys.meta_path):
        sys.meta_path.append(_OldNames())
