"""What the board needs of a record, and no more: so that very many records fit into memory and equal parts are looked at once."""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Mapping
from operator import itemgetter
from types import MappingProxyType
from typing import Any, TypedDict

import msgspec
from msgspec import Raw

from harness import recorded
from harness.grouping.costs import COSTS
from harness.searched import is_trial
from harness.store import Record, Store
from harness.trouble import trouble


class MetricsPart(TypedDict, total=False):
    """Of a record's `metrics`."""

    test: dict[str, Any] | None
    trivial: Raw
    phenomena: dict[str, recorded.Numbers] | None
    slices: Raw


# Of a record's `cost`: what the board has columns for.
CostPart = TypedDict(
    "Cost",
    {name: recorded.Number for cost in COSTS if cost.source[0] == "cost" for name in (cost.source[1], cost.more) if name},
    total=False,
)


class TrainingPart(TypedDict, total=False):
    """Of a record's `training`: what `harness.trouble` looks at."""

    steps: int | None
    history: list[recorded.Validation] | None
    trouble: list[recorded.Sign] | None


class ErrorPart(TypedDict, total=False):
    """Of a record's `error`: not its traceback."""

    type: str | None
    message: str | None


class RecordPart(recorded.Head, total=False):
    """Of a record. What many records have in common stays text (`Raw`) until it is known to be new."""

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


NESTED = {"metrics": MetricsPart, "training": TrainingPart, "cost": CostPart, "error": ErrorPart}
# What stays text, and what it must be.
SHARED = {
    "model": recorded.Model, "task": recorded.Task, "recipe": recorded.Recipe | None,
    "environment": recorded.Environment | None, "search": recorded.Search | None,
    "typed": recorded.Typed | None,
}  # fmt: skip
COMMON = tuple(name for name in SHARED if name not in ("search", "typed"))  # which many records do not have


class BoardRecords(list[Record]):
    """What the board needs of records, by id; equal parts of different records are one object, known by its `id()`.

    Trials of searches are left out: they have no score. The signs of trouble are under `trouble`, in place of the training.

    Attributes:
        damaged: id of each cell whose record could not be used → what is wrong with it.
    """

    damaged: Mapping[str, str] = MappingProxyType({})

    @classmethod
    def of(cls, records: Iterable[Record]) -> BoardRecords:
        """From whole records."""
        if isinstance(records, BoardRecords):
            return records
        share = _SharedParts()
        return cls(
            sorted((_share_parts(_needed_keys(record), share) for record in records if not is_trial(record)), key=itemgetter("id"))
        )

    @classmethod
    def read(cls, store: Store) -> BoardRecords:
        """From a results folder; no whole record is built on the way, unless one is not as `Part` says.

        Raises:
            BenchError: there is no such results folder.
        """
        share = _SharedParts()

        def parse(content: bytes) -> Record:
            try:
                record = _DECODER.decode(content)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                return _share_parts(_needed_keys(recorded.read(content)), share)  # which says what is wrong, or reads NaN
            recorded.consistent(record)
            if not (record.keys() >= {"model", "task"}):
                raise recorded.Damaged(f"{'task' if 'model' in record else 'model'} is missing")
            return _share_parts(record, share)

        made = cls(sorted((one for one in store.records(parse) if not is_trial(one)), key=itemgetter("id")))
        made.damaged = dict(store.damaged)
        return made


class _SharedParts:
    """The first of all parts that are equal, for each of them: by its text where that is known, else by its content."""

    def __init__(self) -> None:
        self.by_text: dict[bytes, Any] = {}
        self.by_content: dict[bytes, Any] = {}

    def __call__(self, name: str, part: Any, kind: Any) -> Any:
        if isinstance(part, Raw):
            text = bytes(part)
            if text not in self.by_text:
                recorded.part(name, text, kind)
                self.by_text[text] = msgspec.json.decode(text)  # all of it: what nobody has named may tell tasks apart
            return self.by_text[text]
        return self.by_content.setdefault(marshal.dumps(part, 2), part)  # 2: the same bytes, however the part was made


def _needed_keys(record: Record) -> Record:
    """The keys that are needed; the record itself stays as it is."""
    kept = {name: value for name, value in record.items() if name in RecordPart.__annotations__}
    for name, kind in NESTED.items():
        if kept.get(name):
            kept[name] = {key: value for key, value in kept[name].items() if key in kind.__annotations__}
    return kept


def _share_parts(record: Record, share: _SharedParts) -> Record:
    """The record with the parts that it has in common with others."""
    for name, kind in SHARED.items():
        if name in record:
            record[name] = share(name, record[name], kind)
    metrics = record.get("metrics") or {}
    if "trivial" in metrics:
        metrics["trivial"] = share("metrics.trivial", metrics["trivial"], dict[str, Any] | None)
    if isinstance(metrics.get("slices"), Raw):
        # Read when it is looked at, for it is most of a record; copied, as a `Raw` keeps the whole record's text.
        text = bytes(metrics["slices"])
        metrics["slices"] = text if recorded.part("metrics.slices", text, recorded.Slices | None) else None
    record["trouble"] = trouble(record)
    for name in ("training", "answers"):
        record.pop(name, None)
    return record


_DECODER = msgspec.json.Decoder(RecordPart)
