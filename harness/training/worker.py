"""One cell from data to record, in a process of its own."""

from __future__ import annotations

from harness import registry
from harness.cell import Cell
from harness.predictions import is_constant, prediction_lines
from harness.quantities import NEVER, SaveInterval
from harness.store import Record, Store
from harness.training.attempt import Attempt
from harness.training.cell_run import CellContext, CellRun
from harness.training.checkpointer import Interruption
from harness.training.device import precisions
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
    """Train and evaluate a cell, write its predictions and its record, and return the record.

    A trial of a search ends after its training and never sees a row of the test split. An interrupted training resumes from its
    last checkpoint. The cell is run once more in fp32 if half precision gives a loss that is infinite or NaN, or the same
    prediction for every row where fp32 would compute something else.

    Args:
        cell: what to run.
        device: `cpu`, `cuda:N` or `mps`.
        store: the results folder; the caller holds the cell's claim.
        emit: receives phases, steps and validations.
        every: how often the state of the training is saved.
        interruption: asks the cell to stop early.

    Raises:
        Interrupted: the cell was asked to stop; its state is saved.
        Exception: anything else went wrong; no record is written then.
    """
    cell_run = CellRun(cell, CellContext(device, store, emit, every, interruption or Interruption()))
    candidates = precisions(device, cell.recipe.precision, cell.model.avoid)
    if cell_run.before.get("precision") in candidates:
        candidates = candidates[candidates.index(cell_run.before["precision"]) :]
    for precision in candidates:
        attempt = Attempt(cell_run, precision)
        try:
            outcome = attempt.run()
        except FloatingPointError as error:
            cell_run.start_over()
            if precision == candidates[-1]:
                raise
            cell_run.retried = f"{error} in {precision}"
            continue
        if precision == candidates[-1] or not is_constant(outcome.predictions) or attempt.agrees_with_fp32():
            break
        cell_run.start_over()
        cell_run.retried = f"one and the same prediction for every row in {precision}"
    return _finish(cell_run, outcome)


def _finish(cell_run: CellRun, outcome: Outcome) -> Record:
    """Write predictions and record, and delete the checkpoint."""
    cell, family = cell_run.cell, registry.family(cell_run.cell.task.family)
    make = trial_record if cell.is_trial else make_record
    record = make(cell, family, outcome)
    if outcome.accelerator.is_main_process:
        predictions = () if cell.is_trial else prediction_lines(cell, family, outcome.data.splits["test"], outcome.predictions)
        cell_run.context.store.write(record, predictions)
        cell_run.start_over()
    return record
