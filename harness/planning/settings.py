"""The settings of a command line: what they change, and those that would change nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from harness.baselines.choose import is_baseline
from harness.errors import BenchError
from harness.methods import METHODS, foreign_fields
from harness.model import Checkpoint
from harness.recipe import full_name


def reject_foreign(settings: Mapping[str, str], methods: Sequence[str]) -> None:
    """A setting that none of the methods reads would change nothing, silently.

    Raises:
        BenchError: there is one.
    """
    for name in settings:
        if all(name in foreign_fields(method) for method in methods):
            owner = next(method.name for method in METHODS.values() if name in method.fields)
            raise BenchError(
                f"--set recipe.{name}={settings[name]}: only method {owner} reads it, and the methods are "
                f"{', '.join(methods)}; add --methods {owner}, or leave it out"
            )


def recipe_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Recipe field → its value, of settings whose names may be short (`lr`) and have a prefix (`recipe.lr`).

    Raises:
        BenchError: a name that no field has, or two names of one field.
    """
    found: dict[str, str] = {}
    for name, value in settings.items():
        field = full_name(name, f"--set {name}={value}")
        if field in found:
            raise BenchError(f"--set {name}={value}: {field} is also set to {found[field]}; leave one of the two out")
        found[field] = value
    return found


def reject_for_baselines(settings: Mapping[str, str], named: Collection[Checkpoint]) -> None:
    """A setting would change nothing, silently, where there is nothing but baselines.

    Raises:
        BenchError: it is so.
    """
    if settings and all(is_baseline(one) for one in named):
        name, value = next(iter(settings.items()))
        raise BenchError(
            f"--set recipe.{name}={value}: baselines have no recipe, and --models names nothing else; "
            "leave it out, or name a model"
        )
