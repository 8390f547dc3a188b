"""Test rows as text: predictions and whether they are right, and the texts that models read, which records do not hold.

Texts are read from the data, and shown only where these are the data of the record: same fingerprint, and test rows with the ids
and references of its predictions.
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
from harness.rows import load
from harness.task import Task

LONGEST = 400  # characters of a prediction or reference
Facts = Mapping[str, Any]
Texts = tuple[Mapping[str, str], str]  # row id → its text, and why there are none; one of the two is empty


def is_right(prediction: Any, reference: Any) -> bool:
    """Whether a prediction equals its reference. One of several answers is enough; no answers means the empty answer."""
    if isinstance(reference, Mapping) and isinstance(reference.get("answers"), Mapping):
        reference = [answer.strip() for answer in reference["answers"].get("text") or [""]]
    if isinstance(prediction, str) and isinstance(reference, list):
        return prediction.strip() in reference
    return prediction == reference


def answer_text(value: Any) -> str:
    """A prediction or reference as one text: tags with spaces between, several answers with bars."""
    if isinstance(value, Mapping) and isinstance(value.get("answers"), Mapping):
        value = list(dict.fromkeys(value["answers"].get("text") or [""]))
        text = " | ".join(map(str, value))
    elif isinstance(value, list) and all(isinstance(part, str) for part in value):
        text = (" | " if any(" " in part for part in value) else " ").join(value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = text.strip()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def label_of(value: Any) -> str | None:
    """The label that a prediction or reference is; None where it is not a single label."""
    if isinstance(value, bool | int | str):
        return str(value)
    return None


def texts_of_rows(facts: Facts, predictions: Sequence[Facts], root: Path, fetch: bool = True) -> Texts:
    """The texts of a record's test rows.

    Args:
        facts: the `task` of the record.
        predictions: its predictions; each must have its row in the data.
        root: the results folder, where runs note the paths of their data (see `harness.origins`).
        fetch: whether a data set of the Hub may be read, which may download it.
    """
    why = (
        "its task is not registered here, and no run has noted here where its data are (the bench run that made it, "
        "called again, does so and trains nothing)"
    )
    for task in _candidate_tasks(facts, root):
        if isinstance(task.source, HubSource) and not fetch:
            return {}, "its data are on the Hub; --with-texts reads them from there"
        by_id, why = _read_texts(task, facts, predictions)
        if by_id:
            return by_id, ""
    return {}, why


def _candidate_tasks(facts: Facts, root: Path) -> Iterator[Task]:
    """Tasks that may be the one of the record: those that runs have noted, and the registered one of its name."""
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
        rows = {row["id"]: row for row in load(replace(task, source=source), family).splits["test"]}
    except BenchError as error:
        # The message of a file has a path in it, and the page may go to other people.
        where = f"the data ({facts.get('source')}) cannot be read any more where they were"
        return {}, str(error) if isinstance(source, HubSource) else where
    for line in predictions:
        row = rows.get(line["id"])
        if row is None or _as_stored(family.reference(row, task)) != line["reference"]:
            return {}, "this version of bench makes other test rows of the data than those of the records"
    return {name: _row_text(family.texts(row)) for name, row in rows.items()}, ""


def _at_revision(source: Source, revision: str | None) -> Source:
    """The source at the revision of the record."""
    return replace(source, revision=revision) if isinstance(source, HubSource) and revision else source.pinned()


def _as_stored(value: Any) -> Any:
    """A value as it is in a file of predictions."""
    return json.loads(json.dumps(value))


def _row_text(columns: Mapping[str, str | Sequence[str]]) -> str:
    """The text of a row; with the names of its columns where there are several."""
    texts = {name: value if isinstance(value, str) else " ".join(value) for name, value in columns.items()}
    return (
        next(iter(texts.values()), "") if len(texts) == 1 else "\n".join(f"{name}: {one}" for name, one in texts.items())
    )
