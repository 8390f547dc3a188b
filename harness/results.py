"""Results in Python: the records of a results folder as a data frame, and what is made of them."""

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
            check_type(option, value, (str, Real, type(None)), f"a number, or text such as {example}")
            return parse_amount(option, value, example) if isinstance(value, str) else value

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
    store = read_store(check_path("results", place))
    next(store.records(), None)  # an error where there is no such folder
    return Results(store)


def _names(given: str | Sequence[str]) -> list[str]:
    """Names of tasks as boards have them; a `Task` stands for its own."""
    parts = given.split(",") if isinstance(given, str) else given if isinstance(given, Iterable) else [given]
    names = [one.title if isinstance(one, Task) else one for one in parts]
    for name in names:
        check_type("tasks", name, str, "names of tasks")
    return [name.strip() for name in names if name.strip()]


def _row_name(given: str | Model) -> str:
    """The name of a row; a `Model` stands for its own."""
    if isinstance(given, Model):
        return given.name
    check_type("compare", given, str, "MODEL or MODEL:METHOD")
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
