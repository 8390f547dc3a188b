"""The `bench run` commands that make a set of records again, from the folder in which they were made."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from harness.grouping.groups import BoardPlace
from harness.methods import BASELINE
from harness.planning.option_values import join_names
from harness.shown import shell
from harness.store import Record


class Options(NamedTuple):
    """The options that all records of a command have in common."""

    suite: str
    limit: int
    columns: tuple[str, ...]
    settings: tuple[str, ...]
    search: tuple[str, ...]


def commands(places: Mapping[BoardPlace, list[Record]]) -> tuple[str, ...]:
    """One command for each suite, limit, choice of columns and recipe of the records.

    Records hold what was typed: the reference of model and task, `--set`, `--column`. For older records the command is made from the
    other facts. Where models of a command differ in their tasks, methods or seeds, it runs all combinations and so some more cells.
    Baselines are run with the models, and are named only where there are no models.
    """
    groups: dict[Options, list[Record]] = defaultdict(list)
    for where, records in sorted(places.items(), key=lambda item: item[0].is_baseline):
        for record in records:
            options = _options(where, record)
            task = _task(record)
            if not where.is_baseline or not any(
                options[:3] == other[:3]
                and groups[other][0]["method"] != BASELINE
                and task in map(_task, groups[other])
                for other in groups
            ):
                groups[options].append(record)
    return tuple(_command(options, groups[options]) for options in sorted(groups))


def _options(where: BoardPlace, record: Record) -> Options:
    typed = record.get("typed") or {}
    search = record.get("search") or {}
    if typed:
        settings = tuple(f"recipe.{name}={value}" for name, value in (typed.get("settings") or {}).items())
    else:
        chosen = {"search", *(search.get("specification") or {}).get("fields", ())}
        fixed = ((name, value) for name, value in where.setting if name not in chosen)
        settings = tuple(f"recipe.{name}={'none' if value is None else value}" for name, value in fixed)
    return Options(
        suite=str(record.get("suite_file") or record.get("suite") or ""),
        limit=typed.get("limit") or 0 if typed else _limit(record),
        columns=tuple(typed.get("columns") or ()),
        settings=settings,
        search=tuple(search.get("arguments") or ()),
    )


def _command(options: Options, records: list[Record]) -> str:
    words = ["bench", "run"]
    words += ["--suite", options.suite] if options.suite else []
    words += ["--models", _joined(_model(record) for record in records)]
    words += ["--tasks", _joined(_task(record) for record in records)]
    words += [word for one in options.columns for word in ("--column", one)]
    methods = {record["method"] for record in records} - {BASELINE}
    words += ["--methods", _joined(methods)] if methods else []
    words += ["--seeds", _seeds({record["seed"] for record in records})]
    words += ["--limit", str(options.limit)] if options.limit else []
    sizes = {record["task"].get("train_rows") for record in records}
    # A default of the suite must be overridden even by the usual value.
    suites = {option for record in records for option in record.get("suite_defaults") or ()}
    words += ["--train-sizes", _joined_sizes(sizes)] if sizes != {None} or "--train-sizes" in suites else []
    words += ["--trust-remote-code"] if any(record["model"].get("remote_code") for record in records) else []
    words += ["--keep-head"] if any(record["model"].get("keep_head") for record in records) else []
    words += [word for setting in options.settings for word in ("--set", setting)]
    search = options.search or (("none",) if "--search" in suites and methods else ())
    words += [word for one in search for word in ("--search", one)]
    return shell(words)


def _limit(record: Record) -> int:
    """The limit in the name of the task, 0 for all rows."""
    size = record["task"]["name"].partition("@")[2]
    return int(size) if size.isdecimal() else 0


def _joined_sizes(sizes: Collection[int | None]) -> str:
    return ",".join(str(size or "all") for size in sorted(sizes, key=lambda size: size or math.inf))


def _model(record: Record) -> str:
    """The reference of a model as typed; else its name, or the path of a folder or file."""
    name, source = record["model"]["name"], record["model"].get("source")
    return (record.get("typed") or {}).get("model") or (source if source == f"./{name}" else name)


def _task(record: Record) -> str:
    """The reference of a task as typed; else its name."""
    return (record.get("typed") or {}).get("task") or record["task"]["name"].partition("@")[0]


def _joined(names: Iterable[str]) -> str:
    return join_names(sorted(set(names)))


def _seeds(seeds: Collection[int]) -> str:
    """Seeds for the option `--seeds`: `N` means the N seeds from 0, and `N,` the seed N alone."""
    if seeds == set(range(len(seeds))):
        return str(len(seeds))
    return ",".join(map(str, sorted(seeds))) + ("," if len(seeds) == 1 else "")
