"""Downloads what the cells of a plan need from the Hub, each repository once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.cell import Cell
from harness.data.source import HubSource
from harness.errors import BenchError
from harness.grouping.costs import count
from harness.model import Checkpoint
from harness.models.hub_checkpoints import fetch_checkpoint
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.run_output import print_line, print_plan
from harness.safe_text import redact

if TYPE_CHECKING:
    from rich.console import Console


def fetch_request(request: Request, console: Console) -> dict[str, Any]:
    """Download what the cells of a request need; what is in the cache already is only counted.

    Returns:
        `fetched` (a dictionary for each model and data set), `failed` (why others are unavailable), `files`, `bytes`.

    Raises:
        BenchError: the request is wrong.
    """
    plan = make_plan(request)
    print_plan(plan, console)
    fetched, failed = [], [str(error) for _, error in plan.lost]
    for kind, name, revision, fetch in _repositories(plan.cells):
        try:
            files, size = fetch()
        except BenchError as error:
            failed.append(str(error))
            print_line(console, f"failed: {error}", "red")
            continue
        fetched.append({"kind": kind, "name": name, "revision": revision, "files": files, "bytes": size})
        print_line(console, f"{kind:5}  {name}: {_files(files)}, {count(size)}B")
    files, size = (sum(repository[key] for repository in fetched) for key in ("files", "bytes"))
    print_line(console, f"in the cache: {len(fetched)} repositories, {_files(files)}, {count(size)}B")
    failed = [redact(line) for line in dict.fromkeys(failed)]
    return {"fetched": fetched, "failed": failed, "files": files, "bytes": size}


def _repositories(cells: Sequence[Cell]) -> Iterator[tuple[str, str, str | None, Callable[[], tuple[int, int]]]]:
    """Yield (`model` or `data`, name, revision, download) for each repository; a download returns (files, bytes)."""
    for checkpoint in {cell.model.digest: cell.model for cell in cells if cell.model.revision}.values():
        yield "model", checkpoint.source.partition("@")[0], checkpoint.revision, partial(_fetch_model, checkpoint)
    sources = {cell.fingerprint: cell.task.source for cell in cells if isinstance(cell.task.source, HubSource)}
    for source in sources.values():
        name = source.repo + (f" ({source.config})" if source.config else "")
        yield "data", name, source.revision, source.fetch


def _fetch_model(checkpoint: Checkpoint) -> tuple[int, int]:
    sizes = [path.stat().st_size for path in fetch_checkpoint(checkpoint).iterdir() if path.is_file()]
    return len(sizes), sum(sizes)


def _files(count: int) -> str:
    return f"{count} file{'s' if count != 1 else ''}"
