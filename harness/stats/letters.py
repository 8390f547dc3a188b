"""Groups that cannot be told apart, by letters."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from string import ascii_lowercase
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def letters(ranked: Sequence[T], different: Collection[frozenset[T]]) -> Mapping[T, str]:
    """The compact letter display (Piepho 2004): two that share a letter cannot be told apart, two that share none differ.

    Args:
        ranked: best first; the best one's group is `a`.
        different: pairs that can be told apart.

    Returns:
        The letters of each; after `z` come `aa`, `ab` …, then with a dot between letters.
    """
    groups: list[frozenset[T]] = [frozenset(ranked)]
    for pair in sorted(different, key=lambda pair: sorted(map(ranked.index, pair))):
        split = [
            group - {one} if pair <= group else group for group in groups for one in (pair if pair <= group else [None])
        ]
        unique = list(dict.fromkeys(split))
        groups = [group for group in unique if not any(group < other for other in unique)]
    groups.sort(key=lambda group: sorted(map(ranked.index, group)))
    names = [_name(number) for number in range(len(groups))]
    dot = "." if len(groups) > len(ascii_lowercase) else ""
    return {one: dot.join(name for name, group in zip(names, groups, strict=True) if one in group) for one in ranked}


def _name(number: int) -> str:
    first, second = divmod(number, len(ascii_lowercase))
    return (ascii_lowercase[first - 1] if first else "") + ascii_lowercase[second]
