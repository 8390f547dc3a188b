"""A look at all the rows of a task before anything is trained, and what they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness import registry
from harness.check.report import plausibility, refuse
from harness.data.source import FileSource
from harness.errors import BenchError
from harness.finding import NOTE
from harness.safe_text import short
from harness.task import Task
from harness.task_data import load_data

# Facts that readers report -> how a note says them. What may be wrong with a data set is told by its check (`harness.check`).
NOTED = {
    "first_line": "the first line says {}",
    "delimiter": "delimiter {}",
    "empty_rows": "{} empty rows, skipped",
    "quoted": "{} cells in quotes, read without these",
    "kept_quotes": "warning: {} cells in quotes, which stay part of the text",
    "single_quotes": "warning: {} cells in single quotes, which stay part of the text",
    "swallowed": "warning: {} cells that may have swallowed rows, by a quotation mark without its partner",
    "unused": "{} files or folders beside the data, not read",
    "named_twice": "{} files named twice, read once",
    "equal_splits": "warning: {} files with the same rows as one of another split",
    "equal_files": "warning: {} files with the same rows as another one",
    "repeated_headers": "{} repeated headers, skipped",
    "cut_quotes": "warning: {} rows with a cell that curly quotes enclose and a delimiter cuts in two",
    "curly_quotes": "warning: {} cells in curly quotes, which stay part of the text",
    "spaced_quotes": "warning: {} cells with a blank before their quotation mark, which stays part of the text",
    "dropped": "{} rows dropped by drop_labels",
    "orient": "JSON of a data frame, orient {}",
    "sheet": "the first sheet, {}",
    "scheme": "tags in scheme {}",
    "decoded": "{} values of bytes, read as UTF-8",
    "printed": "{} printed lists or objects, read as such",
    "single_lists": "{} lists of one label, read as that label",
    "trimmed_labels": "{} labels with blanks around them, left out",
    "label_spellings": "{} labels in another spelling of the same number or truth value",
    "surrogates": "{} values with half of a surrogate pair, now U+FFFD",
    "truth_values": "{} truth values written as text or number",
    "impossible_with_answers": "{} questions with answers that are marked as impossible, read as without",
    "negative_starts": "{} answers with a text and a negative start, left out",
    "offsets": "offsets count {}, converted",
    "unplaced": "{} answers that stand nowhere, left out of training",
    "comments": "{} lines of comments, left out",
    "other_tags": "{}",
    "finer_labels": "{} finer labels behind a colon, left out",
    "codes": "{} codes of another program, left out",
    "other_languages": "other languages left out: {}",
    "other_variants": "{} segments of other variants, left out",
    "documents": "{} documents, kept together",
    "unanswerable": "{} questions without answer",
    "put_together": "{} sentences, put together from a word a row",
    "wordless": "{} rows with a tag but no word, left out",
    "merged": "{} questions of several annotators, all their answers kept",
}
USUAL = ("iob2",)  # nothing to tell
SHOWN = 60  # characters of label names that still fit a line


def validate(task: Task) -> str:
    """Read and check every row of a task from files, as a worker will; the plain facts, in one line.

    The line says how many rows each split has, the labels, and how the files are written. It needs no model and no torch.

    Raises:
        BenchError: the first thing that is wrong, with file and line.
    """
    family = registry.family(task.family)
    data = load_data(task, family)
    labels = family.labels(data.splits, task)
    if labels is not None and len(labels) < 2:
        raise BenchError(
            f"task {task.name!r} ({task.source.describe()}): the training rows have one class only ({short(labels[0])}); "
            "give rows of two or more, or check the column of labels"
        )
    found = plausibility(data, task, family)
    refuse(found, task)
    notes = ["rows: " + ", ".join(f"{split} {len(part):,}" for split, part in data.splits.items())]
    if labels is not None:
        notes.append(f"{len(labels)} labels" + (f": {', '.join(labels)}" if len(", ".join(labels)) <= SHOWN else ""))
    remarks = [finding.message if finding.level == NOTE else f"warning: {finding.message}" for finding in found]
    return "; ".join([*notes, *_notes(data.reports.values()), *remarks])


def is_local(task: Task) -> bool:
    """Whether a task's rows are in files of this machine, so that they can be checked without a network."""
    return isinstance(task.source, FileSource)


def _notes(reports: Iterable[dict[str, Any]]) -> list[str]:
    """What is noteworthy in the readers' reports: numbers added up over the splits, words each once."""
    reports, notes = list(reports), []
    for key, text in NOTED.items():
        values = [report[key] for report in reports if report.get(key)]
        if not values:
            continue
        if all(isinstance(value, int) for value in values):
            notes.append(text.format(f"{sum(values):,}"))
        elif words := [word for word in dict.fromkeys(map(str, values)) if word not in USUAL]:
            notes.append(text.format(" and ".join(words)))
    return notes
