"""Optuna: each trial's recipe depends on how those before it ended (TPE, Bergstra et al. 2011), and hopeless ones are ended."""

from __future__ import annotations

from typing import Any

from harness.cell import SEARCH_SEED, Cell
from harness.errors import BenchError
from harness.search.halving import STARTUP, WARMUP, thresholds
from harness.search.rules import Space, distributions, plain, rounded
from harness.search.trials import FAILED, OK, Lookup, Tried, scores, state, trial, value
from harness.store import Record


class Tpe:
    """Optuna's sampler for one model, task and method.

    Its study is made anew from the records whenever it is asked: with equal records it asks for equal trials, so nothing but
    the records is kept, and a search that was killed goes on.

    Args:
        base: gives all that is not searched.
        space: field → what it is drawn from.
        trials: how many.
    """

    def __init__(self, base: Cell, space: Space, trials: int):
        self.base, self.space, self.trials = base, space, trials

    note = ""

    @property
    def rounds(self) -> int:
        """How often trials have to be waited for before the next are known."""
        return self.trials

    @property
    def specification(self) -> dict[str, Any]:
        """What is searched and how, as plain values."""
        return {
            "kind": "optuna", "fields": plain(self.space), "trials": self.trials,
            "sampler": "TPESampler", "pruner": f"median, after {STARTUP} trials and {WARMUP} validation",
        }  # fmt: skip

    def tried(self, lookup: Lookup) -> Tried:
        """How far it has come, by the records that there are."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        # One sampler a search, all of one seed: models with equal spaces begin with equal candidates.
        sampler = optuna.samplers.TPESampler(seed=SEARCH_SEED)
        study = optuna.create_study(direction="maximize", sampler=sampler, pruner=optuna.pruners.NopPruner())
        drawn_from = distributions(self.space)
        cells: list[Cell] = []
        records: list[Record | None] = []
        whole: list[list[float]] = []
        for number in range(self.trials):
            asked = study.ask(drawn_from)
            changes = {name: rounded(drawn) for name, drawn in asked.params.items()}
            cells.append(trial(self.base, changes, thresholds(whole)))
            records.append(lookup(cells[-1].id))
            if records[-1] is None:
                return Tried(cells, records, self.trials - number - 1, number + 1)
            _tell(study, asked, records[-1])
            if state(records[-1]) == OK:
                whole.append(scores(records[-1]))
        return Tried(cells, records)


def _tell(study: Any, asked: Any, record: Record) -> None:
    """How a trial ended, in Optuna's words."""
    from optuna.trial import TrialState

    ended = state(record)
    if ended == FAILED:
        study.tell(asked, state=TrialState.FAIL)
        return
    for number, score in enumerate(scores(record)):
        asked.report(score, number)
    study.tell(asked, value(record)) if ended == OK else study.tell(asked, state=TrialState.PRUNED)


def require() -> None:
    """Raises:
    BenchError: Optuna is not installed.
    """
    try:
        import optuna  # noqa: F401 - whether it can be had
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise BenchError(
            '--search optuna:N: optuna is not installed; run: pip install "bench-harness[search]"'
        ) from None
