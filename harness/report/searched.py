"""Recipes that a search has chosen: how a board groups them, counts what they cost, and tells of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.titles import canonical
from harness.store import Record


@dataclass(frozen=True)
class Found:
    """What one search came to.

    Attributes:
        row: the model, and the method unless it is the usual one.
        arguments: of `--search`.
        trials, pruned, failed: numbers of trials: all, those that were ended early, those without a value.
        recipe: the fields that were searched, as the winner has them.
        seconds: that all trials took together.
    """

    row: str
    arguments: tuple[str, ...]
    trials: int
    pruned: int
    failed: int
    recipe: Mapping[str, Any]
    seconds: float


def summary(search: Mapping[str, Any]) -> dict[str, Any]:
    """A record's `search` without its trials one by one."""
    trials = search.get("trials") or []
    ends = [trial["status"] for trial in trials]
    return {
        "arguments": list(search.get("arguments") or ()),
        "trials": len(trials),
        "pruned": ends.count("pruned"),
        "failed": ends.count("failed"),
        "recipe": trials[winner]["recipe"] if (winner := search.get("winner")) is not None else {},
        "seconds": float(search.get("seconds") or 0.0),
    }


def found(rows: Iterable[tuple[str, Sequence[Record]]]) -> tuple[Found, ...]:
    """The different searches of rows' records; seeds share theirs."""
    made: dict[str, Found] = {}
    for row, records in rows:
        for search in {id(one): one for record in records if (one := record.get("search"))}.values():
            told = summary(search)
            one = Found(**{**told, "row": row, "arguments": tuple(told["arguments"])})
            made.setdefault(canonical([row, told]), one)
    return tuple(made.values())


def compared(records: Sequence[Record], tasks: Sequence[str], models: Sequence[str]) -> list[Mapping[str, Any] | None]:
    """Each record's recipe as far as it tells rows of a board apart; equal ones of searches are one object.

    What a search has chosen may differ from task to task and is no other row for that: in the place of the chosen fields
    stands what was searched. But where one search on one task has chosen differently, or other values go by the same name,
    these are told apart, so that nothing averages over them.
    """
    different: dict[tuple[str, ...], set[str]] = defaultdict(set)
    names = []
    for record, task, model in zip(records, tasks, models, strict=True):
        search = record.get("search")
        name = (task, model, record["method"], " ".join(search.get("arguments") or ())) if search else ()
        names.append(name)
        if search:
            different[name].add(canonical([search.get("specification"), record.get("recipe")]))
    made: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    return [_compared(record, name, len(different[name]) > 1, made) if name else record.get("recipe")
            for record, name in zip(records, names, strict=True)]  # fmt: skip


def _compared(
    record: Record, name: tuple[str, ...], whole: bool, made: dict[tuple[Any, ...], Any]
) -> Mapping[str, Any]:
    recipe, search = record.get("recipe") or {}, record["search"]
    key = (id(record.get("recipe")), id(search), name[-1], whole)
    if key not in made:
        fields = search["specification"]["fields"]
        told = f"{name[-1]} {canonical(fields)}" if whole else name[-1]
        made[key] = {
            **{field: "searched" if field in fields and not whole else value for field, value in recipe.items()},
            "search": told,
        }
    return made[key]


def sentence(searches: Sequence[Found], duration: Any) -> str:
    """What was searched on a task, and what won for whom; `duration` makes a text of seconds."""
    by_arguments: dict[tuple[str, ...], list[Found]] = defaultdict(list)
    for one in searches:
        by_arguments[one.arguments].append(one)
    told = []
    for arguments, group in by_arguments.items():
        winners = "; ".join(f"{one.row} {_recipe(one.recipe)}" for one in group)
        numbers = sorted({one.trials for one in group})
        ends = [
            f"{sum(getattr(one, end) for one in group)} {end}"
            for end in ("pruned", "failed")
            if any(getattr(one, end) for one in group)
        ]
        counts = ", ".join([f"{'/'.join(map(str, numbers))} trials a row", *ends])
        total = duration(sum(one.seconds for one in group))
        told.append(f"{' '.join(arguments)} ({counts}, {total} in all), chosen on validation: {winners}")
    return "; ".join(told)


def _recipe(recipe: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in recipe.items()) or "none"
