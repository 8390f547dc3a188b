"""The searchers: a grid, successive halving over learning rates, and Optuna's TPE.

A searcher is a function of the records of its trials. Nothing else is stored, so a search that was interrupted
continues with the same trials.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product, zip_longest
from statistics import median
from typing import Any, Protocol

from harness.cell import SEARCH_SEED, Cell
from harness.errors import BenchError
from harness.search.search_option import RATE
from harness.search.search_space import Space, optuna_distributions, plain_space, rounded
from harness.search.trials import (
    FAILED,
    OK,
    Lookup,
    SearchState,
    best_validation,
    make_trial,
    status,
    validations,
)
from harness.store import Record

STARTUP = 5  # trials that must run to their end before any is pruned
WARMUP = 1  # validations of a trial before it can be pruned

STEP = 3.0  # ratio of neighbouring learning rates
# Multiples of the recipe's learning rate. Of equal candidates the first is selected: the nearest to the recipe's own
# rate, and of two equally near ones the higher, because short trainings that learn nothing often need a higher rate.
FACTORS = (1.0, STEP, 1 / STEP, STEP**2, 1 / STEP**2)
BUDGET = 1 / 3  # share of the steps in the first rung
SELECTED = 2  # candidates that get whole trainings


class Searcher(Protocol):
    """Proposes the trials for one model, task and method.

    Attributes:
        trials: number of trials, unless more turn out to be needed.
        rounds: number of rounds; the trials of a round depend on the results of the one before.
        note: the cost in words, if the number of trials would be misleading; else empty.
    """

    trials: int
    rounds: int
    note: str

    @property
    def specification(self) -> dict[str, object]:
        """The search as plain values, a part of the identity of the reported cells."""

    def state(self, lookup: Lookup) -> SearchState:
        """The progress of the search, given the records so far."""


class GridSearcher:
    """Tries every combination of values, all in one round.

    Args:
        base: the cell whose recipe the trials change.
        fields: field → its values; the first field varies slowest.
    """

    note = ""
    rounds = 1

    def __init__(self, base: Cell, fields: Mapping[str, tuple[Any, ...]]):
        self.base, self.fields = base, dict(fields)

    @cached_property
    def cells(self) -> list[Cell]:
        """The trials, in the order of the grid."""
        combinations = product(*self.fields.values())
        return [make_trial(self.base, dict(zip(self.fields, values, strict=True))) for values in combinations]

    @property
    def trials(self) -> int:
        return len(self.cells)

    @property
    def specification(self) -> dict[str, Any]:
        return {"kind": "grid", "fields": {name: list(values) for name, values in self.fields.items()}}

    def state(self, lookup: Lookup) -> SearchState:
        return SearchState(self.cells, [lookup(cell.id) for cell in self.cells])


class HalvingSearcher:
    """Trains several learning rates for some of the steps and the best for all of them.

    This is successive halving with two rungs (Jamieson & Talwalkar 2016, "Non-stochastic Best Arm Identification and
    Hyperparameter Optimization"; Li et al. 2018, "Hyperband"). The second rung has the best `SELECTED` of the first; if
    one fails there, the next best takes its place. If the best whole training has the lowest or highest of all rates,
    the next rate beyond it gets a whole training, too. The rule is the same for every model.

    Args:
        base: the cell whose learning rate the trials change.
    """

    trials = len(FACTORS) + SELECTED
    rounds = 2
    note = (
        f"each search trains {len(FACTORS)} learning rates for {BUDGET:.0%} of the steps and the best {SELECTED} for all, as much "
        f"as {len(FACTORS) * BUDGET + SELECTED:.1f} trainings, and 1 more where the best rate is the lowest or highest"
    )

    def __init__(self, base: Cell):
        self.base = base
        self.rates = [_multiply(base.recipe.learning_rate, factor) for factor in FACTORS]

    @cached_property
    def first_rung(self) -> list[Cell]:
        """The short trainings."""
        return [make_trial(self.base, {RATE: rate}, budget=BUDGET) for rate in self.rates]

    @property
    def specification(self) -> dict[str, Any]:
        return {
            "kind": "halving", "fields": {RATE: sorted(self.rates)}, "budget": BUDGET, "kept": SELECTED, "step": STEP,
        }  # fmt: skip

    def state(self, lookup: Lookup) -> SearchState:
        state = self._state([], lookup, 1)
        if state.pending:
            return replace(state, later=SELECTED)
        ends = zip(self.rates, state.records, strict=True)
        values = {rate: best_validation(record) for rate, record in ends if record and status(record) == OK}
        whole: list[Cell] = []
        for rate in sorted(values, key=lambda rate: -values[rate]):  # stable: of equal ones the first
            records = [record for cell in whole if (record := lookup(cell.id))]
            if len(whole) - [status(record) for record in records].count(FAILED) < SELECTED:
                whole.append(make_trial(self.base, {RATE: rate}))
        state = self._state(whole, lookup, 2)
        if not state.finished or state.winner is None:
            return state
        best = state.cells[state.winner].recipe.learning_rate
        if best not in (min(self.rates), max(self.rates)):
            return state
        beyond = _multiply(best, STEP if best == max(self.rates) else 1 / STEP)
        return self._state([*whole, make_trial(self.base, {RATE: beyond})], lookup, 3)

    def _state(self, whole: list[Cell], lookup: Lookup, number: int) -> SearchState:
        cells = [*self.first_rung, *whole]
        return SearchState(cells, [lookup(cell.id) for cell in cells], 0, number)


def _multiply(rate: float, factor: float) -> float:
    return rate if factor == 1 else rounded(rate * factor)  # the recipe's own rate is not rounded


class OptunaSearcher:
    """Optuna's TPE sampler (Bergstra et al. 2011): recipes depend on the results so far; hopeless trials are pruned.

    The study is built from the records on every call; equal records give equal trials.

    Args:
        base: the cell whose recipe the trials change.
        space: field → the values or the range that it is drawn from.
        trials: number of trials.
    """

    note = ""

    def __init__(self, base: Cell, space: Space, trials: int):
        self.base, self.space, self.trials = base, space, trials

    @property
    def rounds(self) -> int:
        return self.trials

    @property
    def specification(self) -> dict[str, Any]:
        return {
            "kind": "optuna", "fields": plain_space(self.space), "trials": self.trials,
            "sampler": "TPESampler", "pruner": f"median, after {STARTUP} trials and {WARMUP} validation",
        }  # fmt: skip

    def state(self, lookup: Lookup) -> SearchState:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        # The same seed for every search: models with equal spaces start with equal candidates.
        sampler = optuna.samplers.TPESampler(seed=SEARCH_SEED)
        study = optuna.create_study(direction="maximize", sampler=sampler, pruner=optuna.pruners.NopPruner())
        distributions = optuna_distributions(self.space)
        cells: list[Cell] = []
        records: list[Record | None] = []
        complete: list[list[float]] = []
        for number in range(self.trials):
            trial = study.ask(distributions)
            changes = {name: rounded(value) for name, value in trial.params.items()}
            cells.append(make_trial(self.base, changes, pruning_thresholds(complete)))
            records.append(lookup(cells[-1].id))
            if records[-1] is None:
                return SearchState(cells, records, self.trials - number - 1, number + 1)
            _report(study, trial, records[-1])
            if status(records[-1]) == OK:
                complete.append(validations(records[-1]))
        return SearchState(cells, records)


def pruning_thresholds(curves: Sequence[Sequence[float]]) -> tuple[float | None, ...]:
    """The score that a trial must reach at each validation to continue; None: it continues with any score.

    This is the median rule (Golovin et al. 2017, section 3.2.1) of Optuna's `MedianPruner`, which a test compares it
    with. The pruner says whether a trial should end now. A worker, which may run anywhere and more than once, needs to
    know the thresholds beforehand.

    Args:
        curves: the validations (0-100) of each trial that ran to its end.
    """
    if len(curves) < STARTUP:
        return ()
    thresholds: list[float | None] = []
    for number, scores in enumerate(zip_longest(*curves, fillvalue=math.nan)):
        known = [score for score in scores if not math.isnan(score)]
        thresholds.append(median(known) if known and number >= WARMUP else None)
    return tuple(thresholds)


def _report(study: Any, trial: Any, record: Record) -> None:
    """Report the result of a trial to Optuna."""
    from optuna.trial import TrialState

    end = status(record)
    if end == FAILED:
        study.tell(trial, state=TrialState.FAIL)
        return
    for number, score in enumerate(validations(record)):
        trial.report(score, number)
    if end == OK:
        study.tell(trial, best_validation(record))
    else:
        study.tell(trial, state=TrialState.PRUNED)


def require_optuna() -> None:
    """Raise `BenchError` unless Optuna is installed."""
    try:
        import optuna  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise BenchError(
            '--search optuna:N: optuna is not installed; run: pip install "bench-harness[search]"'
        ) from None
