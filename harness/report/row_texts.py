"""Test rows as text: whether predictions are right, and the texts that models read, which records do not store.

Texts are read from the data. They are shown only if these are the data of the record: they must have its fingerprint,
and their test rows the ids and references of its predictions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import registry
from harness.data.source import HubSource, Source
from harness.errors import BenchError
from harness.origins import read_notes
from harness.task import Task
from harness.task_data import load_data

MAX_LENGTH = 400  # characters of a prediction or reference
Facts = Mapping[str, Any]
Texts = tuple[Mapping[str, str], str]  # row id → text, and why there are no texts; one of the two is empty


def is_right(prediction: Any, reference: Any) -> bool:
    """Whether a prediction equals its reference, or one of its answers. Without answers, the empty text is right."""
    if isinstance(reference, Mapping) and isinstance(reference.get("answers"), Mapping):
        reference = [answer.strip() for answer in reference["answers"].get("text") or [""]]
    if isinstance(prediction, str) and isinstance(reference, list):
        return prediction.strip() in reference
    return prediction == reference


def answer_text(value: Any) -> str:
    """Return a prediction or reference as one text: tags separated by spaces, several answers by bars."""
    if isinstance(value, Mapping) and isinstance(value.get("answers"), Mapping):
        value = list(dict.fromkeys(value["answers"].get("text") or [""]))
        text = " | ".join(map(str, value))
    elif isinstance(value, list) and all(isinstance(part, str) for part in value):
        text = (" | " if any(" " in part for part in value) else " ").join(value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = text.strip()
    return text if len(text) <= MAX_LENGTH else text[: MAX_LENGTH - 1] + "…"


def label_of(value: Any) -> str | None:
    """Return a prediction or reference as a label; None if it is not a single label."""
    return str(value) if isinstance(value, bool | int | str) else None


def texts_of_rows(facts: Facts, predictions: Sequence[Facts], root: Path, fetch: bool = True) -> Texts:
    """Return the texts of the test rows of a record.

    Args:
        facts: the `task` of the record.
        predictions: its predictions; each must have a row in the data.
        root: the results folder, in which runs note the paths of their data (see `harness.origins`).
        fetch: whether to read a data set of the Hub, which may download it.
    """
    reason = (
        "its task is not registered here, and no run has noted here where its data are (the bench run that made it, "
        "called again, does so and trains nothing)"
    )
    for task in _candidate_tasks(facts, root):
        if isinstance(task.source, HubSource) and not fetch:
            return {}, "its data are on the Hub; --with-texts reads them from there"
        texts, reason = _read_texts(task, facts, predictions)
        if texts:
            return texts, ""
    return {}, reason


def _candidate_tasks(facts: Facts, root: Path) -> Iterator[Task]:
    """Return tasks that may be the one of the record: those noted by runs, and the registered task of its name."""
    yield from read_notes(root, facts)
    name, _, size = facts["name"].partition("@")
    task = registry.tasks().get(name)
    if task:
        yield task.limited(int(size)) if size.isdecimal() else task


def _read_texts(task: Task, facts: Facts, predictions: Sequence[Facts]) -> Texts:
    source = _at_revision(task.source, facts.get("revision"))
    try:
        if task.version != facts.get("version") or source.fingerprint() != facts.get("fingerprint"):
            return {}, f"the data here ({facts.get('source')}) are not those of the records"
        family = registry.family(task.family)
        rows = {row["id"]: row for row in load_data(replace(task, source=source), family).splits["test"]}
    except BenchError as error:
        # The error message of a file contains its path, which must not be in a page for other people.
        moved = f"the data ({facts.get('source')}) cannot be read any more where they were"
        return {}, str(error) if isinstance(source, HubSource) else moved
    for line in predictions:
        row = rows.get(line["id"])
        # The reference is converted as it was for the file of predictions.
        if row is None or json.loads(json.dumps(family.reference(row, task))) != line["reference"]:
            return {}, "this version of bench makes other test rows of the data than those of the records"
    return {name: _row_text(family.texts(row)) for name, row in rows.items()}, ""


def _at_revision(source: Source, revision: str | None) -> Source:
    return replace(source, revision=revision) if isinstance(source, HubSource) and revision else source.pinned()


def _row_text(columns: Mapping[str, str | Sequence[str]]) -> str:
    """Return the text of a row; with the names of its columns if there are several."""
    texts = {name: value if isinstance(value, str) else " ".join(value) for name, value in columns.items()}
    return "".join(texts.values()) if len(texts) == 1 else "\n".join(f"{name}: {text}" for name, text in texts.items())
