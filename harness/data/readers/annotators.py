"""Several annotators' rows on one question, made one row with several reference answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.data.place import place, placed
from harness.errors import BenchError

# `any` is what SQuAD 2.0's script makes of a question with several references: it has no answer only if none has one.
DISAGREEMENT = ("any", "majority")


def merge(rows: Sequence[Mapping[str, Any]], disagreement: str, report: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each `id`, in the order in which they begin; its answers are those of all its rows, equal ones once.

    The report gets `rows`, `merged` (questions of more than one row) and `disagree` (of these, those that some rows answer and
    others do not).

    Raises:
        BenchError: rows with the same id and another question or context.
    """
    by_id: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_id.setdefault(row["id"], []).append(row)
    merged = []
    disagreeing = 0
    for same in by_id.values():
        first = same[0]
        for row in same:
            for name in ("question", "context"):
                if row[name] != first[name]:
                    raise BenchError(
                        f"{place(row, 'a row')}: the id {row['id']!r} of {place(first, 'another row')}, but another "
                        f"{name}; name the column that tells questions apart as `id`"
                    )
        empty = sum(not row["answers"]["text"] for row in same)
        disagreeing += 0 < empty < len(same)
        kept: dict[tuple[int, str], None] = {}
        if not (disagreement == "majority" and empty * 2 > len(same)):
            for row in same:
                kept |= dict.fromkeys(zip(row["answers"]["answer_start"], row["answers"]["text"], strict=True))
        answers = {"text": [text for _, text in kept], "answer_start": [start for start, _ in kept]}
        merged.append(placed({**first, "answers": answers}, first))
    report.update(rows=len(rows), merged=sum(len(same) > 1 for same in by_id.values()), disagree=disagreeing)
    return merged
