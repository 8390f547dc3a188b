"""The quick case `family:path`: a task from data files alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.data.source import FileSource
from harness.data.splits import SPLITS
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.guess import GIVES, columns_of, format_of, spans_of
from harness.quick_files import files_of, name_of, parallel_files
from harness.task import Task

TABLES = ("csv", "tsv", "json", "jsonl", "parquet", "arrow")
# What is taken for what in formats that name no columns.
SAID = {
    "pairs": ["no header, source from column 0, target from column 1"],
    "labelled": ["label from the start of each line"],
}


def quick_task(family: TaskFamily, path: str) -> Task:
    """A task made of a file, a folder or a pattern (splits told by the files' names), or of two files `train.en+train.de`.

    Formats are told by endings, columns by their usual names; a single file is split 60/20/20. The task's description says
    what was taken for what.

    Raises:
        BenchError: no such file, an unknown ending, no column with a usual name, or files of several formats.
    """
    reference = f"{family.name}:{path}"
    parallel = parallel_files(family, path, reference)
    if parallel:
        name, splits, columns = parallel
        source = FileSource("lines", splits)
        return _task(family, name, source, columns, next(iter(source.read().values())), columns)
    place, splits = files_of(family, path, reference)
    first = next(iter(splits.values()))[0]
    format = format_of(family, first, reference)
    columns: dict[str, str] = {}
    options: dict[str, Any] = {}
    report: dict[str, Any] = {}
    rows = FileSource(format, {"all": str(first)}).read(report)["all"]
    if format in TABLES:
        asked = [name for name in family.columns if name != "answers"]  # these are written in many ways
        columns = columns_of(family, asked, rows[0], reference, format, first.name)
        spans = spans_of(rows, columns) if GIVES["spans"] <= set(family.columns) else None
        if spans:
            format, options, columns = "spans", {"table": format, **spans}, {}
        else:
            columns = columns_of(family, list(family.columns), rows[0], reference, format, first.name)
    elif format == "labelled" and len({row["label"] for row in rows}) > max(2, len(rows) // 10):
        raise BenchError(
            f"{first}: lines that begin with their label? The first one would be {rows[0]['label']!r}, and there would be "
            "many; write a task file (bench task new) with the right format, or a `pattern`"
        )
    elif format == "tmx":
        options = {side: report["all"][side] for side in GIVES["tmx"]}
    source = FileSource(format, {split: [str(one) for one in files] for split, files in splits.items()}, options)
    named = columns | {name: options[name] for name in family.columns if isinstance(options.get(name), str)}
    return _task(family, name_of(place), source, columns, rows, named)


def _task(
    family: TaskFamily,
    name: str,
    source: FileSource,
    columns: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    named: Mapping[str, str],
) -> Task:
    """The task, its options guessed and its description made.

    Args:
        columns: our columns → the file's, where the reader does not know ours.
        rows: some of the source's, as it gives them.
        named: our columns → what the file calls them, for the description.
    """
    options = family.guess_options(rows[:100], named)
    taken = [f"{ours} from {theirs!r}" for ours, theirs in named.items()] + SAID.get(source.format, [])
    taken += [
        f"{option} {value!r}"
        for option, value in source.options.items()
        if option not in named and option not in ("table", *family.columns)
    ]
    taken += [f"{option}: {value}" for option, value in options.items()]
    said = f"{source.describe()}; {', '.join(taken)}" if taken else source.describe()
    return Task(name, family.name, source, columns=columns, options=options, description=f"{said}; {_how(source)}")


def _how(source: FileSource) -> str:
    """How the splits come about."""
    if list(source.files) == ["all"]:
        return "split 60/20/20"
    missing = [split for split in SPLITS if split not in source.files]
    return f"{', '.join(source.files)} by names" + (f", {' and '.join(missing)} cut from train" if missing else "")
