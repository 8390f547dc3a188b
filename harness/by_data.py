"""The recipe fields that follow from the training rows, and how many steps a training then has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.recipe import Recipe, open_fields

# How long a training is, before anything stops it. Imports no torch: estimates ask too.


def planned(features: int, recipe: Recipe, budget: float = 1.0) -> tuple[int, int]:
    """The optimiser's steps, and the validations among them.

    Args:
        features: for training.
        recipe: without fields that are left to the data.
        budget: the share of the steps and validations that a trial has, see `harness.searched.Trial`.
    """
    an_epoch = math.ceil(features / recipe.batch_size)
    steps = int(min(recipe.max_steps or math.inf, an_epoch * recipe.epochs))
    if budget < 1:
        steps = max(1, round(steps * budget))
    if not recipe.evaluations:
        return steps, math.ceil(steps / an_epoch)
    return steps, max(1, round(recipe.evaluations * budget))


# The recipe fields that follow from the training rows: lengths that fit, and enough steps for few rows. The rule is the same for
# every model and part of the protocol. It reads the number of training rows, and how many tokens the model's tokeniser makes of
# training and validation rows. It never reads test rows, so the same cell always gets the same values. Validation rows count
# because training rows may be shorter: SST-2 trains on phrases, and validates and tests on sentences twice as long.


SAMPLE = 2000  # rows of a split whose tokens are counted, evenly spread
COVERED = 0.99  # of the rows fit into the length
GRAIN = 8  # lengths are multiples of it
SHORTEST = 16  # tokens
BATCHES = ((100, 8), (2000, 16), (math.inf, 32))  # below so many rows, so many in a batch: few rows need more steps
# Few rows need more passes, for what a small data set lacks is steps (Mosbach et al. 2021; Zhang et al. 2021): ROOT / sqrt(rows).
ROOT, FEWEST, MOST = 320, 3, 20
LONGEST = 40  # epochs of a family that needs several times as many
EVALUATIONS = (5, 10)  # validations of a training: one an epoch, but no fewer and no more
ROOM = 1.25  # what is written may be so much longer than what was seen
ANSWER = 30  # tokens of an answer, at least


@dataclass(frozen=True)
class Needs:
    """What a head would need to read and write examples uncut.

    Attributes:
        rows: in the training split.
        tokens: for each split that was looked at, recipe field → its length in tokens for each example.
        limit: the most tokens that the model can read at once, or None.
        windows: whether the head reads what is longer in overlapping windows, and cuts nothing.
    """

    rows: int
    tokens: Sequence[Mapping[str, Sequence[int]]] = ()
    limit: int | None = None
    windows: bool = False


def fit(recipe: Recipe, needs: Needs, passes: float = 1.0) -> tuple[Recipe, dict[str, str]]:
    """The recipe with a value in each field that is left to the data, and field → why.

    Args:
        passes: how many times as many epochs few rows of the family need as those of a classifier (`TaskFamily.passes`).
    """
    found: dict[str, int] = {}
    why: dict[str, str] = {}

    def given(name: str) -> int:
        return found.get(name, getattr(recipe, name))

    left = open_fields(recipe)
    rows = max(1, needs.rows)
    if "batch_size" in left:
        found["batch_size"] = next(size for limit, size in BATCHES if rows < limit)
        why["batch_size"] = f"{rows:,} training rows"
    if "epochs" in left:
        found["epochs"] = epochs(rows, passes)
        why["epochs"] = f"{rows:,} training rows"
    steps = math.ceil(rows / given("batch_size")) * given("epochs")
    if "evaluations" in left:
        least, most = EVALUATIONS
        found["evaluations"] = max(1, min(most, max(least, given("epochs")), steps))
        why["evaluations"] = f"{given('epochs')} epochs"
    if "patience" in left:
        found["patience"] = max(3, (given("evaluations") or given("epochs")) // 2)
        why["patience"] = "half of the evaluations"
    for name in ("max_length", "max_target_length", "max_answer_length"):
        if name in left:
            found[name], why[name] = _length(name, needs)
    if "doc_stride" in left:
        found["doc_stride"] = given("max_length") // 4
        why["doc_stride"] = "a quarter of max_length"
    return recipe.updated(found), why


def facts(recipe: Recipe, why: Mapping[str, str], rate: str, precision: str) -> dict[str, Any]:
    """Field → its value and why it has it, for records and for the line that a plan or a run prints.

    Args:
        recipe: with a value in each field.
        why: the reason of each field that was left to the data.
        rate: why the learning rate is what it is.
        precision: that is trained in.
    """
    values = {"learning_rate": rate, **why}
    found = {name: {"value": getattr(recipe, name), "why": reason} for name, reason in values.items()}
    return {**found, "precision": {"value": precision, "why": "what the device computes fast"}}


def epochs(rows: int, passes: float = 1.0) -> int:
    """Passes over the training rows, more of them where there are few; many rows need no more for any family."""
    most = min(LONGEST, round(MOST * passes))
    return max(FEWEST, min(most, round(passes * ROOT / math.sqrt(rows))))


def _length(name: str, needs: Needs) -> tuple[int, str]:
    """A length that covers nearly all of the examples, and why it is what it is."""
    splits = [sorted(lengths) for tokens in needs.tokens if (lengths := tokens.get(name))]
    if not splits:
        return getattr(Recipe(), name), ""  # nothing that is read or written has such a length
    covered = max(lengths[math.ceil(COVERED * len(lengths)) - 1] for lengths in splits)
    if name == "max_answer_length":
        return max(ANSWER, covered), f"{COVERED:.0%} of the answers have {covered} tokens or fewer"
    wanted = covered * ROOM if name == "max_target_length" else covered
    wanted = max(SHORTEST, math.ceil(wanted / GRAIN) * GRAIN)
    if needs.limit and wanted > needs.limit:
        longer = max(sum(length > needs.limit for length in lengths) / len(lengths) for lengths in splits)
        rest = "read in windows" if needs.windows else "cut"
        return needs.limit, f"the model's limit; {longer:.0%} of the rows are longer and {rest}"
    return wanted, f"{COVERED:.0%} of the rows have {covered} or fewer"
