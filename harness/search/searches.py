"""The searches of a plan: one for each model, task and method, for all its seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from harness.cell import Cell, SearchedRecipe
from harness.errors import BenchError
from harness.search.search_option import AUTO, GRID, OPTION, OPTUNA, SUITE, SearchRequest, check_fields
from harness.search.search_space import space_for, usual_space
from harness.search.searchers import GridSearcher, HalvingSearcher, OptunaSearcher, Searcher
from harness.search.trials import CHOSEN, FAILED, SearchState, failure, status


class SearchSuite(Protocol):
    """The parts of a suite that searches use: its name, and the rules of its section `search`."""

    name: str
    search: Mapping[str, tuple[Mapping[str, Any], ...]]


@dataclass(frozen=True)
class CellSearch:
    """The search for one model, task and method.

    Attributes:
        cells: the cells that are reported, one for each seed, with the recipe that the search starts from.
        arguments: the values of `--search`.
    """

    cells: tuple[Cell, ...]
    searcher: Searcher
    arguments: tuple[str, ...]

    @property
    def title(self) -> str:
        """Task, model and method."""
        first = self.cells[0]
        return f"{first.title} · {first.model.name}" + ("" if first.method == "full" else f" ({first.method})")

    def reported(self, state: SearchState) -> tuple[Cell, ...]:
        """The cells with the winner's recipe, or as they were before the search if there is no winner (yet)."""
        if not state.finished:
            return self.cells
        result = SearchedRecipe(self.searcher.specification, self.arguments, state.outcome())
        recipe = self.cells[0].recipe if state.winner is None else state.cells[state.winner].recipe
        return tuple(replace(cell, recipe=recipe, search=result, why=CHOSEN) for cell in self.cells)

    def failure(self, state: SearchState) -> BenchError:
        """The error of a search without a winner."""
        failed = [record for record in state.records if record and status(record) == FAILED]
        many = "all" if len(failed) == len(state.cells) else f"{len(failed)} of"
        return BenchError(
            f"the search has no winner: {many} {len(state.cells)} trials failed, the first with {failure(failed[0])} ({failed[0]['id']}); "
            "search among other values, or try these again with --rerun-failed"
        )


def make_searches(
    cells: Sequence[Cell], request: SearchRequest, suite: SearchSuite, settings: Mapping[str, str]
) -> list[CellSearch]:
    """The searches for the cells of a plan, with `settings` the values of `--set` by full field names. Baselines have none.

    Raises:
        BenchError: a field is fixed, there is nothing to choose from, or numbers of trials on a task differ.
    """
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        if not cell.is_baseline:
            groups.setdefault(seedless_id(cell), []).append(cell)
    if not groups and request.where == OPTION:  # a suite's search is no error here: it is for other runs, too
        raise BenchError(f"{request.title}: baselines have no recipe to search; name a model with --models")
    searches = []
    for group in groups.values():
        searcher = _searcher(group[0], request, suite, settings)
        search = SearchedRecipe(searcher.specification, request.arguments)
        marked = tuple(replace(cell, search=search) for cell in group)
        searches.append(CellSearch(marked, searcher, request.arguments))
    _check_equal_trials(searches, request)
    return searches


def seedless_id(cell: Cell) -> str:
    """An id that the seeds of a model, task and method share."""
    return replace(cell, seed=0, search=None).id


def _searcher(cell: Cell, request: SearchRequest, suite: SearchSuite, settings: Mapping[str, str]) -> Searcher:
    if request.kind == GRID:
        return GridSearcher(cell, request.fields)
    if request.kind == AUTO:
        return HalvingSearcher(cell)
    if request.kind == SUITE:
        fields = space_for(suite.search.get(GRID, ()), cell)
        check_fields(request, list(fields), [cell.method], settings)
        grid = GridSearcher(cell, fields)
        if grid.trials < 2:
            raise BenchError(
                f"{request.title}: the suite {suite.name} gives {cell.model.name} on {cell.task.title} by {cell.method} no values to "
                "choose from; name fields (--search lr=1e-5,3e-5), or add a rule to its section search.grid (docs/suites.md)"
            )
        return grid
    space = usual_space(cell.recipe) | space_for(suite.search.get(OPTUNA, ()), cell)
    free = {name: values for name, values in space.items() if name not in settings}
    check_fields(request, list(free), [cell.method], {})
    if not free:
        fixed = ", ".join(f"recipe.{name}" for name in space)
        raise BenchError(f"{request.title}: --set fixes all that would be searched ({fixed}); leave one of them out")
    return OptunaSearcher(cell, free, request.trials)


def _check_equal_trials(searches: Sequence[CellSearch], request: SearchRequest) -> None:
    """Check that all models have the same number of trials on a task, because more trials are an advantage."""
    first: dict[str, CellSearch] = {}
    for search in searches:
        other = first.setdefault(search.cells[0].task.title, search)
        if other.searcher.trials != search.searcher.trials:
            raise BenchError(
                f"{request.title}: {search.title} has {search.searcher.trials} trials and {other.title} "
                f"{other.searcher.trials}; all on one task must have the same number: mend the suite's section search.grid"
            )


def shard_by_search(cells: Sequence[Cell], index: int, shards: int) -> list[Cell]:
    """The cells of a shard: every `shards`-th model, task and method with all its seeds, so no search is done twice."""
    units: dict[str, int] = {}
    keys = [seedless_id(cell) for cell in cells]
    for key in keys:
        units.setdefault(key, len(units))
    return [cell for cell, key in zip(cells, keys, strict=True) if units[key] % shards == index]
