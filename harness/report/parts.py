"""What the board needs of a record, and no more: so that very many records fit into memory and equal parts are looked at once."""

from __future__ import annotations

import json
import marshal
from collections.abc import Iterable
from operator import itemgetter
from typing import Any, TypedDict

from msgspec import Raw

from harness.report.costs import COSTS
from harness.searched import is_trial
from harness.store import Record, Store, decode
from harness.trouble import trouble


class Metrics(TypedDict, total=False):
    """Of a record's `metrics`."""

    test: Any
    trivial: Raw
    phenomena: Any
    slices: Raw


# Of a record's `cost`: what the board has columns for.
Cost = TypedDict(
    "Cost",
    {name: Any for cost in COSTS if cost.source[0] == "cost" for name in (cost.source[1], cost.more) if name},
    total=False,
)


class Training(TypedDict, total=False):
    """Of a record's `training`: what `harness.trouble` looks at."""

    steps: Any
    history: Any
    trouble: Any


class Error(TypedDict, total=False):
    """Of a record's `error`: not its traceback."""

    type: Any
    message: Any


class Part(TypedDict, total=False):
    """Of a record. What many records have in common stays text (`Raw`) until it is known to be new."""

    schema: Any
    id: str
    status: Any
    suite: Any
    suite_file: Any
    suite_defaults: Any
    typed: Raw
    model: Raw
    task: Raw
    method: Any
    seed: Any
    recipe: Raw
    protocol: Any
    metrics: Metrics
    primary_metric: Any
    score: Any
    trivial_score: Any
    constant: Any
    answers: Any
    training: Training
    cost: Cost
    environment: Raw
    started: Any
    finished: Any
    error: Error | None
    purpose: Any
    search: Raw


COMMON = ("model", "task", "recipe", "environment")
SHARED = (*COMMON, "search", "typed")  # which many records do not have
INSIDE = {"metrics": Metrics, "training": Training, "cost": Cost, "error": Error}


class Needed(list[Record]):
    """What the board needs of records, by id; equal parts of different records are one object, known by its `id()`.

    Trials of searches are left out: they have no score. The signs of trouble are under `trouble`, in place of the training.
    """

    @classmethod
    def of(cls, records: Iterable[Record]) -> Needed:
        """From whole records."""
        if isinstance(records, Needed):
            return records
        share = _Share()
        return cls(
            sorted((_shared(_cut(record), share) for record in records if not is_trial(record)), key=itemgetter("id"))
        )

    @classmethod
    def read(cls, store: Store) -> Needed:
        """From a results folder; no whole record is built on the way, unless one is not as `Part` says.

        Raises:
            BenchError: there is no such results folder.
        """
        share = _Share()

        def parse(content: bytes) -> Record:
            record = decode(content, Part)
            return _shared(record if isinstance(record.get("model"), Raw) else _cut(record), share)

        return cls(sorted((one for one in store.records(parse) if not is_trial(one)), key=itemgetter("id")))


class _Share:
    """The first of all parts that are equal, for each of them: by its text where that is known, else by its content."""

    def __init__(self) -> None:
        self.by_text: dict[bytes, Any] = {}
        self.by_content: dict[bytes, Any] = {}

    def __call__(self, part: Any) -> Any:
        if isinstance(part, Raw):
            text = bytes(part)
            if text not in self.by_text:
                self.by_text[text] = json.loads(text)
            return self.by_text[text]
        return self.by_content.setdefault(marshal.dumps(part, 2), part)  # 2: the same bytes, however the part was made


def _cut(record: Record) -> Record:
    """The keys that are needed; the record itself stays as it is."""
    kept = {name: value for name, value in record.items() if name in Part.__annotations__}
    for name, kind in INSIDE.items():
        if kept.get(name):
            kept[name] = {key: value for key, value in kept[name].items() if key in kind.__annotations__}
    return kept


def _shared(record: Record, share: _Share) -> Record:
    """The record with the parts that it has in common with others."""
    for name in SHARED:
        if name in record:
            record[name] = share(record[name])
    metrics = record.get("metrics") or {}
    if "trivial" in metrics:
        metrics["trivial"] = share(metrics["trivial"])
    if isinstance(metrics.get("slices"), Raw):
        # Read when it is looked at, for it is most of a record; copied, as a `Raw` keeps the whole record's text.
        text = bytes(metrics["slices"])
        metrics["slices"] = None if text in (b"{}", b"null") else text
    record["trouble"] = trouble(record)
    for name in ("training", "answers"):
        record.pop(name, None)
    return record
