"""The `bench run` commands that would make a set of records again."""

from __future__ import annotations

import math
import shlex
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from harness.methods import BASELINE
from harness.report.groups import Place
from harness.store import Record


def commands(places: Mapping[Place, list[Record]]) -> tuple[str, ...]:
    """One command for each suite, subset size and recipe that the records tell apart.

    Where models of a command differ in their tasks, methods or seeds, it makes all combinations, so some cells more. Baselines come
    with the models, and are named only where there are none.
    """
    groups: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
    for where, records in sorted(places.items(), key=lambda item: item[0].is_baseline):
        for record in records:
            key = (str(record.get("suite_file") or record.get("suite") or ""), _limit(record))
            settings, search = _settings(where, record)
            if not where.is_baseline or not any(
                key == other[:2] for other in groups if groups[other][0]["method"] != BASELINE
            ):
                groups[(*key, settings, search)].append(record)
    return tuple(_command(*key, groups[key]) for key in sorted(groups))


def _settings(where: Place, record: Record) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The values of `--set` and of `--search` that give a record its recipe."""
    search = record.get("search") or {}
    chosen = {"search", *(search.get("specification") or {}).get("fields", ())}
    fixed = ((name, value) for name, value in where.setting if name not in chosen)
    return (
        tuple(f"recipe.{name}={'none' if value is None else value}" for name, value in fixed),
        tuple(search.get("arguments") or ()),
    )


def _command(suite: str, limit: int, settings: tuple[str, ...], search: tuple[str, ...], records: list[Record]) -> str:
    words = ["bench", "run"]
    words += ["--suite", suite] if suite else []
    words += ["--models", _joined(_model(record) for record in records)]
    words += ["--tasks", _joined(record["task"]["name"].partition("@")[0] for record in records)]
    methods = {record["method"] for record in records} - {BASELINE}
    words += ["--methods", _joined(methods)] if methods else []
    words += ["--seeds", _seeds({record["seed"] for record in records})]
    words += ["--limit", str(limit)] if limit else []
    sizes = {record["task"].get("train_rows") for record in records}
    # What a suite has as its own default has to be said even where it is what others take.
    suites = {option for record in records for option in record.get("suite_defaults") or ()}
    words += ["--train-sizes", _joined_sizes(sizes)] if sizes != {None} or "--train-sizes" in suites else []
    words += ["--trust-remote-code"] if any(record["model"].get("remote_code") for record in records) else []
    words += [word for setting in settings for word in ("--set", setting)]
    search = search or (("none",) if "--search" in suites and methods else ())
    words += [word for one in search for word in ("--search", one)]
    return shlex.join(words)


def _limit(record: Record) -> int:
    """The size of the subset that the task's title names, 0 for all rows."""
    size = record["task"]["name"].partition("@")[2]
    return int(size) if size.isdecimal() else 0


def _joined_sizes(sizes: Collection[int | None]) -> str:
    return ",".join(str(size or "all") for size in sorted(sizes, key=lambda size: size or math.inf))


def _model(record: Record) -> str:
    """The reference of a model: its name, but for a folder or file the place that the record keeps."""
    name, source = record["model"]["name"], record["model"].get("source")
    return source if source == f"./{name}" else name


def _joined(names: Any) -> str:
    return ",".join(sorted(set(names)))


def _seeds(seeds: Collection[int]) -> str:
    """As the option reads them: a single number N means the N seeds from 0, so a lone seed above 0 needs those below it."""
    if len(seeds) == 1 or seeds == set(range(len(seeds))):
        return str(max(seeds) + 1)
    return ",".join(map(str, sorted(seeds)))
