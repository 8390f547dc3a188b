"""What the cells of a plan need from the Hub, fetched once each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.cell import Cell
from harness.data.source import HubSource
from harness.errors import BenchError
from harness.grouping.costs import count
from harness.model import Checkpoint
from harness.models.hub_checkpoints import fetch_checkpoint
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.running import announce, say
from harness.safe_text import redact

if TYPE_CHECKING:
    from rich.console import Console


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


def fetch_request(request: Request, console: Console) -> dict[str, Any]:
    """Fetch what the cells of a request need: `fetched`, `failed` (why), `files`, `bytes`.

    Raises:
        BenchError: the request is wrong.
    """
    made = make_plan(request)
    announce(made, console)
    got, failed = [], [str(error) for _, error in made.lost]
    for item in fetch_all(made.cells):
        if item.error is not None:
            failed.append(str(item.error))
            say(console, f"failed: {item.error}", "red")
            continue
        got.append(item)
        say(console, f"{item.kind:5}  {item.name}: {_amount(item.files)}, {count(item.bytes)}B")
    files, size = sum(item.files for item in got), sum(item.bytes for item in got)
    say(console, f"in the cache: {len(got)} repositories, {_amount(files)}, {count(size)}B")
    fetched = [{"kind": i.kind, "name": i.name, "revision": i.revision, "files": i.files, "bytes": i.bytes} for i in got]
    return {"fetched": fetched, "failed": [redact(line) for line in dict.fromkeys(failed)], "files": files, "bytes": size}


def _amount(files: int) -> str:
    return f"{files} file{'s' if files != 1 else ''}"
