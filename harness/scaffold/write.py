"""The text of a task file, with comments that explain what to change."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.check.report import Report
from harness.column_profiles import profile_columns
from harness.family import TaskFamily
from harness.guess.outcome import Guess
from harness.safe_text import listed, plain, short
from harness.task_data import COLUMN_PLACEHOLDER

MAX_CLASSES = 100  # classes with a line each
MAX_LISTED = 20  # classes or types in a comment
MAX_COLUMNS = 40  # columns in comments
COMMENT_COLUMN = 34  # where comments begin
COLUMN_MEANINGS = {  # of every family
    "id": "names rows in predictions",
    "group": "rows that share it stay in one split",
    "phenomenon": "scores are also given for each of its values",
}
COLUMNS = "columns:  # the family's column: the data's, by name or index; a list joins texts"
LIMIT = ("# limit: 1000", "at most so many rows of every split; boards then say name@1000")


def task_text(
    guess: Guess,
    family: TaskFamily,
    others: Sequence[str],
    skipped: Sequence[str],
    report: Report,
    classes: bool,
    output: Path,
) -> str:
    """Write the task file of some data.

    Args:
        guess: the task.
        others: families that fit as well.
        skipped: why files were left out.
        report: of a check of the task.
        classes: whether the labels are classes of rows, which can be named.
        output: where the file will be, for relative paths.
    """
    source = guess.task.source
    lines = [
        f"# Written by `bench task new`; every key is explained in docs/tasks.md. Next: bench task check {output.name}",
        *_head(guess.task.name, family, others),
        "data:",
        f"  format: {source.format}",
    ]
    for option, value in source.options.items():
        lines.append(_line(f"  {option}: {_scalar(value)}", guess.remarks.get(option, "")))
    lines += _files(source.files, output)
    if report.split_rule:
        lines.append(f"  # splits: {report.split_rule}")
    lines += [f"  # not used: {reason}" for reason in skipped]
    if guess.task.columns:
        lines += _columns(guess, family)
        if "group" in guess.rows[0] and "group" not in guess.task.columns:
            lines.append(_line("  # group: null", "the column 'group' keeps rows in one split; so it does not"))
    lines += _labels(report, classes)
    lines += _options(family, guess.task.options)
    lines.append(_line(*LIMIT))
    return _text(lines)


def template(name: str, family: TaskFamily, families: Mapping[str, TaskFamily]) -> str:
    """Write a task file with all keys to fill in."""
    others = [
        f"#   or {other.name}, whose columns are {', '.join(other.columns)}"
        for other in families.values()
        if other.name != family.name
    ]
    optional_columns = {**family.optional_columns, **COLUMN_MEANINGS}
    lines = [
        "# Fill in what stands in capitals, then: bench task check THIS_FILE. More in docs/tasks.md.",
        *_head(name, family, ()),
        *others,
        "data:  # one of these ways",
        _line("  format: csv", "or tsv, jsonl, json, conll, squad, lines, …"),
        _line("  # header: false", "for a table without names of columns; they are called 0, 1, …"),
        _line('  # delimiter: ";"', "csv and tsv: one character"),
        _line("  # encoding: gb18030", "where it is not UTF-8"),
        _line("  files:", "paths from this file's folder; lists and patterns (train-*.jsonl.gz) are fine"),
        "    train: TRAIN.csv",
        _line("    validation: VALIDATION.csv", "leave it out, and it is cut from train"),
        _line("    test: TEST.csv", "the same; a single file (files: ALL.csv) is split 60/20/20"),
        "  # hub: OWNER/NAME               # instead of format and files: a data set of the Hugging Face Hub",
        "  # revision: COMMIT",
        "  # config: NAME",
        "  # splits: {test: validation}    # ours: theirs",
        COLUMNS,
        *(_line(f"  {column}: {column}", meaning) for column, meaning in family.columns.items()),
        *(_line(f"  # {column}: {column}", meaning) for column, meaning in optional_columns.items()),
        "# labels:  # raw label: name; leave it out where the data hold the names",
        '#   "0": NAME',
        *_options(family, {}),
        _line(*LIMIT),
    ]
    return _text(lines)


def _text(lines: Sequence[str]) -> str:
    # Line breaks and control characters of the data are escaped, so that they cannot begin a line.
    return "\n".join(map(plain, lines)) + "\n"


def _head(name: str, family: TaskFamily, others: Sequence[str]) -> list[str]:
    more = f"; would fit as well: {', '.join(others)}" if others else ""
    return [
        _line(f"name: {_scalar(name)}", "what boards call it"),
        _line("version: 1", "raise it when the meaning changes: splits, labels, columns"),
        _line("# description: one line", "for lists"),
        _line(f"family: {family.name}", family.description + more),
    ]


def _files(files: Mapping[str, Any], output: Path) -> list[str]:
    def written(value: Any) -> str:
        if isinstance(value, Mapping):
            return "{" + ", ".join(f"{_scalar(name)}: {written(item)}" for name, item in value.items()) + "}"
        if isinstance(value, list):
            return written(value[0]) if len(value) == 1 else "[" + ", ".join(map(written, value)) + "]"
        path = os.path.relpath(Path(value).expanduser(), output.absolute().parent)
        return _scalar(path.replace(os.sep, "/"))

    if set(files) == {"all"} and not isinstance(files["all"], Mapping):
        return [f"  files: {written(files['all'])}"]
    return ["  files:", *(f"    {split}: {written(value)}" for split, value in files.items())]


def _columns(guess: Guess, family: TaskFamily) -> list[str]:
    meanings = {**family.columns, **family.optional_columns, **COLUMN_MEANINGS}
    lines = [COLUMNS]
    looks = profile_columns(guess.rows)
    used: set[str] = set()
    for column, source in guess.task.columns.items():
        names = source if isinstance(source, list) else [source]
        written = ", ".join(map(_column, names))
        lines.append(_line(f"  {column}: {f'[{written}]' if isinstance(source, list) else written}", meanings.get(column, "")))
        others = guess.others.get(column, ())[:MAX_COLUMNS]
        lines += [_line(f"  # {column}: {_column(name)}", f"or this one: {looks[name]}") for name in others]
        used.update(map(str, names), others)
    unused = {name: look for name, look in looks.items() if str(name) not in used and str(name) not in COLUMN_MEANINGS}
    if unused:
        lines.append("  # there are:" if COLUMN_PLACEHOLDER in used else "  # not used:")
        lines += [_line(f"  #   {_column(look.name)}", str(look)) for look in list(unused.values())[:MAX_COLUMNS]]
    if len(unused) > MAX_COLUMNS:
        lines.append(f"  #   and {len(unused) - MAX_COLUMNS} more")
    return lines


def _labels(report: Report, classes: bool) -> list[str]:
    counts = {name: sum(by_split.values()) for name, by_split in report.kinds.items()}
    if not counts:
        return []
    numeric = all(re.fullmatch(r"[-+]?\d+", name) for name in counts)
    if not (numeric and classes and len(counts) <= MAX_CLASSES):
        listing = listed([f"{short(name, 40)} {number:,}" for name, number in counts.items()], most=MAX_LISTED)
        return [f"# {'labels' if classes else 'found'}: {listing}"]
    spellings = dict(
        line.split(" read as ") for reported in report.found.values() for line in reported.get("label_spellings_at", ())
    )
    return [
        "labels:  # raw label: name; write the classes' names on the right",
        *(_line(f"  {json.dumps(name)}: {json.dumps(name)}", f"{counts[name]:,} rows") for name in sorted(counts, key=int)),
        *(
            _line(f"  {json.dumps(raw)}: {json.dumps(name)}", "another spelling")
            for raw, name in spellings.items()
            if raw not in counts
        ),
    ]


def _options(family: TaskFamily, given: Mapping[str, Any]) -> list[str]:
    lines = ["options:" if given else "# options:"]
    for name, meaning in family.known_options.items():
        lines.append(_line(f"  {name}: {_scalar(given[name])}" if name in given else f"#   {name}:", meaning))
    return lines


def _line(text: str, comment: str) -> str:
    return f"{text.ljust(COMMENT_COLUMN)}  # {comment}" if comment else text


def _column(name: Any) -> str:
    """Write a column: its index without quotes, its name with quotes if YAML needs them."""
    return str(name) if str(name).isdecimal() else _scalar(str(name))


def _scalar(value: Any) -> str:
    """Write a value as YAML on one line."""
    import yaml

    style: dict[str, Any] = {"allow_unicode": True}
    if isinstance(value, str) and plain(value) != value:
        style = {"default_style": '"'}  # writes line breaks and control characters as `\n` and the like
    text = yaml.safe_dump(value, width=10**6, default_flow_style=True, **style)
    return text.removesuffix("...\n").strip("\n")
