"""What the cells of a plan need from the Hub, fetched once each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.cell import Cell
from harness.data.source import HubSource
from harness.errors import BenchError
from harness.model import Checkpoint
from harness.models.hub import fetch_checkpoint


@dataclass(frozen=True)
class Fetched:
    """One model or data set.

    Attributes:
        kind: `model` or `data`.
        name: where it comes from.
        revision: its commit.
        files, bytes: what it takes in the cache.
        error: why it could not be had; None where it was.
    """

    kind: str
    name: str
    revision: str | None
    files: int = 0
    bytes: int = 0
    error: BenchError | None = None


def fetch_all(cells: Iterable[Cell]) -> Iterator[Fetched]:
    """Fetch what the cells need, one after the other; what is in the cache already is only counted."""
    cells = list(cells)
    for checkpoint in {cell.model.digest: cell.model for cell in cells if cell.model.revision}.values():
        yield _model(checkpoint)
    sources = {cell.fingerprint: cell.task.source for cell in cells if isinstance(cell.task.source, HubSource)}
    for source in sources.values():
        yield _data(source)


def _model(checkpoint: Checkpoint) -> Fetched:
    name = checkpoint.source.partition("@")[0]
    try:
        folder = fetch_checkpoint(checkpoint)
    except BenchError as error:
        return Fetched("model", name, checkpoint.revision, error=error)
    sizes = [path.stat().st_size for path in folder.iterdir() if path.is_file()]
    return Fetched("model", name, checkpoint.revision, len(sizes), sum(sizes))


def _data(source: HubSource) -> Fetched:
    name = source.repo + (f" ({source.config})" if source.config else "")
    try:
        files, size = source.fetch()
    except BenchError as error:
        return Fetched("data", name, source.revision, error=error)
    return Fetched("data", name, source.revision, files, size)
