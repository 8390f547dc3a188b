"""How the splits of a task came about, in words: a number on a board is worth little without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.data.splits import ALIASES, HELD_OUT, SPLITS

PUBLISHED = "publisher's splits"


def split_rule(
    given: Iterable[str],
    *,
    seed: int,
    stratified: bool,
    group: str | None,
    renamed: Mapping[str, str] | None = None,
    equal: bool | None = None,
    few: int | None = None,
) -> str:
    """One line: `publisher's splits`, or which ones `complete_splits` made and how.

    Args:
        given: canonical names of the splits that the source has.
        seed: as given to `complete_splits`.
        stratified: whether labels kept their proportions.
        group: the column whose rows stay together; None where none does.
        equal: whether equal texts are in one of the splits that were made; None: nobody looked.
        few: the number of groups where they were too few to keep together.
        renamed: our split → what the source calls it, where that is another split (test taken from its validation).
    """
    given = set(given)
    how = f", grouped by {group}" if group else ", stratified by label" if stratified else ""
    if few:
        how += f" (group has {few} values only, too few to keep its rows together)"
    how += {True: ", equal texts together", False: ", equal texts on both sides", None: ""}[equal]
    missing = [name for name in SPLITS[1:] if name not in given]
    if not missing:
        rule = PUBLISHED
    elif len(missing) == 2:
        rest = 1 - len(missing) * HELD_OUT
        rule = f"{rest * 100:.0f}/{HELD_OUT * 100:.0f}/{HELD_OUT * 100:.0f} of all rows{how}, seed {seed}"
    else:
        rule = f"{missing[0]}: {HELD_OUT * 100:.0f} % of train{how}, seed {seed}; the others are the publisher's"
    other = [
        f"{ours} is the publisher's {theirs}"
        for ours, theirs in (renamed or {}).items()
        if ours in SPLITS and ALIASES.get(theirs, theirs) != ours
    ]
    return "; ".join([rule, *other])
