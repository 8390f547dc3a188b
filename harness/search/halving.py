"""Learning rates around the recipe's own: all of them in short trainings, the best in whole ones.

Successive halving (Jamieson & Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter Optimization"; Li et al.
2018, "Hyperband") with two rungs, which share the work out between many candidates and a long look at the good ones.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from harness.cell import Cell
from harness.search.space import rounded
from harness.search.trials import FAILED, OK, Lookup, Tried, state, trial, value
from harness.search.wanted import RATE
from harness.store import Record

STEP = 3.0  # between two neighbouring rates
# By what the recipe's rate is multiplied. Of equal candidates the first is better: the one that is nearer to the recipe's own, and
# the higher of two that are as near, for a short training that learned nothing is helped by more.
FACTORS = (1.0, STEP, 1 / STEP, STEP**2, 1 / STEP**2)
BUDGET = 1 / 3  # of the steps, in the first rung
KEPT = 2  # candidates that get whole trainings


class Halving:
    """For one model, task and method. It is a function of the records of its trials, so nothing else is kept.

    The second rung has the best `KEPT` of the first; one that fails there gives its place to the next best. If the best of the
    whole trainings has the lowest or the highest of all rates, the next rate beyond gets one too. All of this is the same for
    every model.

    Args:
        base: gives all that is not searched.
    """

    trials = len(FACTORS) + KEPT
    rounds = 2
    told = (
        f"each search trains {len(FACTORS)} learning rates for {BUDGET:.0%} of the steps and the best {KEPT} for all, which is "
        f"as much as {len(FACTORS) * BUDGET + KEPT:.1f} trainings, and 1 more where the best rate is the lowest or highest"
    )

    def __init__(self, base: Cell):
        self.base = base
        self.rates = [_times(base.recipe.learning_rate, factor) for factor in FACTORS]

    @cached_property
    def short(self) -> list[Cell]:
        """The first rung."""
        return [trial(self.base, {RATE: rate}, budget=BUDGET) for rate in self.rates]

    @property
    def specification(self) -> dict[str, Any]:
        """What is searched and how, as plain values."""
        return {"kind": "halving", "fields": {RATE: sorted(self.rates)}, "budget": BUDGET, "kept": KEPT, "step": STEP}

    def tried(self, lookup: Lookup) -> Tried:
        """How far it has come, by the records that there are."""
        cells, records = list(self.short), [lookup(cell.id) for cell in self.short]
        if None in records:
            return Tried(cells, records, KEPT, 1)
        values = {rate: value(record) for rate, record in zip(self.rates, records, strict=True) if state(record) == OK}
        whole: dict[float, Record | None] = {}
        for rate in sorted(values, key=lambda rate: -values[rate]):  # stable: of equal ones the first
            if sum(record is None or state(record) != FAILED for record in whole.values()) < KEPT:
                self._add(rate, cells, records, whole, lookup)
        number = 2
        found = Tried(cells, records)
        if found.ended and found.winner is not None:
            best = cells[found.winner].recipe.learning_rate
            for edge, factor in ((max(self.rates), STEP), (min(self.rates), 1 / STEP)):
                if best == edge:
                    self._add(_times(best, factor), cells, records, whole, lookup)
                    number = 3
        return Tried(cells, records, 0, number)

    def _add(
        self, rate: float, cells: list[Cell], records: list[Record | None], whole: dict[float, Record | None], lookup: Lookup
    ) -> None:
        """A whole training."""
        cells.append(trial(self.base, {RATE: rate}))
        records.append(lookup(cells[-1].id))
        whole[rate] = records[-1]


def _times(rate: float, factor: float) -> float:
    """With few digits; the recipe's own rate stays as it is."""
    return rate if factor == 1 else rounded(rate * factor)
