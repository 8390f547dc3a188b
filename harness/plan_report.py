"""What a run would do: its cells, which are finished, and what the others will take."""

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
from harness.progress import FIXED, recipe_line, title
from harness.remote.mirror import read_store
from harness.report.cells_table import all_facts, cells_table
from harness.result_views import Displayed
from harness.safe_text import plain, redact
from harness.store import Store

if TYPE_CHECKING:
    import pandas

    from harness.estimate.grid_estimate import GridEstimate
    from harness.search.rounds import Rounds
    from harness.search.search_option import SearchRequest

RECIPES = 12  # lines of recipes that are printed


@dataclass(frozen=True, repr=False)
class PlanReport(Displayed):
    """A plan beside the results that are there.

    Attributes:
        plan: its cells, with the recipes of searches that have ended.
        store: the results.
        finished: ids of the cells that need no other run.
        rounds: the searches, if any.
        grid: what the pending cells and trials will take; None where nobody has asked.
    """

    plan: Plan
    store: Store
    finished: frozenset[str]
    rounds: Rounds | None = None
    grid: GridEstimate | None = None

    @cached_property
    def pending(self) -> list[Cell]:
        """The cells that are to run."""
        return [cell for cell in self.plan.cells if cell.id not in self.finished]

    @property
    def seconds(self) -> float | None:
        """Until the last cell ends on this machine's slots; None where nothing is known."""
        return self.grid.seconds if self.grid else None

    @property
    def notes(self) -> list[str]:
        """What was made of the person's own files, what the plan leaves out, and why."""
        lost = dict.fromkeys(str(error) for _, error in self.plan.lost)
        return [*self.plan.notes, *(f"not possible: {one}" for one in self.plan.impossible), *(f"cannot run: {one}" for one in lost)]

    @cached_property
    def _estimates(self) -> dict[str, Any]:
        cells = self.grid.cells[: len(self.pending)] if self.grid else ()
        return dict(zip((cell.id for cell in self.pending), cells, strict=False))

    def frame(self) -> pandas.DataFrame:
        """One row a cell: task, model, method, seed, whether it is finished, and seconds and bytes that it will take."""
        import pandas

        return pandas.DataFrame(
            {
                "cell": cell.id, "task": cell.title, "model": cell.model.name, "method": cell.method, "seed": cell.seed,
                "finished": cell.id in self.finished, "seconds": one.seconds if (one := self._estimates.get(cell.id)) else None,
                "peak_memory_bytes": one.memory if one else None,
            }
            for cell in self.plan.cells
        )  # fmt: skip

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        made = self.plan
        lost = zip(all_facts(cell for cell, _ in made.lost), made.lost, strict=True)
        cells = []
        for facts in all_facts(made.cells):
            one = self._estimates.get(facts["id"])
            if "search" in facts and "trials" not in facts["search"]:
                facts = {**facts, "id": None}  # which depends on the recipe that the search will find
            cells.append({**facts, "finished": facts["id"] in self.finished, "estimate": one.facts() if one else None})
        return {
            "suite": made.suite.name or None,
            "cells": cells,
            **(self.rounds.facts() if self.rounds else {}),
            "impossible": list(made.impossible),
            "notes": list(made.notes),
            "lost": [{**facts, "error": redact(str(error))} for facts, (_, error) in lost],
            "estimate": self.grid.facts() if self.grid else None,
        }

    def _sentences(self) -> list[str]:
        return [redact(line) for line, _ in self.lines() if line]

    @property
    def table(self) -> RenderableType:
        """Each cell and its state, as a table."""
        seconds = {name: one.seconds if one else None for name, one in self._estimates.items()} if self.grid else None
        return cells_table(self.plan, self.finished, seconds)

    def picture(self, width: int) -> RenderableType:
        return Group(self.table, *(Text(plain(redact(line)), style=style) for line, style in self.lines()))

    def lines(self) -> Iterator[tuple[str, str]]:
        """What is said below the table, line by line, each with its style."""
        made, pending = self.plan, self.pending
        yield from ((line, _style(line)) for line in self.notes)
        yield "", ""
        cannot = f", {len(made.lost)} cannot run" if made.lost else ""
        suite = f"suite {made.suite.name}, " if made.suite.name else ""
        yield (
            f"{len(made.cells) + len(made.lost)} cells, {len(self.finished)} finished, {len(pending)} to run{cannot} "
            f"({suite}results in {self.store.name})", "",
        )  # fmt: skip
        if self.rounds:
            yield self.rounds.counted(), ""
            if (self.rounds.pending or self.rounds.later) and self.rounds.note:
                yield self.rounds.note, ""
        if self.grid:
            yield from ((line, "") for line in self._recipes())
            yield f"{describe_time(self.grid)}; {describe_memory(self.grid)}", ""

    def _recipes(self) -> Iterator[str]:
        """A line for each task, model and method whose recipe follows from the model and the data."""
        known = ((cell, self._estimates.get(cell.id)) for cell in self.pending)
        lines = {title(cell, seed=False): recipe_line(one.fitted) for cell, one in known if one and len(one.fitted) > FIXED}
        for name, line in list(lines.items())[:RECIPES]:
            yield f"recipe {name}: {line}"
        if len(lines) > RECIPES:
            yield f"and {len(lines) - RECIPES} more recipes; --json lists every one"


def report_plan(
    request: Request, search: SearchRequest | None, results: str, devices: str, jobs: int | None, estimate: bool, say: Callable[[str], None]
) -> PlanReport:
    """What a run of a request would do.

    Args:
        search: the search for recipes, if any.
        results: a folder or URL.
        devices, jobs: as `bench run` takes them.
        estimate: whether time and memory are wanted; this machine is measured once, if need be.
        say: is told that the machine is being measured.

    Raises:
        BenchError: the request is wrong.
    """
    made, store = make_plan(request), read_store(results)
    rounds = None
    if search:
        from harness.search.rounds import Rounds

        rounds = Rounds(made, made.cells, search, request.settings, store)
        made = replace(made, cells=tuple(rounds.cells))
    finished = store.finished_among(cell.id for cell in made.cells)
    report = PlanReport(made, store, frozenset(finished), rounds)
    if not estimate:
        return report
    trials = [*rounds.pending, *rounds.later] if rounds else []
    return replace(report, grid=estimate_run([*report.pending, *trials], store, devices, jobs, say=say))


def _style(note: str) -> str:
    return "yellow" if note.startswith("not possible") else "red" if note.startswith("cannot run") else ""
