"""What a person sees while a grid runs: a live picture on a terminal, plain lines elsewhere."""

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

FIXED = 2  # fields that are told of every training: learning rate and precision
TOLD = 2  # warnings of a task, or signs of trouble, that a line names


class PlainProgress(Observer):
    """A line when a cell starts and one when it ends: for logs and pipes."""

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
        self.begin(cell)
        self.say(f"start  {title(cell)} on {slot.device}")

    def begin(self, cell: Cell) -> None:
        """A cell runs from now on."""
        self.starts[cell.id] = time.monotonic()
        self.time.started(cell.id)

    def event(self, cell: Cell, event: dict[str, Any]) -> None:
        if event["event"] == "warnings":
            self.warn(cell, event["warnings"])
        elif event["event"] == "recipe":
            self.tell_recipe(cell, event["recipe"])
        elif event["event"] == "notes":
            self.tell_notes(cell, event["notes"])
        elif event["event"] == "step":
            self.time.step(cell.id, event["step"], event["steps"])
        elif event["event"] == "evaluate" and event["split"] == "test":
            self.time.tested(cell.id, event["done"], event["total"])
        elif event["event"] == "resumed":
            self.time.resumed(cell.id)
            self.say(f"goes on {title(cell)} from step {event['step']}")
        elif event["event"] == "unsaved":
            self.say(f"no checkpoint of {title(cell)}: {event['reason']}; it goes on without")
        elif event["event"] == "unsent":
            self.say(f"not sent {title(cell)}: {event['reason']}; its files are kept, and sent later")

    def tell_recipe(self, cell: Cell, fitted: Mapping[str, Any]) -> None:
        """One line for each task, model and method whose recipe follows from the model and the data."""
        key = f"{cell.title} · {cell.model.name} ({cell.method})"
        if len(fitted) > FIXED and key not in self.warned and not cell.is_trial:
            self.warned.add(key)
            self.say(f"recipe {title(cell, seed=False)}: {recipe_line(fitted)}")

    def tell_notes(self, cell: Cell, notes: Sequence[str]) -> None:
        """One line for each task, model and method of which something unusual has to be known."""
        key = f"notes {cell.title} · {cell.model.name} ({cell.method})"
        if notes and key not in self.warned and not cell.is_trial:
            self.warned.add(key)
            self.say(f"model  {title(cell, seed=False)}: {'; '.join(notes)}")

    def warn(self, cell: Cell, warnings: Sequence[str]) -> None:
        """One line for each task whose data are in doubt, when the first of its cells has read them."""
        task = cell.task.title
        if warnings and cell.title not in self.warned:
            self.warned.add(cell.title)
            more = f"; and {len(warnings) - TOLD} more" if len(warnings) > TOLD else ""
            command = f"bench task check {self.references.get(task, task)}"
            self.say(f"data   {cell.title}: {'; '.join(warnings[:TOLD])}{more} (all of it: {command})")

    def finished(self, cell: Cell, record: Record) -> None:
        self.ended += 1
        self.failed += record["status"] == "failed"
        seconds = time.monotonic() - self.starts[cell.id]
        self.time.finished(cell.id, record["status"] == "ok")
        self.say(f"{verdict(record)}  {title(cell)} in {duration(seconds)}  [{self.ended}/{self.total}{self.left()}]")
        if line := summary(trouble(record), TOLD):
            self.say(f"     ! {line}")

    def requeued(self, cell: Cell, reason: str) -> None:
        self.time.requeued(cell.id)
        if reason:
            self.say(f"waits  {title(cell)}: {reason}")

    def stopping(self) -> None:
        self.say("saving the cells that run (Ctrl-C again ends them at once)")

    def say(self, line: str) -> None:
        """Print a line as it is."""
        self.console.print(plain(line), markup=False, highlight=False, soft_wrap=not self.console.is_terminal)

    def left(self) -> str:
        """The time that the rest will take: as it was expected, set right by what has run."""
        seconds = self.time.seconds() if self.ended < self.total else None
        return "" if seconds is None else f", about {duration(max(1, seconds))} left"


class LiveProgress(PlainProgress):
    """The running cells with phase, steps and loss under the lines of those that have ended."""

    def __init__(self, console: Console, *more: Any):
        super().__init__(console, *more)
        self.running: dict[str, dict[str, Any]] = {}
        self.live = Live(console=console, refresh_per_second=5, transient=True, get_renderable=self.picture)

    def __enter__(self) -> LiveProgress:
        self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.live.stop()

    def started(self, cell: Cell, slot: Slot) -> None:
        self.begin(cell)
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

    def picture(self) -> RenderableType:
        """The lower part of the screen: a line a running cell, and one for the whole grid."""
        wide = self.console.width >= 110
        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True, overflow="ellipsis")
        for _ in range(5 if wide else 4):
            table.add_column(no_wrap=True)
        for state in list(self.running.values()):  # drawn by another thread than the one that changes it
            steps = f"{state['done']}/{state['total']}" if state["total"] else ""
            bar = [ProgressBar(total=state["total"] or 1, completed=state["done"], width=24)] if wide else []
            table.add_row(state["title"], state["phase"], *bar, steps, state["loss"], state["score"])
        elapsed = duration(time.monotonic() - self.begun)
        if not self.running and self.ended < self.total:
            return Text(f"starting the workers, {elapsed}", style="dim")
        failed = f", {self.failed} failed" if self.failed else ""
        foot = f"{self.ended} of {self.total} cells{failed}, {elapsed} so far{self.left()}"
        return Group(table, Text(foot, style="dim"))


def make_progress(
    console: Console, cells: Sequence[Cell], references: Mapping[str, str], warned: set[str] | None = None,
    expected: Mapping[str, float | None] | None = None,
) -> PlainProgress:  # fmt: skip
    """The live picture where someone looks on, plain lines where a file does.

    Args:
        console: where to.
        cells: those that will run.
        references: task's title → what `bench task check` calls it.
        warned: the tasks whose data were doubted before, in other rounds of the same run; is added to.
        expected: cell's id → seconds, None where nothing is known.
    """
    kind = LiveProgress if console.is_terminal else PlainProgress
    return kind(console, cells, references, warned, expected)


def recipe_line(fitted: Mapping[str, Any]) -> str:
    """What was chosen for a model and its data, and why, in a line."""
    value = {name: one["value"] for name, one in fitted.items()}
    rate = f"learning rate {value['learning_rate']:g}"
    parts = [f"{rate} ({fitted['learning_rate']['why']})" if fitted["learning_rate"]["why"] else rate]
    if "epochs" in value:
        batch = f" of batches of {value['batch_size']}" if "batch_size" in value else ""
        parts.append(f"up to {value['epochs']} epochs{batch} ({fitted['epochs']['why']})")
    if "max_length" in value:
        parts.append(f"{value['max_length']} tokens ({fitted['max_length']['why']})")
    return "; ".join([*parts, value["precision"]])


def title(cell: Cell, seed: bool = True) -> str:
    """A cell in a few words."""
    method = "" if cell.method == "full" else f" ({cell.method})"
    if isinstance(cell.search, Trial):
        tried = ", ".join(f"{SHORT_NAME_OF.get(name, name)} {value}" for name, value in cell.search.changes.items())
        share = f", {cell.budget:.0%} of the steps" if cell.budget < 1 else ""
        return f"{cell.title} · {cell.model.name}{method} · trial {tried}{share}"
    return f"{cell.title} · {cell.model.name}{method}" + (f" · seed {cell.seed}" if seed else "")


def verdict(record: Record) -> str:
    """The score, or that there is none; of a trial its best validation."""
    if record["status"] == "ok" and is_trial(record):
        return f"{'pruned' if record['trial']['pruned'] else 'valid'} {record['trial']['value']:6.2f}"
    return "FAILED" if record["status"] == "failed" else f"{record['score']:6.2f}"


def duration(seconds: float) -> str:
    """`48s`, `3m20s`, `2h05m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"
