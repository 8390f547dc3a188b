"""The `bench run` commands that reproduce a set of records."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from harness.grouping.groups import BoardPlace
from harness.methods import BASELINE
from harness.planning.option_values import join_names
from harness.safe_text import shell_command
from harness.store import Record


class Options(NamedTuple):
    """The options shared by all records of a command."""

    suite: str
    limit: int
    columns: tuple[str, ...]
    settings: tuple[str, ...]
    search: tuple[str, ...]


def commands(places: Mapping[BoardPlace, list[Record]]) -> tuple[str, ...]:
    """Return one command for each suite, limit, choice of columns and recipe of the records.

    The commands have to be run in the folder in which the records were made. Records store what the user typed: the
    model and task, `--set` and `--column`. For older records the options are derived from other facts. If the models of
    a command differ in their tasks, methods or seeds, the command runs all combinations and so a few more cells.
    Baselines run with the models, and are named only if there are no models.
    """
    groups: dict[Options, list[Record]] = defaultdict(list)
    for place, records in sorted(places.items(), key=lambda item: item[0].is_baseline):
        for record in records:
            options = _options(place, record)
            if not place.is_baseline or not _run_with_models(_task(record), options, groups):
                groups[options].append(record)
    return tuple(_command(options, groups[options]) for options in sorted(groups))


def _run_with_models(task: str, options: Options, groups: Mapping[Options, list[Record]]) -> bool:
    """Whether a command for models already runs the baselines of a task."""
    return any(
        options[:3] == other[:3] and records[0]["method"] != BASELINE and task in map(_task, records)
        for other, records in groups.items()
    )


def _options(place: BoardPlace, record: Record) -> Options:
    typed = record.get("typed") or {}
    search = record.get("search") or {}
    if typed:
        settings = tuple(f"recipe.{name}={value}" for name, value in (typed.get("settings") or {}).items())
    else:
        searched = {"search", *(search.get("specification") or {}).get("fields", ())}
        fixed = ((name, value) for name, value in place.setting if name not in searched)
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
    words += [word for column in options.columns for word in ("--column", column)]
    methods = {record["method"] for record in records} - {BASELINE}
    words += ["--methods", _joined(methods)] if methods else []
    words += ["--seeds", _seeds({record["seed"] for record in records})]
    words += ["--limit", str(options.limit)] if options.limit else []
    sizes = {record["task"].get("train_rows") for record in records}
    # If the suite sets a default for an option, the command must override it even with the usual value.
    suite_defaults = {option for record in records for option in record.get("suite_defaults") or ()}
    words += ["--train-sizes", _joined_sizes(sizes)] if sizes != {None} or "--train-sizes" in suite_defaults else []
    words += ["--trust-remote-code"] if any(record["model"].get("remote_code") for record in records) else []
    words += ["--keep-head"] if any(record["model"].get("keep_head") for record in records) else []
    words += [word for setting in options.settings for word in ("--set", setting)]
    search = options.search or (("none",) if "--search" in suite_defaults and methods else ())
    words += [word for argument in search for word in ("--search", argument)]
    return shell_command(words)


def _limit(record: Record) -> int:
    """Return the limit in the task's name, 0 for all rows."""
    size = record["task"]["name"].partition("@")[2]
    return int(size) if size.isdecimal() else 0


def _joined_sizes(sizes: Collection[int | None]) -> str:
    return ",".join(str(size or "all") for size in sorted(sizes, key=lambda size: size or math.inf))


def _model(record: Record) -> str:
    """Return the model as typed, else its name, or the path of its folder or file."""
    name, source = record["model"]["name"], record["model"].get("source")
    return (record.get("typed") or {}).get("model") or (source if source == f"./{name}" else name)


def _task(record: Record) -> str:
    """Return the task as typed, else its name."""
    return (record.get("typed") or {}).get("task") or record["task"]["name"].partition("@")[0]


def _joined(names: Iterable[str]) -> str:
    return join_names(sorted(set(names)))


def _seeds(seeds: Collection[int]) -> str:
    """Return seeds in the syntax of `--seeds`: `N` means the first N seeds from 0, and `N,` means seed N alone."""
    if seeds == set(range(len(seeds))):
        return str(len(seeds))
    return ",".join(map(str, sorted(seeds))) + ("," if len(seeds) == 1 else "")
