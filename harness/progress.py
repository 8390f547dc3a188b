"""What a run prints while its cells run: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.cell import Cell, Trial, is_trial
from harness.engines.base import Slot
from harness.engines.grid import Observer
from harness.estimate.time_left import TimeLeft
from harness.recipe import SHORT_NAME_OF
from harness.safe_text import plain
from harness.store import Record
from harness.trouble import summary, trouble

ALWAYS_FITTED = 2  # recipe fields that every training reports: learning rate and precision
LISTED = 2  # how many warnings of a task, or signs of trouble, a line lists


class PlainProgress(Observer):
    """Prints a line when a cell starts and when it ends, for logs and pipes.

    Args:
        cells: the cells that will run.
        references: task's title → what `bench task check` calls it.
        warned: what was printed once already, in other rounds of the same run; it is updated.
        expected: cell's id → seconds; None if unknown.
    """

    def __init__(
        self, console: Console, cells: Sequence[Cell], references: Mapping[str, str], warned: set[str] | None = None,
        expected: Mapping[str, float | None] | None = None,
    ):  # fmt: skip
        self.console, self.total = console, len(cells)
        self.time = TimeLeft(cells, expected or {})
        self.references = references
        self.warned: set[str] = set() if warned is None else warned
        self.ended = self.failed = 0
        self.begun = time.monotonic()
        self.starts: dict[str, float] = {}

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def started(self, cell: Cell, slot: Slot) -> None:
        self._start_clock(cell)
        self.print(f"start  {title(cell)} on {slot.device}")

    def event(self, cell: Cell, event: dict[str, Any]) -> None:
        name = event["event"]
        if name == "warnings":
            self._print_warnings(cell, event["warnings"])
        elif name == "recipe":
            if len(event["recipe"]) > ALWAYS_FITTED:
                self._print_once(cell, "", f"recipe {title(cell, seed=False)}: {recipe_line(event['recipe'])}")
        elif name == "notes":
            if event["notes"]:
                self._print_once(cell, "notes ", f"model  {title(cell, seed=False)}: {'; '.join(event['notes'])}")
        elif name == "step":
            self.time.step(cell.id, event["step"], event["steps"])
        elif name == "evaluate" and event["split"] == "test":
            self.time.tested(cell.id, event["done"], event["total"])
        elif name == "resumed":
            self.time.resumed(cell.id)
            self.print(f"goes on {title(cell)} from step {event['step']}")
        elif name == "unsaved":
            self.print(f"no checkpoint of {title(cell)}: {event['reason']}; it goes on without")
        elif name == "unsent":
            self.print(f"not sent {title(cell)}: {event['reason']}; its files are kept, and sent later")

    def finished(self, cell: Cell, record: Record) -> None:
        self.ended += 1
        self.failed += record["status"] == "failed"
        seconds = time.monotonic() - self.starts[cell.id]
        self.time.finished(cell.id, record["status"] == "ok")
        self.print(f"{outcome(record)}  {title(cell)} in {format_seconds(seconds)}  [{self.ended}/{self.total}{self.left()}]")
        if line := summary(trouble(record), LISTED):
            self.print(f"     ! {line}")

    def requeued(self, cell: Cell, reason: str) -> None:
        self.time.requeued(cell.id)
        if reason:
            self.print(f"waits  {title(cell)}: {reason}")

    def stopping(self) -> None:
        self.print("saving the cells that run (Ctrl-C again ends them at once)")

    def print(self, line: str) -> None:
        """Print a line without markup."""
        self.console.print(plain(line), markup=False, highlight=False, soft_wrap=not self.console.is_terminal)

    def left(self) -> str:
        """Return how long the remaining cells will take; empty if that is unknown."""
        seconds = self.time.seconds() if self.ended < self.total else None
        return "" if seconds is None else f", about {format_seconds(max(1, seconds))} left"

    def _start_clock(self, cell: Cell) -> None:
        self.starts[cell.id] = time.monotonic()
        self.time.started(cell.id)

    def _print_once(self, cell: Cell, kind: str, line: str) -> None:
        """Print one line of a kind for each task, model and method; none for the trials of a search."""
        key = f"{kind}{cell.title} · {cell.model.name} ({cell.method})"
        if key not in self.warned and not cell.is_trial:
            self.warned.add(key)
            self.print(line)

    def _print_warnings(self, cell: Cell, warnings: Sequence[str]) -> None:
        """Print one line for each task whose data look wrong, when the first of its cells has read them."""
        task = cell.task.title
        if warnings and cell.title not in self.warned:
            self.warned.add(cell.title)
            more = f"; and {len(warnings) - LISTED} more" if len(warnings) > LISTED else ""
            command = f"bench task check {self.references.get(task, task)}"
            self.print(f"data   {cell.title}: {'; '.join(warnings[:LISTED])}{more} (all of it: {command})")


class LiveProgress(PlainProgress):
    """Shows the running cells with phase, steps and loss below the lines of the cells that have ended."""

    def __init__(self, console: Console, *more: Any):
        super().__init__(console, *more)
        self.running: dict[str, dict[str, Any]] = {}
        self.live = Live(console=console, refresh_per_second=5, transient=True, get_renderable=self.renderable)

    def __enter__(self) -> LiveProgress:
        self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.live.stop()

    def started(self, cell: Cell, slot: Slot) -> None:
        self._start_clock(cell)
        self.running[cell.id] = {"title": title(cell), "phase": "start", "done": 0, "total": 0, "loss": "", "score": ""}

    def event(self, cell: Cell, event: dict[str, Any]) -> None:
        super().event(cell, event)
        state = self.running[cell.id]
        if event["event"] == "phase":
            state.update(phase=event["phase"])
        elif event["event"] == "step":
            state.update(done=event["step"], total=event["steps"], loss=f"loss {event['loss']:.3f}")
        elif event["event"] == "resumed":
            state.update(done=event["step"])
        elif event["event"] == "validation":
            state.update(score=f"valid {event['score']:.1f}")

    def requeued(self, cell: Cell, reason: str) -> None:
        self.running.pop(cell.id)
        super().requeued(cell, reason)

    def finished(self, cell: Cell, record: Record) -> None:
        self.running.pop(cell.id)
        super().finished(cell, record)

    def renderable(self) -> RenderableType:
        """Return the lower part of the screen: a line for each running cell, and one for the whole grid."""
        wide = self.console.width >= 110
        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True, overflow="ellipsis")
        for _ in range(5 if wide else 4):
            table.add_column(no_wrap=True)
        for state in list(self.running.values()):  # a copy: another thread changes it
            steps = f"{state['done']}/{state['total']}" if state["total"] else ""
            bar = [ProgressBar(total=state["total"] or 1, completed=state["done"], width=24)] if wide else []
            table.add_row(state["title"], state["phase"], *bar, steps, state["loss"], state["score"])
        elapsed = format_seconds(time.monotonic() - self.begun)
        if not self.running and self.ended < self.total:
            return Text(f"starting the workers, {elapsed}", style="dim")
        failed = f", {self.failed} failed" if self.failed else ""
        status = f"{self.ended} of {self.total} cells{failed}, {elapsed} so far{self.left()}"
        return Group(table, Text(status, style="dim"))


def make_progress(console: Console, *more: Any) -> PlainProgress:
    """Return a live display on a terminal, plain lines elsewhere; the arguments are those of `PlainProgress`."""
    return (LiveProgress if console.is_terminal else PlainProgress)(console, *more)


def recipe_line(fitted: Mapping[str, Any]) -> str:
    """Return the recipe fields that were chosen for a model and its data, and why, on one line."""
    value = {name: choice["value"] for name, choice in fitted.items()}
    rate = f"learning rate {value['learning_rate']:g}"
    parts = [f"{rate} ({fitted['learning_rate']['why']})" if fitted["learning_rate"]["why"] else rate]
    if "epochs" in value:
        batch = f" of batches of {value['batch_size']}" if "batch_size" in value else ""
        parts.append(f"up to {value['epochs']} epochs{batch} ({fitted['epochs']['why']})")
    if "max_length" in value:
        parts.append(f"{value['max_length']} tokens ({fitted['max_length']['why']})")
    return "; ".join([*parts, value["precision"]])


def title(cell: Cell, seed: bool = True) -> str:
    """Return a short title of a cell: task, model, method, and seed or trial."""
    method = "" if cell.method == "full" else f" ({cell.method})"
    if isinstance(cell.search, Trial):
        changes = ", ".join(f"{SHORT_NAME_OF.get(name, name)} {value}" for name, value in cell.search.changes.items())
        share = f", {cell.budget:.0%} of the steps" if cell.budget < 1 else ""
        return f"{cell.title} · {cell.model.name}{method} · trial {changes}{share}"
    return f"{cell.title} · {cell.model.name}{method}" + (f" · seed {cell.seed}" if seed else "")


def outcome(record: Record) -> str:
    """Return the score, `FAILED`, or the best validation of a trial."""
    if record["status"] == "ok" and is_trial(record):
        return f"{'pruned' if record['trial']['pruned'] else 'valid'} {record['trial']['value']:6.2f}"
    return "FAILED" if record["status"] == "failed" else f"{record['score']:6.2f}"


def format_seconds(seconds: float) -> str:
    """Format a duration as `48s`, `3m20s` or `2h05m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"
