"""Learning rates around the recipe's own, and the median rule that ends hopeless trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import zip_longest
from statistics import median
from typing import Any

from harness.cell import Cell
from harness.search.rules import rounded
from harness.search.trials import FAILED, OK, Lookup, Tried, state, trial, value
from harness.search.wanted import RATE

# The median rule: which validations a trial has to reach to go on (Golovin et al. 2017, section 3.2.1). It is the rule of
# Optuna's `MedianPruner`, turned round: that asks whether a trial is to end now, and a worker, which may run anywhere and again,
# needs to know beforehand. A test holds the two against each other.


STARTUP = 5  # trials that ran to their end, before which none is ended
WARMUP = 1  # validations of a trial after which it is never ended


def thresholds(finished: Sequence[Sequence[float]]) -> tuple[float | None, ...]:
    """For each validation the median of what other trials had there; None: whatever it gives, the trial goes on.

    Args:
        finished: the validations (0-100) of each trial that ran to its end.
    """
    if len(finished) < STARTUP:
        return ()
    found: list[float | None] = []
    for number, scores in enumerate(zip_longest(*finished, fillvalue=math.nan)):
        known = [score for score in scores if not math.isnan(score)]
        found.append(median(known) if known and number >= WARMUP else None)
    return tuple(found)


# Learning rates around the recipe's own: all of them in short trainings, the best in whole ones. Successive halving with two
# rungs (Jamieson & Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter Optimization"; Li et al. 2018,
# "Hyperband").


STEP = 3.0  # between two neighbouring rates
# By what the recipe's rate is multiplied. Of equal candidates the first goes on: the one that is nearer to the recipe's own,
# and of two that are as near the higher one, because a short training that learned nothing more often needs a higher rate.
FACTORS = (1.0, STEP, 1 / STEP, STEP**2, 1 / STEP**2)
BUDGET = 1 / 3  # of the steps, in the first rung
KEPT = 2  # candidates that get whole trainings


class Halving:
    """The search for one model, task and method.

    The second rung has the best `KEPT` of the first; one that fails there gives its place to the next best. If the best of
    the whole trainings has the lowest or the highest of all rates, the next rate beyond it gets a whole training too. The
    rule is the same for every model.

    Args:
        base: gives all that is not searched.
    """

    trials = len(FACTORS) + KEPT
    rounds = 2
    note = (
        f"each search trains {len(FACTORS)} learning rates for {BUDGET:.0%} of the steps and the best {KEPT} for all, as much "
        f"as {len(FACTORS) * BUDGET + KEPT:.1f} trainings, and 1 more where the best rate is the lowest or highest"
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
        found = self._so_far([], lookup, 1)
        if found.pending:
            return replace(found, left=KEPT)
        ends = zip(self.rates, found.records, strict=True)
        values = {rate: value(record) for rate, record in ends if record and state(record) == OK}
        whole: list[Cell] = []
        for rate in sorted(values, key=lambda rate: -values[rate]):  # stable: of equal ones the first
            ended = [record for cell in whole if (record := lookup(cell.id))]
            if len(whole) - [state(record) for record in ended].count(FAILED) < KEPT:
                whole.append(trial(self.base, {RATE: rate}))
        found = self._so_far(whole, lookup, 2)
        if not found.ended or found.winner is None:
            return found
        best = found.cells[found.winner].recipe.learning_rate
        if best not in (min(self.rates), max(self.rates)):
            return found
        beyond = _times(best, STEP if best == max(self.rates) else 1 / STEP)
        return self._so_far([*whole, trial(self.base, {RATE: beyond})], lookup, 3)

    def _so_far(self, whole: list[Cell], lookup: Lookup, number: int) -> Tried:
        """All short trainings and these whole ones."""
        cells = [*self.short, *whole]
        return Tried(cells, [lookup(cell.id) for cell in cells], 0, number)


def _times(rate: float, factor: float) -> float:
    """With few digits; the recipe's own rate stays as it is."""
    return rate if factor == 1 else rounded(rate * factor)
