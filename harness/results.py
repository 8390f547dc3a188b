"""The results of a folder or URL in Python: records as a data frame, boards, comparisons and recommendations."""

from __future__ import annotations

import html
from collections.abc import Collection, Iterable, Iterator, Sequence
from numbers import Real
from os import PathLike
from typing import TYPE_CHECKING, Any

from harness.cell import is_trial
from harness.errors import BenchError, unknown
from harness.model import Model
from harness.planning.arguments import check_path, check_type
from harness.quantities import parse_amount
from harness.remote.mirror import read_store
from harness.result_views import Comparison, Leaderboard, Recommendation
from harness.safe_text import short
from harness.store import Record, Store
from harness.task import Task

if TYPE_CHECKING:
    import pandas

RESULTS = "bench-results"  # where results are kept by default


class Results:
    """The records of a results folder, or of some of its cells.

    Args:
        store: the results folder.
        cells: ids of the cells; None: all.

    Attributes:
        place: the folder or URL.
        store: reads the records.

    Example:
        >>> import harness
        >>> results = harness.load_results("results")
        >>> results.frame().groupby("model")["score"].mean()  # doctest: +SKIP
    """

    def __init__(self, store: Store, cells: Collection[str] | None = None):
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
        """The record of each cell, a dictionary as in `record.json` (docs/architecture.md)."""
        if self._cells is None:
            return list(self.store.records())
        return [record for cell in self._cells if (record := self.store.record(cell)) is not None]

    def _existing_records(self) -> list[Record]:
        """Return the records; raise a `BenchError` if there are none and none are damaged."""
        records = self.records
        if not records and not self.store.damaged:
            raise BenchError(
                f"no results of these cells in {self.place!r}; run them again: the same call goes on from where they are"
            )
        return records

    @property
    def failed(self) -> dict[str, str]:
        """Id of each failed cell → its error."""
        return {record["id"]: _error_text(record) for record in self.records if record["status"] == "failed"}

    def frame(self) -> pandas.DataFrame:
        """Return one row for each cell: what was trained, score (0-100) and metrics on the test split, and costs.

        Columns `metric.NAME` are in their libraries' own scale, `*_seconds` in seconds, `peak_memory_bytes` in bytes.
        """
        import pandas

        rows = [_row(record) for record in self.records if not is_trial(record)]
        return pandas.DataFrame(rows or None, columns=None if rows else list(_row({})))

    def predictions(self, cell: str) -> pandas.DataFrame:
        """Return one row for each test example of a cell: `id`, `prediction`, `reference`, and its slices.

        Args:
            cell: its id, or a part of it that no other cell has.

        Raises:
            BenchError: there is no such cell, several match, or the cell has no predictions.
        """
        import pandas

        record = self.cell(cell)
        try:
            return pandas.DataFrame(self.store.predictions(record["id"]))
        except FileNotFoundError:
            error = record.get("error")
            if error:
                reason = f"it failed: {error.get('type')}: {short(str(error.get('message')), 200)}"
            else:
                reason = "it is a trial of a search" if is_trial(record) else "their file is not there"
            raise BenchError(f"{record['id']} has no predictions: {reason}") from None

    def cell(self, name: str) -> Record:
        """Return the record of a cell.

        Args:
            name: its id, or a part of it that no other cell has.

        Raises:
            BenchError: there is no such cell, or several match.
        """
        if not isinstance(name, str) or not name:
            raise BenchError(f"cell {name!r}: give an id, or a part of one; Results.frame()['cell'] has them")
        records = {record["id"]: record for record in self._existing_records()}
        matches = [name] if name in records else [cell for cell in records if name in cell]
        if not matches:
            for damaged, reason in self.store.damaged.items():
                if name in damaged:
                    raise BenchError(f"{damaged}: its record is damaged: {reason}; run the cell again")
            raise unknown("cell", name, records)
        if len(matches) > 1:
            raise BenchError(f"{name!r} stands for {len(matches)} cells; give more of one: {', '.join(matches[:5])}")
        return records[matches[0]]

    def leaderboard(self) -> Leaderboard:
        """Return the leaderboard, models × tasks, with its verdict."""
        from harness.grouping.board_records import BoardRecords
        from harness.report.board import Board
        from harness.stats.standings import standings

        board_records = BoardRecords.of(self.records)
        return Leaderboard(Board.of(board_records, standings=standings(self.store, board_records)), self.store)

    def compare(self, ours: str, theirs: str, tasks: str | Sequence[str] = ()) -> Comparison:
        """Compare two models on the same test rows: differences with 95 % intervals, and whether they could be chance.

        Args:
            ours: a row of the board: `MODEL` or `MODEL:METHOD`.
            theirs: another row.
            tasks: names; default: all tasks that both have a score on.

        Raises:
            BenchError: a model or task is unknown, or the two have nothing in common.
        """
        from harness.stats.row_comparison import compare

        ours, theirs = _row_name(ours), _row_name(theirs)
        notes: list[str] = []
        store = self.store if self._cells is None else _PartialStore(self.store, self._existing_records())
        results = compare(store, ours, theirs, _task_names(tasks), notes.append)
        return Comparison(ours, theirs, results, notes, self.store)

    def recommend(
        self,
        *,
        tasks: str | Sequence[str] = (),
        max_parameters: float | str | None = None,
        max_train_minutes: float | None = None,
        max_memory: float | str | None = None,
    ) -> Recommendation:
        """Recommend a model to fine-tune under these limits, with the evidence.

        Args:
            tasks: names; default: all.
            max_parameters: such as `100e6` or `"100M"`.
            max_train_minutes: for one training, and the search for its recipe if there was one.
            max_memory: bytes, or such as `"8GiB"`.

        Raises:
            BenchError: a task is unknown, or no model fits.
        """
        from harness.report.model_choice import Limits, recommend

        self._existing_records()
        minutes = _read_limit("max_train_minutes", max_train_minutes, "30")
        limits = Limits(
            _read_limit("max_parameters", max_parameters, "100M or 1.5B"),
            None if minutes is None else minutes * 60,
            _read_limit("max_memory", max_memory, "8GiB"),
        )
        return Recommendation(recommend(self.leaderboard().board, limits, _task_names(tasks)))


class _PartialStore:
    """A store of which only some records are visible."""

    def __init__(self, store: Store, records: Sequence[Record]):
        self._store, self._records = store, records

    def records(self) -> Iterator[Record]:
        return iter(self._records)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def load_results(place: str | PathLike[str] | Results = RESULTS) -> Results:
    """Load the results in a folder or below a URL.

    Args:
        place: as for `bench run --results`; `Results` are returned as they are.

    Raises:
        BenchError: there are no results, or the URL cannot be read.

    Example:
        >>> results = load_results("results")
        >>> sorted(results.frame()["task"].unique())[:2]
        ['mini-ner', 'mini-qa']
    """
    if isinstance(place, Results):
        return place
    store = read_store(check_path("results", place))
    next(store.records(), None)  # raises if there is no such folder
    return Results(store)


def _task_names(tasks: str | Sequence[str]) -> list[str]:
    """Return names of tasks as boards have them; a `Task` stands for its title."""
    parts = tasks.split(",") if isinstance(tasks, str) else tasks if isinstance(tasks, Iterable) else [tasks]
    names = [task.title if isinstance(task, Task) else task for task in parts]
    for name in names:
        check_type("tasks", name, str, "names of tasks")
    return [name.strip() for name in names if name.strip()]


def _row_name(model: str | Model) -> str:
    """Return the name of a row; a `Model` stands for its name."""
    if isinstance(model, Model):
        return model.name
    check_type("compare", model, str, "MODEL or MODEL:METHOD")
    return model


def _read_limit(argument: str, value: float | str | None, example: str) -> float | None:
    check_type(argument, value, (str, Real, type(None)), f"a number, or text such as {example}")
    return parse_amount(argument, value, example) if isinstance(value, str) else value


def _error_text(record: Record) -> str:
    error = record.get("error")
    return f"{error.get('type')}: {error.get('message')}" if error else ""


def _row(record: Record) -> dict[str, Any]:
    """Return a record as a row of `Results.frame`."""
    cost, model, task, training = (record.get(key) or {} for key in ("cost", "model", "task", "training"))
    metrics = (record.get("metrics") or {}).get("test") or {}
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
        "trouble": "; ".join(sign.get("text", "") for sign in training.get("trouble") or ()),
        "error": _error_text(record),
        **{f"metric.{name}": value for name, value in metrics.items() if isinstance(value, (int, float))},
    }
