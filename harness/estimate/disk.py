"""What the results folder's disk must hold while cells run."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from harness import registry
from harness.cell import Cell
from harness.errors import BenchError
from harness.model import Checkpoint
from harness.models.shape import shape_of
from harness.quantities import NEVER, SaveInterval

LEAST = 64 * 2**20  # bytes for records, predictions and logs, below which nothing is begun
# A checkpoint holds weights, two moments of the optimiser and the best weights, in fp32; the old one lies beside it until it is whole.
BYTES_A_PARAMETER = 2 * 4 * 4


def check_disk(results: Path, cells: Iterable[Cell], at_once: int, every: SaveInterval) -> str:
    """A line of warning where the disk may be too small for checkpoints, else nothing.

    Args:
        results: the folder; it need not exist.
        cells: that will run.
        at_once: cells that run together.
        every: how often checkpoints are made.

    Raises:
        BenchError: it is too full for records.
    """
    place = results.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < LEAST:
        raise BenchError(
            f"--results {results}: its disk has {_size(free)} free, and {_size(LEAST)} is the least for records and"
            " predictions; free some, or name a folder elsewhere"
        )
    if every == NEVER:
        return ""
    models = {cell.model.digest: cell.model for cell in cells if not cell.is_baseline}  # these are not saved
    largest = sorted((_parameters(model) for model in models.values()), reverse=True)
    need = at_once * BYTES_A_PARAMETER * (largest[0] if largest else 0)
    if free >= need:
        return ""
    return (
        f"{results}: its disk has {_size(free)} free; checkpoints of {at_once} cells at once may need {_size(need)}."
        " A training that finds no room goes on without"
    )


def _parameters(model: Checkpoint) -> int:
    entry = registry.models().get(model.name)
    try:
        shape = shape_of(model, entry.parameters if entry else None)
    except (OSError, ValueError, KeyError):
        return 0  # files that are not what they should be: the worker will say it
    return shape.parameters if shape else 0


def _size(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
