"""Records reduced to the parts that a board needs, so that very many fit into memory."""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, TypedDict

import msgspec
from msgspec import Raw

from harness import record_parsing, record_schema
from harness.cell import is_trial
from harness.grouping.costs import COSTS
from harness.store import Record, Store
from harness.trouble import trouble

# The keys of `cost` that have a column on the board.
CostPart = TypedDict(
    "CostPart",
    {name: record_schema.Number for cost in COSTS if cost.source[0] == "cost" for name in (cost.source[1], cost.more) if name},
    total=False,
)
# Parts that are kept as text until they are known to be new, and their types.
SHARED = {
    "model": record_schema.ModelKeys, "task": record_schema.TaskKeys, "recipe": record_schema.RecipeKeys | None,
    "environment": record_schema.EnvironmentKeys | None, "search": record_schema.SearchKeys | None,
    "typed": record_schema.TypedKeys | None,
}  # fmt: skip
COMMON = tuple(name for name in SHARED if name not in ("search", "typed"))  # those that all records have


class MetricsPart(TypedDict, total=False):
    """The keys of `metrics`."""

    test: dict[str, Any] | None
    trivial: Raw
    phenomena: dict[str, record_schema.Numbers] | None
    slices: Raw


class TrainingPart(TypedDict, total=False):
    """The keys of `training` that `harness.trouble` reads."""

    steps: int | None
    history: list[record_schema.ValidationKeys] | None
    trouble: list[record_schema.TroubleKeys] | None


class ErrorPart(TypedDict, total=False):
    """The keys of `error`, without the traceback."""

    type: str | None
    message: str | None


class RecordPart(record_schema.HeadKeys, total=False):
    """The keys of a record. Parts that many records share are kept as text (`Raw`)."""

    typed: Raw
    model: Raw
    task: Raw
    recipe: Raw
    metrics: MetricsPart | None
    training: TrainingPart | None
    cost: CostPart | None
    environment: Raw
    error: ErrorPart | None
    search: Raw


_DECODER = msgspec.json.Decoder(RecordPart)
NESTED = {"metrics": MetricsPart, "training": TrainingPart, "cost": CostPart, "error": ErrorPart}


class BoardRecords(list[Record]):
    """The records of a board, sorted by id. Equal parts of different records are the same object.

    Trials of searches are left out, because they have no score. `trouble` replaces the details of the training.

    Attributes:
        damaged: id of each cell with an unusable record → what is wrong with it.
    """

    def __init__(self, records: Iterable[Record] = (), damaged: Mapping[str, str] | None = None):
        super().__init__(records)
        self.damaged = dict(damaged or {})

    @classmethod
    def of(cls, records: Iterable[Record]) -> BoardRecords:
        """Reduce whole records."""
        if isinstance(records, BoardRecords):
            return records
        share = _SharedParts()
        reduced = (_share_parts(_needed_keys(record), share) for record in records if not is_trial(record))
        return cls(sorted(reduced, key=itemgetter("id")))

    @classmethod
    def read(cls, store: Store) -> BoardRecords:
        """Read a results folder. Whole records are built only if they do not match `RecordPart`.

        Raises:
            BenchError: there is no such results folder.
        """
        share = _SharedParts()

        def parse(content: bytes) -> Record:
            try:
                record = _DECODER.decode(content)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                return _share_parts(_needed_keys(record_parsing.parse_record(content)), share)  # names the error, or accepts NaN
            record_parsing.check_consistency(record)
            if not (record.keys() >= {"model", "task"}):
                raise record_parsing.DamagedRecord(f"{'task' if 'model' in record else 'model'} is missing")
            return _share_parts(record, share)

        records = sorted((one for one in store.records(parse) if not is_trial(one)), key=itemgetter("id"))
        return cls(records, store.damaged)


class _SharedParts:
    """Returns one object for all equal parts, by their text if available, else by their content."""

    def __init__(self) -> None:
        self.by_text: dict[bytes, Any] = {}
        self.by_content: dict[bytes, Any] = {}

    def __call__(self, name: str, part: Any, kind: Any) -> Any:
        if isinstance(part, Raw):
            text = bytes(part)
            if text not in self.by_text:
                record_parsing.parse_part(name, text, kind)
                self.by_text[text] = msgspec.json.decode(text)  # with unknown keys, which may distinguish tasks
            return self.by_text[text]
        return self.by_content.setdefault(marshal.dumps(part, 2), part)  # version 2: equal values give equal bytes


def _needed_keys(record: Record) -> Record:
    """A copy of the record with only the needed keys."""
    needed = {name: value for name, value in record.items() if name in RecordPart.__annotations__}
    for name, kind in NESTED.items():
        if needed.get(name):
            needed[name] = {key: value for key, value in needed[name].items() if key in kind.__annotations__}
    return needed


def _share_parts(record: Record, share: _SharedParts) -> Record:
    """Replace the parts of a record by those that it shares with others."""
    for name, kind in SHARED.items():
        if name in record:
            record[name] = share(name, record[name], kind)
    metrics = record.get("metrics") or {}
    if "trivial" in metrics:
        metrics["trivial"] = share("metrics.trivial", metrics["trivial"], dict[str, Any] | None)
    if isinstance(metrics.get("slices"), Raw):
        # Slices are most of a record, so they are parsed when needed. A `Raw` would keep the whole record in memory.
        text = bytes(metrics["slices"])
        metrics["slices"] = text if record_parsing.parse_part("metrics.slices", text, record_schema.Slices | None) else None
    record["trouble"] = trouble(record)
    for name in ("training", "answers"):
        record.pop(name, None)
    return record
