"""Predictions as text, and whether they are right."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import registry
from harness.data.source import HubSource, Source
from harness.errors import BenchError
from harness.origins import noted
from harness.rows import load
from harness.task import Task

LONGEST = 400  # characters of a prediction or reference


def is_right(prediction: Any, reference: Any) -> bool:
    """Letter for letter: a reference may list several answers, and an empty list of answers wants an empty one."""
    if isinstance(reference, Mapping) and isinstance(reference.get("answers"), Mapping):
        reference = [answer.strip() for answer in reference["answers"].get("text") or [""]]
    if isinstance(prediction, str) and isinstance(reference, list):
        return prediction.strip() in reference
    return prediction == reference


def answer_text(value: Any) -> str:
    """A prediction or reference as one text; tags with spaces between, several answers with bars, no white space around."""
    if isinstance(value, Mapping) and isinstance(value.get("answers"), Mapping):
        value = list(dict.fromkeys(value["answers"].get("text") or [""]))
        told = " | ".join(map(str, value))
    elif isinstance(value, list) and all(isinstance(part, str) for part in value):
        told = (" | " if any(" " in part for part in value) else " ").join(value)
    else:
        told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    told = told.strip()
    return told if len(told) <= LONGEST else told[: LONGEST - 1] + "…"


def label_of(value: Any) -> str | None:
    """The class that a value is; None for what is no single label."""
    if isinstance(value, bool | int | str):
        return str(value)
    return None


Facts = Mapping[str, Any]
Texts = tuple[Mapping[str, str], str]  # row id → its text, and why there is none; one of the two is empty


def test_texts(facts: Facts, predictions: Sequence[Facts], root: Path, fetch: bool = True) -> Texts:
    """The texts of a record's test rows.

    Args:
        facts: the record's `task`.
        predictions: the record's; every one of them must have its row in the data.
        root: the results folder, where a run has noted where its tasks' data are (see `harness.origins`).
        fetch: whether a data set of the Hub may be read, and so be downloaded.
    """
    why = (
        "its task is not registered here, and no run has noted here where its data are (the bench run that made it, "
        "called again, does so and trains nothing)"
    )
    for task in _candidate_tasks(facts, root):
        if isinstance(task.source, HubSource) and not fetch:
            return {}, "its data are on the Hub; --with-texts reads them from there"
        found, why = _read_texts(task, facts, predictions)
        if found:
            return found, ""
    return {}, why


def _candidate_tasks(facts: Facts, root: Path) -> Iterator[Task]:
    """The tasks that the record's may be: those that runs have noted, and the registered one of its name."""
    yield from noted(root, facts)
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
        rows = {row["id"]: row for row in load(replace(task, source=source), family).splits["test"]}
    except BenchError as error:
        # Not the message of a file's error, which has a path in it: the page may go to other people.
        where = f"the data ({facts.get('source')}) cannot be read any more where they were"
        return {}, str(error) if isinstance(source, HubSource) else where
    for line in predictions:
        row = rows.get(line["id"])
        if row is None or _as_stored(family.reference(row, task)) != line["reference"]:
            return {}, "this version of bench makes other test rows of the data than those of the records"
    return {name: _row_text(family.texts(row)) for name, row in rows.items()}, ""


def _at_revision(source: Source, revision: str | None) -> Source:
    """The source as it was for the record, whatever its branch is now."""
    return replace(source, revision=revision) if isinstance(source, HubSource) and revision else source.pinned()


def _as_stored(value: Any) -> Any:
    """As it is in a file of predictions."""
    return json.loads(json.dumps(value))


def _row_text(found: Mapping[str, str | Sequence[str]]) -> str:
    """All that a row's model reads; with the names of the columns where there are several."""
    told = {name: value if isinstance(value, str) else " ".join(value) for name, value in found.items()}
    return (
        next(iter(told.values()), "") if len(told) == 1 else "\n".join(f"{name}: {one}" for name, one in told.items())
    )
