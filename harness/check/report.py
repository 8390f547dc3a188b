"""Check a task's data: all findings together, as a report, as a record's warnings, or as one line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness import registry
from harness.check.labels import Counts, check_counts, check_names, count_labels
from harness.check.lengths import Lengths, lengths
from harness.check.reading import language_options, reader_notes, reader_warnings, reserved_columns
from harness.check.repeats import Texts, conflicts, duplicate_ids, duplicates, empty_texts, row_location
from harness.check.texts import damaged_characters, implausible_words
from harness.errors import BenchError
from harness.family import TaskFamily, key_of
from harness.finding import ERROR, NOTE, WARNING, Finding
from harness.safe_text import listed, short
from harness.task import Task
from harness.task_data import TaskData, load_data

MAX_KINDS, MAX_EXAMPLES = 5, 3  # kinds of reading errors, and errors of each, that are shown
_VALUES = re.compile(r"\([^()]*\)|'[^']*'|\"[^\"]*\"|“[^”]*”|\d+")  # errors of one kind differ in these only
UNUSABLE = "unusable-data"  # the code of errors that keep data from being read
LABELS_WIDTH = 60  # characters of label names that still fit a line


@dataclass(frozen=True)
class Report:
    """The facts and findings about a task's data.

    Attributes:
        task: its title.
        rows: split → rows.
        whole: split → rows before the task's limit.
        kinds: class or entity type → split → number.
        lengths: of every column in every split.
        found: split of the source → what the reader of the files reported.
        findings: errors first.
    """

    task: str
    family: str
    source: str
    split_rule: str | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    whole: Mapping[str, int] = field(default_factory=dict)
    kinds: Counts = field(default_factory=dict)
    lengths: tuple[Lengths, ...] = ()
    found: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def of(self, level: str) -> list[Finding]:
        """Return the findings of a level."""
        return [finding for finding in self.findings if finding.level == level]


def examine(task: Task, family: TaskFamily) -> tuple[Report, TaskData | None]:
    """Read and check a task's data. If they cannot be used, there are no data, and the report says why."""
    errors: list[str] = []
    try:
        data = load_data(task, family, errors)
    except BenchError as error:
        errors.append(str(error))
        data = None
    if errors or data is None:
        return Report(task.title, family.name, _source(task), findings=tuple(_reading_errors(errors))), None
    texts, counts = _texts(data, family), count_labels(data.splits, family)
    report = Report(
        task=task.title, family=family.name, source=_source(task), split_rule=data.rule,
        rows={split: len(rows) for split, rows in data.splits.items()}, whole=data.rows_without_limit, kinds=counts,
        lengths=tuple(lengths(texts)), found=data.reports, findings=tuple(_findings(data, task, family, texts, counts)),
    )  # fmt: skip
    return report, data


def warnings(data: TaskData, task: Task, family: TaskFamily) -> list[str]:
    """Return the messages that a record keeps: all that may change what a score means.

    Raises:
        BenchError: an error, with which nothing can be trained or no score would mean anything.
    """
    findings = _findings(data, task, family, _texts(data, family), count_labels(data.splits, family))
    _raise_errors(findings, task)
    return [finding.message for finding in findings if finding.level != NOTE]


def validate(task: Task) -> str:
    """Read and check every row of a task from files, as a worker will, and describe the data in one line.

    The line says how many rows each split has, the labels, and how the files are written. Only the fast checks are made: whether
    labels, tags and words can mean what a task means, and the family's errors.

    Raises:
        BenchError: the first mistake in the data, with file and line.
    """
    family = registry.family(task.family)
    data = load_data(task, family)
    labels = family.labels(data.splits, task)
    if labels is not None and len(labels) < 2:
        raise BenchError(
            f"task {task.name!r} ({task.source.describe()}): the training rows have one class only ({short(labels[0])}); "
            "give rows of two or more, or check the column of labels"
        )
    errors = [finding for finding in family.check(data.splits, task) if finding.level == ERROR]
    findings = [*errors, *_plausibility(data, task, family, count_labels(data.splits, family))]
    _raise_errors(findings, task)
    notes = ["rows: " + ", ".join(f"{split} {len(part):,}" for split, part in data.splits.items())]
    if labels is not None:
        names = ", ".join(labels)
        notes.append(f"{len(labels)} labels" + (f": {names}" if len(names) <= LABELS_WIDTH else ""))
    remarks = [finding.message if finding.level == NOTE else f"warning: {finding.message}" for finding in findings]
    return "; ".join([*notes, *reader_notes(data.reports.values()), *remarks])


def _raise_errors(findings: Sequence[Finding], task: Task) -> None:
    if errors := [finding.message for finding in findings if finding.level == ERROR]:
        raise BenchError("\n".join(f"task {task.name!r} ({_source(task)}): {message}" for message in errors))


def _plausibility(data: TaskData, task: Task, family: TaskFamily, counts: Counts) -> Iterator[Finding]:
    if family.labels(data.splits, task) is not None:
        yield from check_names(counts, data.splits, task, family)
        yield from implausible_words(data.splits)
    yield from language_options(data.splits, task, family)
    yield from reserved_columns(data)


def _texts(data: TaskData, family: TaskFamily) -> Texts:
    return {split: [(row_location(row), family.texts(row)) for row in rows] for split, rows in data.splits.items()}


def _findings(data: TaskData, task: Task, family: TaskFamily, texts: Texts, counts: Counts) -> list[Finding]:
    findings = _all_findings(data, task, family, texts, counts)
    return sorted(findings, key=lambda finding: (ERROR, WARNING, NOTE).index(finding.level))  # stable


def _all_findings(data: TaskData, task: Task, family: TaskFamily, texts: Texts, counts: Counts) -> Iterator[Finding]:
    keys = {
        split: [(location, key_of(columns, family.inputs)) for location, columns in rows] for split, rows in texts.items()
    }
    yield from check_counts(counts, data.splits, task, family)
    yield from _plausibility(data, task, family, counts)
    yield from family.check(data.splits, task)
    yield from empty_texts(texts)
    yield from duplicates({split: [(location, key) for location, key in rows if key] for split, rows in keys.items()})
    labelled = (
        (location, key, label)
        for split, rows in data.splits.items()
        for row, (location, key) in zip(rows, keys[split], strict=True)
        if key and (label := family.stratum(row)) is not None
    )
    yield from conflicts(labelled, "label")
    yield from duplicate_ids(data.splits)
    yield from reader_warnings(data.reports)
    dropped = {label for report in data.reports.values() for label in report.get("dropped_labels", ())}
    if unused := [label for label in task.drop_labels if label not in dropped]:
        message = f"drop_labels: no row has {listed(map(repr, unused))}; the labels there are: {listed(counts)}"
        yield Finding(WARNING, "unused-drop-labels", message, len(unused))
    yield from damaged_characters(texts)


def _reading_errors(lines: Sequence[str]) -> Iterator[Finding]:
    """Return a finding for the first errors of each kind, and one with the number of the others."""
    kinds: dict[str, list[str]] = {}
    for line in lines:
        kinds.setdefault(_VALUES.sub("", line), []).append(line)
    shown, hidden = list(kinds.values())[:MAX_KINDS], list(kinds.values())[MAX_KINDS:]
    for same in shown:
        for line in same[:MAX_EXAMPLES]:
            yield Finding(ERROR, UNUSABLE, line)
        if (more := len(same) - MAX_EXAMPLES) > 0:
            yield Finding(ERROR, UNUSABLE, f"and {more:,} more like these", more)
    if more := sum(map(len, hidden)):
        yield Finding(ERROR, UNUSABLE, f"and {more:,} more of other kinds", more)


def _source(task: Task) -> str:
    try:
        return task.source.describe()
    except BenchError:  # a missing file, which is an error of reading
        return ""
