"""The text of a task file, with comments for whoever goes on from there."""

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
from harness.guess.word import Guess
from harness.safe_text import listed, plain, short
from harness.task_data import COLUMN_PLACEHOLDER

MOST = 100  # classes that are written out, a line for each
TOLD = 20  # those that a comment names
COLUMN = 34  # where comments begin
KEPT = {  # columns that every family takes
    "id": "names rows in predictions",
    "group": "rows that share it stay in one split",
    "phenomenon": "scores are also given for each of its values",
}
SHOWN = 40  # columns that are listed


def task_text(
    guess: Guess,
    family: TaskFamily,
    others: Sequence[str],
    left: Sequence[str],
    report: Report,
    classes: bool,
    output: Path,
) -> str:
    """The task file of some data.

    Args:
        guess: what the data were taken for.
        family: which was chosen; `others` fit as well.
        left: why files were left out.
        report: what a check of the task gave.
        classes: whether what it counted are classes of rows, which can be named.
        output: where the file will stand, for relative paths.
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
    lines += [f"  # not used: {reason}" for reason in left]
    lines += _columns(guess, family) if guess.task.columns else []
    if guess.task.columns and "group" in guess.rows[0] and "group" not in guess.task.columns:
        lines.append(_line("  # group: null", "the column 'group' keeps rows in one split; so it does not"))
    lines += _labels(report, classes)
    lines += _options(family, guess.task.options)
    lines.append(_line("# limit: 1000", "at most so many rows of every split; boards then say name@1000"))
    return "\n".join(map(plain, lines)) + "\n"  # what comes from data cannot begin a line


def template(name: str, family: TaskFamily, families: Mapping[str, TaskFamily]) -> str:
    """A task file with everything to fill in."""
    lines = [
        "# Fill in what stands in capitals, then: bench task check THIS_FILE. More in docs/tasks.md.",
        *_head(name, family, ()),
        *(
            f"#   or {other.name}, whose columns are {', '.join(other.columns)}"
            for other in families.values()
            if other.name != family.name
        ),
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
        "columns:  # the family's column: the data's, by name or index; a list joins texts",
        *(_line(f"  {column}: {column}", what) for column, what in family.columns.items()),
        *(_line(f"  # {column}: {column}", what) for column, what in family.optional_columns.items()),
        *(_line(f"  # {column}: {column}", what) for column, what in KEPT.items()),
        "# labels:  # raw label: name; leave it out where the data hold the names",
        '#   "0": NAME',
        *_options(family, {}),
        _line("# limit: 1000", "at most so many rows of every split; boards then say name@1000"),
    ]
    return "\n".join(map(plain, lines)) + "\n"  # what comes from data cannot begin a line


def _head(name: str, family: TaskFamily, others: Sequence[str]) -> list[str]:
    more = f"; would fit as well: {', '.join(others)}" if others else ""
    return [
        _line(f"name: {_scalar(name)}", "what boards call it"),
        _line("version: 1", "raise it when the meaning changes: splits, labels, columns"),
        _line("# description: one line", "for lists"),
        _line(f"family: {family.name}", family.description + more),
    ]


def _files(files: Mapping[str, Any], output: Path) -> list[str]:
    def shown(value: Any) -> str:
        if isinstance(value, Mapping):
            return "{" + ", ".join(f"{_scalar(name)}: {shown(item)}" for name, item in value.items()) + "}"
        if isinstance(value, list):
            return shown(value[0]) if len(value) == 1 else "[" + ", ".join(map(shown, value)) + "]"
        path = os.path.relpath(Path(value).expanduser(), output.absolute().parent)
        return _scalar(path.replace(os.sep, "/"))

    if set(files) == {"all"} and not isinstance(files["all"], Mapping):
        return [f"  files: {shown(files['all'])}"]
    return ["  files:", *(f"    {split}: {shown(value)}" for split, value in files.items())]


def _columns(guess: Guess, family: TaskFamily) -> list[str]:
    what = {**family.columns, **family.optional_columns, **KEPT}
    lines = ["columns:  # the family's column: the data's, by name or index; a list joins texts"]
    looks = profile_columns(guess.rows)
    used: set[str] = set()
    for column, source in guess.task.columns.items():
        names = source if isinstance(source, list) else [source]
        used |= {str(name) for name in names}
        told = f"[{', '.join(map(_column, names))}]" if isinstance(source, list) else _column(source)
        lines.append(_line(f"  {column}: {told}", what.get(column, "")))
        also = guess.others.get(column, ())
        lines += [_line(f"  # {column}: {_column(name)}", f"or this one: {looks[name]}") for name in also[:SHOWN]]
        used |= set(also[:SHOWN])
    unused = [one for name, one in looks.items() if str(name) not in used and str(name) not in KEPT]
    if not unused:
        return lines
    lines.append(f"  # {'not used' if COLUMN_PLACEHOLDER not in used else 'there are'}:")
    lines += [_line(f"  #   {_column(one.name)}", str(one)) for one in unused[:SHOWN]]
    return lines + ([f"  #   and {len(unused) - SHOWN} more"] if len(unused) > SHOWN else [])


def _labels(report: Report, classes: bool) -> list[str]:
    counts = {name: sum(by_split.values()) for name, by_split in report.kinds.items()}
    if not counts:
        return []
    told = listed([f"{short(name, 40)} {number:,}" for name, number in counts.items()], most=TOLD)
    numbers = all(re.fullmatch(r"[-+]?\d+", name) for name in counts)
    if not (numbers and classes and len(counts) <= MOST):
        return [f"# {'labels' if classes else 'found'}: {told}"]
    names = sorted(counts, key=int)
    spelled = dict(one.split(" read as ") for found in report.found.values() for one in found.get("label_spellings_at", ()))
    return [
        "labels:  # raw label: name; write the classes' names on the right",
        *(_line(f"  {json.dumps(name)}: {json.dumps(name)}", f"{counts[name]:,} rows") for name in names),
        *(_line(f"  {json.dumps(raw)}: {json.dumps(name)}", "another spelling") for raw, name in spelled.items() if raw not in counts),
    ]


def _options(family: TaskFamily, given: Mapping[str, Any]) -> list[str]:
    lines = ["options:" if given else "# options:"]
    for name, what in family.known_options.items():
        lines.append(_line(f"  {name}: {_scalar(given[name])}" if name in given else f"#   {name}:", what))
    return lines


def _line(text: str, comment: str) -> str:
    return f"{text.ljust(COLUMN)}  # {comment}" if comment else text


def _column(name: Any) -> str:
    """A column's index without quotes, a name with them where YAML would take it for something else."""
    return str(name) if str(name).isdecimal() else _scalar(str(name))


def _scalar(value: Any) -> str:
    """A value as YAML writes it on one line."""
    import yaml

    harmless = not isinstance(value, str) or plain(value) == value
    style = {"allow_unicode": True} if harmless else {"default_style": '"'}  # with `\n` and the like for characters that act
    text = yaml.safe_dump(value, width=10**6, default_flow_style=True, **style)
    return text.removesuffix("...\n").strip("\n")
