"""One cell from data to record, in a process of its own."""

from __future__ import annotations

from harness import registry
from harness.cell import Cell
from harness.predictions import is_constant, prediction_lines
from harness.quantities import NEVER, SaveInterval
from harness.store import Record, Store
from harness.training.attempt import Attempt
from harness.training.cell_run import CellContext, CellRun
from harness.training.device import precisions
from harness.training.keeper import Interruption
from harness.training.loop import Emit
from harness.training.outcome import Outcome, make_record, trial_record


def run_cell(
    cell: Cell,
    device: str,
    store: Store,
    emit: Emit,
    every: SaveInterval = NEVER,
    interruption: Interruption | None = None,
) -> Record:
    """Train and evaluate a cell, write its predictions and record, and return the record.

    A trial of a search ends after its training, and never predicts or scores a row of the test split.
    A training that was interrupted goes on from its last checkpoint. Where half precision gives a loss that is no number, or
    one and the same prediction for every row that is not the model's own doing, the cell is run once more in fp32.

    Args:
        cell: what to do.
        device: `cpu`, `cuda:N` or `mps`.
        store: the results folder; the caller has the cell's claim.
        emit: is told of phases, steps and validations.
        every: how often the state of the training is saved.
        interruption: asks the cell to end early.

    Raises:
        Interrupted: it was asked to; its state is saved.
        Exception: whatever else went wrong; no record is written then.
    """
    under = CellRun(cell, CellContext(device, store, emit, every, interruption or Interruption()))
    tries = precisions(device, cell.recipe.precision, cell.model.avoid)
    if under.before.get("precision") in tries:
        tries = tries[tries.index(under.before["precision"]) :]
    for precision in tries:
        attempt = Attempt(under, precision)
        try:
            outcome = attempt.run()
        except FloatingPointError as error:
            under.forget()
            if precision == tries[-1]:
                raise
            under.retried = f"{error} in {precision}"
            continue
        if precision == tries[-1] or not is_constant(outcome.predictions) or attempt.is_faithful():
            break
        under.forget()
        under.retried = f"one and the same prediction for every row in {precision}"
    return _finish(under, outcome)


def _finish(under: CellRun, outcome: Outcome) -> Record:
    """Write predictions and record, and remove what was kept to go on from."""
    cell, family = under.cell, registry.family(under.cell.task.family)
    make = trial_record if cell.is_trial else make_record
    record = make(cell, family, outcome)
    if outcome.accelerator.is_main_process:
        told = () if cell.is_trial else prediction_lines(cell, family, outcome.data.splits["test"], outcome.predictions)
        under.place.store.write(record, told)
        under.forget()
    return record
