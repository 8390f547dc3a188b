"""Results in Python: a results folder as data frames, boards, comparisons and recommendations.

What prints as text in a terminal shows as a table in a notebook; `frame()` gives the same as pandas.
"""

from __future__ import annotations

import html
import io
import shutil
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from numbers import Real
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.amount import amount
from harness.errors import BenchError, unknown
from harness.files import write_text
from harness.model import Model
from harness.planning.arguments import need, path_of
from harness.remote.mirror import read_store
from harness.searched import is_trial
from harness.shown import short
from harness.store import Record, Store
from harness.task import Task

if TYPE_CHECKING:
    import pandas
    from rich.console import RenderableType

    from harness.report.board import Board
    from harness.report.model_choice import ModelChoice
    from harness.stats.row_comparison import TaskComparison

NARROW, WIDE = 80, 200  # columns that text is made for, at least and at most


class Displayed(ABC):
    """Something with a text for terminals and HTML for notebooks."""

    @abstractmethod
    def frame(self) -> pandas.DataFrame:
        """The same as a pandas data frame."""

    @abstractmethod
    def picture(self, width: int) -> RenderableType:
        """What a terminal of that many columns shows."""

    def _sentences(self) -> list[str]:
        """What stands above the table in a notebook."""
        return []

    def __str__(self) -> str:
        from harness.shown import console

        width = min(max(shutil.get_terminal_size().columns, NARROW), WIDE)
        screen = console(file=io.StringIO(), width=width, highlight=False, color_system=None, force_jupyter=False)
        screen.print(self.picture(width))
        lines = (line.rstrip() for line in screen.file.getvalue().splitlines())
        return "\n".join(lines).rstrip()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{html.escape(line)}</p>" for line in self._sentences())
        return said + self.frame().to_html(index=False, na_rep="", float_format=lambda value: f"{value:.4g}")


class Results:
    """The records of a results folder, or of some of its cells.

    Attributes:
        place: the folder or URL.
        store: reads it.

    Example:
        >>> import harness
        >>> results = harness.load_results("results")
        >>> results.frame().groupby("model")["score"].mean()  # doctest: +SKIP
    """

    def __init__(self, store: Store, cells: Collection[str] | None = None):
        """The records of a store; of `cells` alone, where these ids are given."""
        self.store, self.place = store, store.name
        self._cells = None if cells is None else list(dict.fromkeys(cells))

    def __repr__(self) -> str:
        records = self.records
        failed = sum(record["status"] != "ok" for record in records)
        return f"<Results in {self.place}: {len(records)} cells" + (f", {failed} failed>" if failed else ">")

    def _repr_html_(self) -> str:
        return self.leaderboard()._repr_html_() if self.records else html.escape(repr(self))

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    @property
    def records(self) -> list[Record]:
        """Each cell's record, a dictionary as in `record.json` (docs/architecture.md)."""
        if self._cells is None:
            return list(self.store.records())
        return [record for cell in self._cells if (record := self.store.record(cell)) is not None]

    def _some(self) -> list[Record]:
        """The records, of which there must be one.

        Raises:
            BenchError: there is none.
        """
        if found := self.records:
            return found
        if self.store.damaged:
            return []
        raise BenchError(f"no results of these cells in {self.place!r}; run them again: the same call goes on from where they are")

    @property
    def failed(self) -> dict[str, str]:
        """Id of each cell that failed → why."""
        return {one["id"]: f"{one['error']['type']}: {one['error']['message']}" for one in self.records if one["status"] == "failed"}

    def frame(self) -> pandas.DataFrame:
        """One row a cell: what was trained on what, its score (0-100) and metrics on the test split, and what it cost.

        Columns `metric.NAME` are in their libraries' own scale, `*_seconds` in seconds, `peak_memory_bytes` in bytes.
        """
        import pandas

        rows = [_row(record) for record in self.records if not is_trial(record)]
        return pandas.DataFrame(rows or None, columns=None if rows else list(_row({})))

    def predictions(self, cell: str) -> pandas.DataFrame:
        """One row for each test example of a cell: `id`, `prediction`, `reference`, and what slices it is of.

        Args:
            cell: its id, or a part of it that no other cell has.

        Raises:
            BenchError: no such cell, several, or one without predictions.
        """
        import pandas

        record = self.cell(cell)
        try:
            return pandas.DataFrame(self.store.predictions(record["id"]))
        except FileNotFoundError:
            error = record.get("error") or {}
            trial = "it is a trial of a search" if is_trial(record) else "their file is not there"
            why = f"it failed: {error.get('type')}: {short(str(error.get('message')), 200)}" if error else trial
            raise BenchError(f"{record['id']} has no predictions: {why}") from None

    def cell(self, name: str) -> Record:
        """The record of a cell.

        Args:
            name: its id, or a part of it that no other cell has.

        Raises:
            BenchError: no such cell, or several.
        """
        if not isinstance(name, str) or not name:
            raise BenchError(f"cell {name!r}: give an id, or a part of one; Results.frame()['cell'] has them")
        ids = [record["id"] for record in self._some()]
        matches = [one for one in ids if one == name] or [one for one in ids if name in one]
        if not matches:
            for damaged, why in self.store.damaged.items():
                if name in damaged:
                    raise BenchError(f"{damaged}: its record is damaged: {why}; run the cell again")
            raise unknown("cell", name, ids)
        if len(matches) > 1:
            raise BenchError(f"{name!r} stands for {len(matches)} cells; give more of one: {', '.join(matches[:5])}")
        return next(record for record in self.records if record["id"] == matches[0])

    def leaderboard(self) -> Leaderboard:
        """The verdict and the table of models × tasks."""
        from harness.grouping.board_records import BoardRecords
        from harness.report.board import Board
        from harness.stats.standings import standings

        needed = BoardRecords.of(self.records)
        return Leaderboard(Board.of(needed, standings=standings(self.store, needed)), self.store)

    def compare(self, ours: str, theirs: str, tasks: str | Sequence[str] = ()) -> Comparison:
        """Two models on the same test rows: differences with 95 % intervals, and whether they could be chance.

        Args:
            ours, theirs: rows of the board: `MODEL` or `MODEL:METHOD`.
            tasks: names; default: all that both have.

        Raises:
            BenchError: an unknown model or task, or nothing in common.
        """
        from harness.stats.row_comparison import compare

        ours, theirs = _row_name(ours), _row_name(theirs)
        notes: list[str] = []
        seen = self.store if self._cells is None else _Part(self.store, self._some())
        return Comparison(ours, theirs, compare(seen, ours, theirs, _names(tasks), notes.append), notes, self.store)

    def recommend(
        self,
        *,
        tasks: str | Sequence[str] = (),
        max_parameters: float | str | None = None,
        max_train_minutes: float | None = None,
        max_memory: float | str | None = None,
    ) -> Recommendation:
        """Which model to fine-tune under these limits, and on what evidence.

        Args:
            tasks: names; default: all.
            max_parameters: such as `100e6` or `"100M"`.
            max_train_minutes: of one training, and of the search for its recipe, if there was one.
            max_memory: bytes, or such as `"8GiB"`.

        Raises:
            BenchError: an unknown task, or nothing that fits.
        """
        from harness.report.model_choice import Limits, recommend

        self._some()

        def number(option: str, value: float | str | None, example: str) -> float | None:
            need(option, value, (str, Real, type(None)), f"a number, or text such as {example}")
            return amount(option, value, example) if isinstance(value, str) else value

        minutes = number("--max-train-minutes", max_train_minutes, "30")
        limits = Limits(
            number("--max-parameters", max_parameters, "100M or 1.5B"),
            None if minutes is None else minutes * 60,
            number("--max-memory", max_memory, "8GiB"),
        )
        return Recommendation(recommend(self.leaderboard().board, limits, _names(tasks)))


class _Part:
    """A store of which only some records are seen."""

    def __init__(self, store: Store, records: Sequence[Record]):
        self._store, self._records = store, records

    def records(self) -> Iterator[Record]:
        return iter(self._records)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@dataclass(frozen=True, repr=False)
class Leaderboard(Displayed):
    """Models × tasks, with the verdict above it.

    Attributes:
        board: the board as data (`harness.report.board`).
        store: the results.
    """

    board: Board
    store: Store

    @property
    def verdict(self) -> list[str]:
        """Which model to fine-tune: a sentence for each task, and one over all tasks."""
        from harness.report.verdict import verdict

        return verdict(self.board).lines()

    def frame(self) -> pandas.DataFrame:
        """One row for each model, method and task: mean score (0-100) over the seeds, its 95 % interval, and costs."""
        import pandas

        from harness.report.formats import FORMATS

        return pandas.read_csv(io.StringIO(FORMATS["csv"](self.board)))

    def to_text(self, form: str = "md") -> str:
        """The board as `md`, `json`, `csv`, `slices` (CSV), `latex` or `svg`; a page of HTML is a file (`save`).

        Raises:
            BenchError: another format.
        """
        from harness.report.board_files import HTML
        from harness.report.formats import FORMATS

        if form == HTML:
            raise BenchError('format html is a page that links to records; write it with save("page.html", "html")')
        if form not in FORMATS:
            raise unknown("format", form, [*FORMATS, HTML])
        return FORMATS[form](self.board)

    def save(self, path: str | PathLike[str], form: str = "md") -> Path:
        """Write the board to a file; `html` is a page with all that is known of the results folder's cells.

        Raises:
            BenchError: another format, or a file that cannot be written.
        """
        from harness.report.board_files import HTML, page

        file = Path(fspath(path))
        text = page(self.store, file, 500) if form == HTML else self.to_text(form)
        try:
            write_text(file, text)
        except OSError as error:
            raise BenchError(f"{file}: cannot be written: {error.strerror}; name a file in a folder that can be written") from None
        return file

    def picture(self, width: int) -> RenderableType:
        from harness.report.terminal import final_table

        return final_table(self.board)

    def _repr_html_(self) -> str:
        from harness.report.notebook import leaderboard

        return leaderboard(self.board)


@dataclass(frozen=True, repr=False)
class Comparison(Displayed):
    """Two rows of the board, task by task.

    Attributes:
        ours, theirs: the rows.
        tasks: what was found on each task (`harness.stats.row_comparison.TaskComparison`).
        notes: which tasks only one of the two has a score on.
        store: the results.
    """

    ours: str
    theirs: str
    tasks: list[TaskComparison]
    notes: list[str]
    store: Store

    def facts(self) -> list[dict[str, Any]]:
        """For JSON."""
        return [{**asdict(row), "verdict": row.verdict} for row in self.tasks]

    def frame(self) -> pandas.DataFrame:
        """One row a task: both means, their difference with its 95 % interval, p (Holm), and which is better, if any."""
        import pandas

        names = {1: self.ours, -1: self.theirs, 0: ""}
        return pandas.DataFrame(
            {
                "task": one.task, "metric": one.metric, self.ours: one.ours, self.theirs: one.theirs,
                "difference": one.difference.value, "low": one.difference.low, "high": one.difference.high,
                "p": one.p, "better": names[one.verdict],
            }
            for one in self.tasks
        )  # fmt: skip

    def _sentences(self) -> list[str]:
        from harness.report.comparison import summary

        return [*self.notes, *summary(self.ours, self.theirs, self.tasks)]

    def picture(self, width: int) -> RenderableType:
        from harness.report.comparison import picture

        return picture(self.ours, self.theirs, self.tasks, width)


@dataclass(frozen=True, repr=False)
class Recommendation(Displayed):
    """Which model to fine-tune under some limits, and on what evidence.

    Attributes:
        choice: all that was weighed (`harness.report.model_choice.ModelChoice`).
    """

    choice: ModelChoice

    @property
    def model(self) -> str | None:
        """The row to take; None where none can be recommended, or a baseline is the best."""
        return None if self.choice.best.row.is_baseline or not self.choice.decided else self.choice.best.row.title

    @property
    def advice(self) -> list[str]:
        """The same in sentences."""
        from harness.report.advice import advice

        return advice(self.choice)

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        from harness.report.advice import facts

        return facts(self.choice)

    def frame(self) -> pandas.DataFrame:
        """One row a model: average score (0-100), parameters, seconds of training, bytes, and why it is recommended or not."""
        import pandas

        from harness.report.advice import remark

        return pandas.DataFrame(
            {
                "model": one.row.title, "average": one.average, "parameters": one.parameters, "train_seconds": one.train_seconds,
                "peak_memory_bytes": one.memory, "remark": remark(self.choice, one),
            }
            for one in self.choice.candidates
        )  # fmt: skip

    def _sentences(self) -> list[str]:
        return self.advice

    def picture(self, width: int) -> RenderableType:
        from harness.report.advice import picture

        return picture(self.choice)


def load_results(place: str | PathLike[str] | Results = "bench-results") -> Results:
    """The results in a folder or below a URL.

    Args:
        place: as `bench run --results` has it; results that are loaded already stay as they are.

    Raises:
        BenchError: there are no results, or the URL cannot be read.

    Example:
        >>> results = load_results("results")
        >>> sorted(results.frame()["task"].unique())[:2]
        ['mini-ner', 'mini-qa']
    """
    if isinstance(place, Results):
        return place
    store = read_store(path_of("results", place))
    next(store.records(), None)  # an error where there is no such folder
    return Results(store)


def _names(given: str | Sequence[str]) -> list[str]:
    """Names of tasks as boards have them; a `Task` stands for its own."""
    parts = given.split(",") if isinstance(given, str) else given if isinstance(given, Iterable) else [given]
    names = [one.title if isinstance(one, Task) else one for one in parts]
    for name in names:
        need("tasks", name, str, "names of tasks")
    return [name.strip() for name in names if name.strip()]


def _row_name(given: str | Model) -> str:
    """The name of a row; a `Model` stands for its own."""
    if isinstance(given, Model):
        return given.name
    need("compare", given, str, "MODEL or MODEL:METHOD")
    return given


def _row(record: Record) -> dict[str, Any]:
    """A record as a row of `Results.frame`."""
    cost, model, task, training = (record.get(key) or {} for key in ("cost", "model", "task", "training"))
    test = (record.get("metrics") or {}).get("test") or {}
    error = record.get("error") or {}
    return {
        "cell": record.get("id"),
        "task": task.get("name"),
        "family": task.get("family"),
        "model": model.get("name"),
        "architecture": model.get("architecture"),
        "method": record.get("method"),
        "seed": record.get("seed"),
        "train_rows": task.get("train_rows") or (task.get("rows") or {}).get("train"),
        "status": record.get("status"),
        "score": record.get("score"),
        "primary_metric": record.get("primary_metric"),
        "trivial_score": record.get("trivial_score"),
        "parameters": model.get("parameters"),
        "train_seconds": cost.get("train_seconds"),
        "total_seconds": cost.get("total_seconds"),
        "peak_memory_bytes": cost.get("peak_memory_bytes"),
        "trouble": "; ".join(one.get("text", "") for one in training.get("trouble") or ()),
        "error": f"{error.get('type')}: {error.get('message')}" if error else "",
        **{f"metric.{name}": value for name, value in test.items() if isinstance(value, (int, float))},
    }
