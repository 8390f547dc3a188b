"""What a run would do: its cells, which of them are finished, and how long the others will take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from harness.cell import Cell
from harness.estimate.estimator import estimate_run
from harness.estimate.grid_estimate import describe_memory, describe_time
from harness.planning.plan import Plan, make_plan
from harness.planning.request import Request
from harness.progress import ALWAYS_FITTED, recipe_line, title
from harness.remote.mirror import read_store
from harness.report.cells_table import all_facts, cells_table
from harness.result_views import Displayable
from harness.safe_text import plain, redact
from harness.store import Store

if TYPE_CHECKING:
    import pandas

    from harness.estimate.grid_estimate import GridEstimate
    from harness.search.rounds import Rounds
    from harness.search.search_option import SearchRequest

RECIPES = 12  # how many lines of recipes are printed


@dataclass(frozen=True, repr=False)
class PlanReport(Displayable):
    """A plan, with the results that exist already.

    Attributes:
        plan: the cells, with the recipes of searches that have ended.
        store: the results.
        finished: ids of the cells that need not run again.
        rounds: the searches, if any.
        grid: the time and memory of the pending cells and trials; None if not estimated.
    """

    plan: Plan
    store: Store
    finished: frozenset[str]
    rounds: Rounds | None = None
    grid: GridEstimate | None = None

    @cached_property
    def pending(self) -> list[Cell]:
        """The cells that will run."""
        return [cell for cell in self.plan.cells if cell.id not in self.finished]

    @property
    def seconds(self) -> float | None:
        """How long all cells will take on this machine; None if unknown."""
        return self.grid.seconds if self.grid else None

    @property
    def notes(self) -> list[str]:
        """How the user's files were read, and what the plan leaves out and why."""
        errors = dict.fromkeys(str(error) for _, error in self.plan.lost)
        impossible = (f"not possible: {reason}" for reason in self.plan.impossible)
        return [*self.plan.notes, *impossible, *(f"cannot run: {error}" for error in errors)]

    @cached_property
    def _estimates(self) -> dict[str, Any]:
        estimates = self.grid.cells[: len(self.pending)] if self.grid else ()
        return dict(zip((cell.id for cell in self.pending), estimates, strict=False))

    def frame(self) -> pandas.DataFrame:
        """Return one row for each cell, with whether it is finished, and estimated seconds and bytes."""
        import pandas

        estimates = self._estimates
        return pandas.DataFrame(
            {
                "cell": cell.id, "task": cell.title, "model": cell.model.name, "method": cell.method, "seed": cell.seed,
                "finished": cell.id in self.finished,
                "seconds": estimate.seconds if (estimate := estimates.get(cell.id)) else None,
                "peak_memory_bytes": estimate.memory if estimate else None,
            }
            for cell in self.plan.cells
        )  # fmt: skip

    def facts(self) -> dict[str, Any]:
        """Return the report as plain values, for JSON."""
        plan = self.plan
        lost = zip(all_facts(cell for cell, _ in plan.lost), plan.lost, strict=True)
        cells = []
        for facts in all_facts(plan.cells):
            estimate = self._estimates.get(facts["id"])
            if "search" in facts and "trials" not in facts["search"]:
                facts = {**facts, "id": None}  # it depends on the recipe that the search will find
            finished = facts["id"] in self.finished
            cells.append({**facts, "finished": finished, "estimate": estimate.facts() if estimate else None})
        return {
            "suite": plan.suite.name or None,
            "cells": cells,
            **(self.rounds.facts() if self.rounds else {}),
            "impossible": list(plan.impossible),
            "notes": list(plan.notes),
            "lost": [{**facts, "error": redact(str(error))} for facts, (_, error) in lost],
            "estimate": self.grid.facts() if self.grid else None,
        }

    def _sentences(self) -> list[str]:
        return [redact(line) for line, _ in self.lines() if line]

    @property
    def table(self) -> RenderableType:
        """The cells and their states, as a table."""
        seconds = None
        if self.grid:
            seconds = {cell: estimate.seconds if estimate else None for cell, estimate in self._estimates.items()}
        return cells_table(self.plan, self.finished, seconds)

    def renderable(self, width: int) -> RenderableType:
        return Group(self.table, *(Text(plain(redact(line)), style=style) for line, style in self.lines()))

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield each line below the table with its style."""
        plan, pending = self.plan, self.pending
        yield from ((line, _style(line)) for line in self.notes)
        yield "", ""
        cannot = f", {len(plan.lost)} cannot run" if plan.lost else ""
        suite = f"suite {plan.suite.name}, " if plan.suite.name else ""
        yield (
            f"{len(plan.cells) + len(plan.lost)} cells, {len(self.finished)} finished, {len(pending)} to run{cannot} "
            f"({suite}results in {self.store.name})", "",
        )  # fmt: skip
        if self.rounds:
            yield self.rounds.counted(), ""
            if (self.rounds.pending or self.rounds.later) and self.rounds.note:
                yield self.rounds.note, ""
        if self.grid:
            yield from ((line, "") for line in self._recipe_lines())
            yield f"{describe_time(self.grid)}; {describe_memory(self.grid)}", ""

    def _recipe_lines(self) -> Iterator[str]:
        """Yield a line for each task, model and method whose recipe depends on the model and the data."""
        estimates = ((cell, self._estimates.get(cell.id)) for cell in self.pending)
        recipes = {
            title(cell, seed=False): recipe_line(estimate.fitted)
            for cell, estimate in estimates
            if estimate and len(estimate.fitted) > ALWAYS_FITTED
        }
        for name, line in list(recipes.items())[:RECIPES]:
            yield f"recipe {name}: {line}"
        if len(recipes) > RECIPES:
            yield f"and {len(recipes) - RECIPES} more recipes; --json lists every one"


def report_plan(
    request: Request,
    search: SearchRequest | None,
    results: str,
    devices: str,
    jobs: int | None,
    estimate: bool,
    say: Callable[[str], None],
) -> PlanReport:
    """Return what a run of a request would do.

    Args:
        search: the search for recipes, if any.
        results: a folder or URL.
        devices: as for `bench run`.
        jobs: as for `bench run`.
        estimate: whether to estimate time and memory; this machine is measured once if necessary.
        say: prints that the machine is being measured.

    Raises:
        BenchError: the request is wrong.
    """
    plan, store = make_plan(request), read_store(results)
    rounds = None
    if search:
        from harness.search.rounds import Rounds

        rounds = Rounds(plan, plan.cells, search, request.settings, store)
        plan = replace(plan, cells=tuple(rounds.cells))
    finished = store.finished_among(cell.id for cell in plan.cells)
    report = PlanReport(plan, store, frozenset(finished), rounds)
    if not estimate:
        return report
    trials = [*rounds.pending, *rounds.later] if rounds else []
    return replace(report, grid=estimate_run([*report.pending, *trials], store, devices, jobs, say=say))


def _style(note: str) -> str:
    return "yellow" if note.startswith("not possible") else "red" if note.startswith("cannot run") else ""
