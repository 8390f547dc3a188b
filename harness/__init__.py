"""bench: which pretrained model should I fine-tune? The Python API; docs/python.md shows it in use.

    import harness

    results = harness.run(models=["bert", "./my-model"], tasks="sentiment:reviews.csv", seeds=3)
    print(results.leaderboard())

Each name is imported when it is first used, so `import harness` is quick and loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api import check_task as check_task
    from harness.api import compare as compare
    from harness.api import fetch as fetch
    from harness.api import list_models as list_models
    from harness.api import list_suites as list_suites
    from harness.api import list_tasks as list_tasks
    from harness.api import new_task as new_task
    from harness.api import plan as plan
    from harness.api import recommend as recommend
    from harness.api import run as run
    from harness.checked_task import CheckedTask as CheckedTask
    from harness.errors import BenchError as BenchError
    from harness.model import Model as Model
    from harness.plan_report import PlanReport as PlanReport
    from harness.result_views import Comparison as Comparison
    from harness.result_views import Leaderboard as Leaderboard
    from harness.result_views import Recommendation as Recommendation
    from harness.results import Results as Results
    from harness.results import load_results as load_results
    from harness.task import Task as Task

_NAMES = {
    "harness.api": "check_task compare fetch list_models list_suites list_tasks new_task plan recommend run",
    "harness.checked_task": "CheckedTask",
    "harness.errors": "BenchError",
    "harness.model": "Model",
    "harness.plan_report": "PlanReport",
    "harness.result_views": "Comparison Leaderboard Recommendation",
    "harness.results": "Results load_results",
    "harness.task": "Task",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}
__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}; public are {', '.join(__all__)}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, without modules that happen to be imported."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
