"""Helpers of all grammars: filling templates, and assembling splits that share no text."""

import random
import re
from collections.abc import Callable

SPLITS = ("train", "validation", "test")
_SLOT = re.compile(r"\{(\w+?)\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeioAEIO]|u(?!ni|s[eu])|hour|honest)")

Row = dict[str, object]


def fill(rng: random.Random, template: str, slots: dict[str, list[str]]) -> str:
    """Replace every `{slot}` by a random choice of `slots[slot]`. A text never uses the same choice twice."""
    used: list[str] = []

    def pick(match: re.Match) -> str:
        choices = [word for word in slots[match.group(1)] if word not in used]
        used.append(rng.choice(choices))
        return used[-1]

    return sentence(_SLOT.sub(pick, template))


def sentence(text: str) -> str:
    """Upper-case the first letter and put `an` for `a` where the next word begins with a vowel."""
    text = _ARTICLE.sub(r"\1n ", text)
    return text[:1].upper() + text[1:]


def build(
    task: str,
    plan: dict[str, dict[str, int]],
    make: Callable[[random.Random, str, str], Row | None],
    key: Callable[[Row], str],
) -> dict[str, list[Row]]:
    """Make `plan[split][phenomenon]` rows of each kind by calls of `make(rng, split, phenomenon)`.

    Test rows are made first, so that they do not change when a training set grows. Rows with a `key` that has occurred
    before in any split are dropped, as are None.

    Raises:
        RuntimeError: the grammar is too small for the plan.
    """
    seen: set[str] = set()
    data: dict[str, list[Row]] = {}
    for split in reversed(SPLITS):
        rows = []
        for phenomenon, count in plan[split].items():
            rng = random.Random(f"{task}/{split}/{phenomenon}")
            made, tries = 0, 0
            while made < count:
                tries += 1
                if tries > 60 * count:
                    raise RuntimeError(
                        f"the grammar of {task} gives only {made} of {count} rows of {split}/{phenomenon}"
                    )
                row = make(rng, split, phenomenon)
                if row is None or key(row) in seen:
                    continue
                seen.add(key(row))
                rows.append(row | {"phenomenon": phenomenon})
                made += 1
        random.Random(f"{task}/{split}").shuffle(rows)
        data[split] = [{"id": f"{split}-{number:04d}"} | row for number, row in enumerate(rows)]
    return {split: data[split] for split in SPLITS}
