"""The searches of a plan: one for each model, task and method, whatever the seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from harness.cell import Cell, SearchedRecipe
from harness.errors import BenchError
from harness.search.grid_search import GridSearcher
from harness.search.halving import Halving
from harness.search.rules import usual_space, values_for
from harness.search.tpe import Tpe
from harness.search.trials import CHOSEN, FAILED, Lookup, Tried, outcome, state, why
from harness.search.wanted import AUTO, GRID, OPTION, OPTUNA, SUITE, Wanted, check


class Rules(Protocol):
    """A suite, as far as searches ask it."""

    name: str
    search: Mapping[str, tuple[Mapping[str, Any], ...]]


class Searcher(Protocol):
    """What proposes trials: a function of the records of those before.

    Attributes:
        trials: how many, if it needs no more than usual.
        rounds: how often trials have to be waited for, if no more than usual.
        note: what it costs, in words, where the number of trials alone would mislead.
    """

    trials: int
    rounds: int
    note: str

    @property
    def specification(self) -> dict[str, object]:
        """What is searched, as plain values: a part of the identity of the cells that are reported."""

    def tried(self, lookup: Lookup) -> Tried:
        """How far the search has come."""


@dataclass(frozen=True)
class CellSearch:
    """One of them.

    Attributes:
        cells: those that are reported, one a seed, as they are known before the search: with the recipe that it begins with.
        arguments: of the command line.
    """

    cells: tuple[Cell, ...]
    searcher: Searcher
    arguments: tuple[str, ...]

    @property
    def title(self) -> str:
        """Task, model and method in a few words."""
        first = self.cells[0]
        return f"{first.title} · {first.model.name}" + ("" if first.method == "full" else f" ({first.method})")

    def reported(self, tried: Tried) -> tuple[Cell, ...]:
        """The cells with the winner's recipe; with the one that the search began with where there is no winner (yet)."""
        if not tried.ended:
            return self.cells
        found = SearchedRecipe(self.searcher.specification, self.arguments, outcome(tried))
        recipe = self.cells[0].recipe if tried.winner is None else tried.cells[tried.winner].recipe
        return tuple(replace(cell, recipe=recipe, search=found, why=CHOSEN) for cell in self.cells)

    def failure(self, tried: Tried) -> BenchError:
        """Why there is nothing to report."""
        failed = [record for record in tried.records if record and state(record) == FAILED]
        many = "all" if len(failed) == len(tried.cells) else f"{len(failed)} of"
        return BenchError(
            f"the search has no winner: {many} {len(tried.cells)} trials failed, the first with {why(failed[0])} ({failed[0]['id']}); "
            "search among other values, or try these again with --rerun-failed"
        )


def make_searches(cells: Sequence[Cell], wanted: Wanted, suite: Rules, settings: Mapping[str, str]) -> list[CellSearch]:
    """The searches of a plan's cells; baselines have none.

    Args:
        cells: of the plan, all seeds.
        wanted: what the command line or the suite asks for.
        suite: whose section `search` is asked.
        settings: of the command line, by the full names of the fields.

    Raises:
        BenchError: a field that is fixed, nothing to choose from, or unequal numbers of trials on a task.
    """
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        if not cell.is_baseline:
            groups.setdefault(replace(cell, seed=0).id, []).append(cell)
    if not groups and wanted.where == OPTION:  # a plan of nothing but baselines; a suite's search is for other runs too
        raise BenchError(
            f"{wanted.title}: baselines have no recipe to search; name a model with --models"
        )
    searches = []
    for group in groups.values():
        searcher = _searcher(group[0], wanted, suite, settings)
        asked = SearchedRecipe(searcher.specification, wanted.arguments)
        marked = tuple(replace(cell, search=asked) for cell in group)
        searches.append(CellSearch(marked, searcher, wanted.arguments))
    _reject_unequal(searches, wanted)
    return searches


def _searcher(cell: Cell, wanted: Wanted, suite: Rules, settings: Mapping[str, str]) -> Searcher:
    if wanted.kind == GRID:
        return GridSearcher(cell, wanted.fields)
    if wanted.kind == AUTO:
        return Halving(cell)
    if wanted.kind == SUITE:
        fields = values_for(suite.search.get(GRID, ()), cell)
        check(wanted, list(fields), [cell.method], settings)
        grid = GridSearcher(cell, fields)
        if grid.trials < 2:
            raise BenchError(
                f"{wanted.title}: the suite {suite.name} gives {cell.model.name} on {cell.task.title} by {cell.method} no values to "
                "choose from; name fields (--search lr=1e-5,3e-5), or add a rule to its section search.grid (docs/suites.md)"
            )
        return grid
    space = usual_space(cell.recipe) | values_for(suite.search.get(OPTUNA, ()), cell)
    free = {name: values for name, values in space.items() if name not in settings}
    check(wanted, list(free), [cell.method], {})
    if not free:
        fixed = ", ".join(f"recipe.{name}" for name in space)
        raise BenchError(
            f"{wanted.title}: --set fixes all that would be searched ({fixed}); leave one of them out"
        )
    return Tpe(cell, free, wanted.trials)


def _reject_unequal(searches: Sequence[CellSearch], wanted: Wanted) -> None:
    """A model that may choose among more recipes than another has an advantage that has nothing to do with the model."""
    first: dict[str, CellSearch] = {}
    for search in searches:
        other = first.setdefault(search.cells[0].task.title, search)
        if other.searcher.trials != search.searcher.trials:
            raise BenchError(
                f"{wanted.title}: {search.title} has {search.searcher.trials} trials and {other.title} "
                f"{other.searcher.trials}; all on one task must have the same number: mend the suite's section search.grid"
            )
