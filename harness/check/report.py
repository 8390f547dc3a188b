"""Everything that is found in a task's data, together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.check import labels as of_labels
from harness.check import plausible
from harness.check.characters import characters
from harness.check.labels import spot
from harness.check.lengths import Lengths, lengths
from harness.check.reader import reader
from harness.check.repeats import conflicts, duplicates, empty, ids
from harness.errors import BenchError
from harness.family import TaskFamily, key_of
from harness.finding import ERROR, NOTE, WARNING, Finding
from harness.safe_text import listed
from harness.task import Task
from harness.task_data import TaskData, load_data

EXAMPLES = 3  # rows that are told of each kind of error
KINDS = 5  # kinds of errors that are told
_VALUES = re.compile(r"\([^()]*\)|'[^']*'|\"[^\"]*\"|“[^”]*”|\d+")  # in what two errors of one kind may differ
UNUSABLE = "unusable-data"  # the code of what keeps data from being read


@dataclass(frozen=True)
class Report:
    """What a look at a task's data gives.

    Attributes:
        task: its title.
        rows: split → rows.
        whole: the same before the task's limit.
        kinds: class or entity type → split → how many.
        lengths: of every column in every split.
        found: what the reader of the files reported, by split of the source.
        findings: errors first.
    """

    task: str
    family: str
    source: str
    split_rule: str | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    whole: Mapping[str, int] = field(default_factory=dict)
    kinds: of_labels.Counts = field(default_factory=dict)
    lengths: tuple[Lengths, ...] = ()
    found: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def of(self, level: str) -> list[Finding]:
        """The findings of a level."""
        return [finding for finding in self.findings if finding.level == level]


def examine(task: Task, family: TaskFamily) -> tuple[Report, TaskData | None]:
    """Read a task's data and look at it; the data are None where they cannot be used, and the report then says why."""
    bad: list[str] = []
    try:
        data = load_data(task, family, bad)
    except BenchError as error:
        bad.append(str(error))
        data = None
    if bad or data is None:
        return Report(task.title, family.name, _source(task), findings=tuple(_errors(bad))), None
    texts = _texts(data, family)
    kinds = of_labels.count(data.splits, family)
    report = Report(
        task=task.title, family=family.name, source=_source(task), split_rule=data.rule,
        rows={split: len(rows) for split, rows in data.splits.items()}, whole=data.rows_without_limit, kinds=kinds,
        lengths=tuple(lengths(texts)), found=data.reports, findings=tuple(_findings(data, task, family, texts, kinds)),
    )  # fmt: skip
    return report, data


def warnings(data: TaskData, task: Task, family: TaskFamily) -> list[str]:
    """What a record keeps: the messages of all that may change what a score means.

    Raises:
        BenchError: findings with which nothing can be trained, or no score would mean anything.
    """
    found = _findings(data, task, family, _texts(data, family), of_labels.count(data.splits, family))
    refuse(found, task)
    return [finding.message for finding in found if finding.level != NOTE]


def plausibility(data: TaskData, task: Task, family: TaskFamily) -> list[Finding]:
    """The part of a check that takes little time: whether labels, tags and words can mean what a task means, and the family's errors."""
    counts = of_labels.count(data.splits, family)
    errors = [finding for finding in family.check(data.splits, task) if finding.level == ERROR]
    return [*errors, *_plausible(data, task, family, counts)]


def refuse(findings: Sequence[Finding], task: Task) -> None:
    """Stop where a finding is an error.

    Raises:
        BenchError: a line for each error.
    """
    if errors := [finding.message for finding in findings if finding.level == ERROR]:
        raise BenchError("\n".join(f"task {task.name!r} ({_source(task)}): {message}" for message in errors))


def _plausible(data: TaskData, task: Task, family: TaskFamily, counts: of_labels.Counts) -> Iterator[Finding]:
    if family.labels(data.splits, task) is not None:
        yield from plausible.labels(counts, data.splits, task, family)
        yield from plausible.tokens(data.splits)
    yield from plausible.language_options(data.splits, task, family)
    yield from plausible.reserved(data, task)


Texts = dict[str, list[tuple[str, dict[str, Any]]]]


def _texts(data: TaskData, family: TaskFamily) -> Texts:
    return {split: [(spot(row), family.texts(row)) for row in rows] for split, rows in data.splits.items()}


def _findings(
    data: TaskData, task: Task, family: TaskFamily, texts: Texts, kinds: of_labels.Counts
) -> list[Finding]:  # fmt: skip
    found = list(_each(data, task, family, texts, kinds))
    return sorted(found, key=lambda finding: (ERROR, WARNING, NOTE).index(finding.level))  # stable


def _each(data: TaskData, task: Task, family: TaskFamily, texts: Texts, kinds: of_labels.Counts) -> Iterator[Finding]:
    keyed = {split: [(name, key_of(columns, family.inputs)) for name, columns in rows] for split, rows in texts.items()}
    yield from of_labels.labels(kinds, data.splits, task, family)
    yield from _plausible(data, task, family, kinds)
    yield from family.check(data.splits, task)
    yield from empty(texts)
    yield from duplicates({split: [pair for pair in rows if pair[1]] for split, rows in keyed.items()})
    labelled = (
        (name, key, label)
        for split, rows in data.splits.items()
        for row, (name, key) in zip(rows, keyed[split], strict=True)
        if key and (label := family.stratum(row)) is not None
    )
    yield from conflicts(labelled, "label")
    yield from ids(data.splits)
    yield from reader(data.reports)
    dropped = {label for report in data.reports.values() for label in report.get("dropped_labels", ())}
    if unused := [label for label in task.drop_labels if label not in dropped]:
        message = f"drop_labels: no row has {listed(map(repr, unused))}; the labels there are: {listed(kinds)}"
        yield Finding(WARNING, "unused-drop-labels", message, len(unused))
    yield from characters(texts)


def _errors(lines: list[str]) -> Iterator[Finding]:
    """A finding for the first few rows of each kind of error, and one for the number of the others."""
    kinds: dict[str, list[str]] = {}
    for line in lines:
        kinds.setdefault(_VALUES.sub("", line), []).append(line)
    for same in list(kinds.values())[:KINDS]:
        for line in same[:EXAMPLES]:
            yield Finding(ERROR, UNUSABLE, line)
        if len(same) > EXAMPLES:
            yield Finding(ERROR, UNUSABLE, f"and {len(same) - EXAMPLES:,} more like these", len(same) - EXAMPLES)
    if left := [line for same in list(kinds.values())[KINDS:] for line in same]:
        yield Finding(ERROR, UNUSABLE, f"and {len(left):,} more of other kinds", len(left))


def _source(task: Task) -> str:
    try:
        return task.source.describe()
    except BenchError:  # a file that is missing; reading it has said so
        return ""
