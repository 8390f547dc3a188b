"""Unique titles for models and tasks that share a name, from the fewest fields in which they differ."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

SHORT = 12  # hexadecimal digits of a fingerprint or digest that are shown


def titles(
    identities: Sequence[Mapping[str, Any]], kind: str, first: Sequence[str], paths: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """A title for each identity, and notes on names that several identities share.

    The title is the name. If several identities share a name, it is distinguished by the ends of their paths if these
    differ, else by as few fields as possible.

    Args:
        identities: mappings with a `name`, one for each record.
        kind: `model` or `task`, for the notes.
        first: fields that are preferred over all others.
        paths: path of the file or folder of each identity; empty if unknown.
    """
    by_name: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for identity in identities:
        by_name[identity["name"]][canonical(identity)] = identity
    path_of = {canonical(identity): path for identity, path in zip(identities, paths, strict=False) if path}
    title, notes = {}, []
    for name, different in sorted(by_name.items()):
        known_paths = {key: path_of[key] for key in different if key in path_of}
        ends = distinguishing(known_paths) if 1 < len(different) == len(known_paths) else {}
        if ends and not any(end in by_name for end in ends.values()):
            title |= {key: end if kind == "model" else f"{name} ({end})" for key, end in ends.items()}
            known = ", ".join(sorted(title[key] for key in different))
            notes.append(f"Different {kind}s are called {name}, so each counts on its own: {known}.")
            continue
        fields = _distinguishing_fields(list(different.values()), first)
        for key, identity in different.items():
            parts = ", ".join(_field(field, identity.get(field)) for field in fields)
            title[key] = f"{name} ({parts})" if fields else name
        if fields:
            known = ", ".join(sorted(title[key] for key in different))
            notes.append(f"The {kind} {name} is not the same in all records, so each counts on its own: {known}.")
    return [title[canonical(identity)] for identity in identities], notes


def canonical(value: Any) -> str:
    """A text that is equal for equal values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _distinguishing_fields(identities: Sequence[Mapping[str, Any]], first: Sequence[str]) -> list[str]:
    """A short list of fields, in order of preference, that distinguish all identities."""
    names = sorted({name for identity in identities for name in identity})
    chosen: list[str] = []
    for name in dict.fromkeys([*first, *names]):
        seen = {canonical([identity.get(field) for field in chosen]) for identity in identities}
        if len(seen) == len(identities):
            break
        finer = {canonical([identity.get(field) for field in [*chosen, name]]) for identity in identities}
        if len(finer) > len(seen):
            chosen.append(name)
    return chosen


def _field(name: str, value: Any) -> str:
    short = {
        "version": f"v{value}",
        "fingerprint": f"data {str(value)[:SHORT]}",
        "digest": f"weights {str(value)[:SHORT]}",
    }
    return short.get(name, f"{name} {value}")


def distinguishing(paths: Mapping[str, str]) -> dict[str, str]:
    """Key → the end of its path with as few parts as needed to make all ends differ. Empty if two paths are equal."""
    parts = {key: tuple(part for part in PurePath(path).parts if part != ".") for key, path in paths.items()}
    if len(set(parts.values())) < len(parts):
        return {}
    for length in range(1, max(map(len, parts.values())) + 1):
        ends = {key: "/".join(part[-length:]).replace("//", "/") for key, part in parts.items()}
        if len(set(ends.values())) == len(ends):
            return ends
    return {}
