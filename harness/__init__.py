"""bench: which pretrained model should I fine-tune? The Python API; docs/python.md shows it in use.

    import harness

    results = harness.run(models=["bert", "./my-model"], tasks="sentiment:reviews.csv", seeds=3)
    print(results.leaderboard())

Nothing is imported before it is used: `import harness` is quick and loads no torch.
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

_PLACES = {
    **dict.fromkeys(
        ("check_task", "compare", "fetch", "list_models", "list_suites", "list_tasks", "new_task", "plan", "recommend", "run"), "harness.api"
    ),
    **dict.fromkeys(("Comparison", "Leaderboard", "Recommendation"), "harness.result_views"),
    **dict.fromkeys(("Results", "load_results"), "harness.results"),
    "BenchError": "harness.errors",
    "CheckedTask": "harness.checked_task",
    "Model": "harness.model",
    "PlanReport": "harness.plan_report",
    "Task": "harness.task",
}
__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first asked for."""
    if name not in _PLACES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}; public are {', '.join(__all__)}")
    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, and no modules that happen to be imported."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
