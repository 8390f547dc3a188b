"""Signs that a training failed or fell short, read from its record alone (docs/protocol.md, When a training fails)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from harness.cell import is_trial
from harness.methods import BASELINE
from harness.recipe import trained_recipe

SEARCH = "--search auto"

SAME = 0.98  # of all predictions: so many equal ones are almost all
RARE = 0.25  # ... unless other answers are given at least this often for each time that they are right: rare classes
FEW_KINDS = 0.05  # of the different answers that the references have: 7 of 150 classes is all that was learned
FLAT = 0.02  # of the first loss: what it must have fallen by; chance alone moves it by less
REPEATED = 5  # test rows for each different right answer: then answers are classes
LEARNED = 0.25  # of the way from the trivial answer to 100: a model that gets so far knows the task, whatever its loss does
FEW_STEPS = 100  # three epochs of 1,000 rows are fewer, and too few (Zhang et al. 2021, section 6)
POINTS = 2.0  # two validations that differ by less are taken for equal, and ...
ERRORS = 2  # ... also by fewer standard errors of a share over the validation rows
FALLEN = 0.1  # of the way from the trivial answer to the best validation: from there on down all is lost
LOW = 0.25  # of the way from the trivial answer to the upper seeds' mean: so near to it are seeds that collapsed
GAP = 3.0  # times the spread within the groups: seeds so far apart are of two kinds, and not unlike by chance
ROUNDING = 1e-9  # points


@dataclass(frozen=True)
class Trouble:
    """One sign of trouble.

    Attributes:
        kind: a short name for programs, such as `constant` or `few-steps`.
        text: what was seen, in a few words with its numbers, for boards and the terminal.
        cure: the option to try next, such as `--search auto`; empty where there is none.
        failed: whether the training is to count as failed, so that its score says nothing about the model.
    """

    kind: str
    text: str
    cure: str = ""
    failed: bool = False


def trouble(record: Mapping[str, Any]) -> list[Trouble]:
    """The signs of trouble in one record, those of a failed training first; none for baselines, trials and failed cells.

    A record that has kept what was seen when it was made is taken at its word.
    """
    score = record.get("score")
    if record.get("status") != "ok" or record["method"] == BASELINE or is_trial(record) or score is None:
        return []
    training = record.get("training") or {}
    if training.get("trouble") is not None:
        return [
            Trouble(one["kind"], one["text"], one.get("cure", ""), one.get("failed", False))
            for one in training["trouble"]
        ]
    found = [*_answers(record), *_loss(record), *_validations(record), *_steps(record)]
    trivial = record.get("trivial_score")
    if trivial is not None and score <= trivial + ROUNDING:
        text = f"not better than the trivial answer ({score:.1f}, {trivial:.1f})"
        # Without any other sign it ran as it should: then the model did not learn the task, or the test is unlike it.
        found.append(Trouble("trivial", text, SEARCH, failed=bool(found)))
    return sorted(found, key=lambda one: not one.failed)


def trouble_of_seeds(records: Sequence[Mapping[str, Any]]) -> list[Trouble]:
    """What only several seeds of one model, task, method and recipe show together: some learned, some collapsed.

    Fine-tuning now and then fails from one seed to the next (Dodge et al. 2020; Mosbach et al. 2021): the scores are then of
    two kinds, and their mean is of neither.
    """
    good = [record for record in records if record.get("status") == "ok" and record.get("score") is not None]
    known = [record["trivial_score"] for record in good if record.get("trivial_score") is not None]
    if len(good) < 2 or not known or good[0]["method"] == BASELINE:
        return []
    scores, trivial = sorted(float(record["score"]) for record in good), fmean(known)
    cut = max(range(1, len(scores)), key=lambda place: scores[place] - scores[place - 1])
    lower, upper = scores[:cut], scores[cut:]
    rows = ((good[0].get("task") or {}).get("rows") or {}).get("test")
    gap, within = upper[0] - lower[-1], max(lower[-1] - lower[0], upper[-1] - upper[0])
    apart = gap > GAP * within and gap > clear(lower[-1], upper[0], rows)
    if not apart or fmean(lower) > trivial + LOW * (fmean(upper) - trivial):
        return []
    text = (
        f"{len(lower)} of {len(scores)} seeds collapsed: {_range(lower)}, the others {_range(upper)}"
        f" (trivial answer {trivial:.1f})"
    )
    return [Trouble("seeds", text, SEARCH, failed=True)]


def as_facts(found: Sequence[Trouble]) -> list[dict[str, Any]]:
    """The same as plain values, for records and JSON."""
    return [asdict(one) for one in found]


def summary(found: Sequence[Trouble], most: int | None = None) -> str:
    """One line with at `most` so many signs: `training failed: …; try --search auto`; empty where there is none."""
    if not found:
        return ""
    what = "training failed" if found[0].failed else "training may have fallen short"
    cure = f"; try {found[0].cure}" if found[0].cure else ""
    return f"{what}: {'; '.join(one.text for one in found[:most])}{cure}"


def clear(one: float, other: float, rows: int | None) -> float:
    """The points by which two scores must differ to be clearly different, for shares of so many rows."""
    share = min(max((one + other) / 200, 0.0), 1.0)
    return max(POINTS, ERRORS * 100 * math.sqrt(share * (1 - share) / rows) if rows else 0.0)


def _answers(record: Mapping[str, Any]) -> list[Trouble]:
    """The same answer everywhere, or almost; compared with how often it is right where the record tells."""
    told = record.get("answers") or {}
    right = told.get("expected_top_share")
    if record.get("constant"):
        usual = right is not None and right > SAME  # nearly all rows have one answer: anybody may give it everywhere
        found = [Trouble("constant", "the same prediction for every test row", SEARCH, failed=not usual)]
        return [] if right == 1 else found
    share, kinds, wanted = (told.get(name) for name in ("top_share", "distinct", "expected_distinct"))
    if None in (share, kinds, wanted, right):
        return []
    if share > SAME and 1 - share <= RARE * (1 - right):
        text = f"{share:.1%} of its predictions are one answer, and none is right for more than {right:.1%}"
        return [Trouble("near-constant", text, SEARCH, failed=True)]
    if kinds <= FEW_KINDS * wanted:
        text = f"only {kinds:,} different predictions, where there are {wanted:,} right ones"
        return [Trouble("near-constant", text, SEARCH, failed=True)]
    return []


def _loss(record: Mapping[str, Any]) -> list[Trouble]:
    """A loss that did not fall, or not below that of a blind guess, unless the model knows the task all the same."""
    losses = [line["loss"] for line in _history(record)]
    if not losses or _learned(record):
        return []
    first, last, text = losses[0], losses[-1], ""
    kinds = (record.get("answers") or {}).get("expected_distinct") or 1
    rows = (record["task"].get("rows") or {}).get("test") or 0
    # A loss over classes: where right answers seldom come again they are texts or spans, and it is over tokens.
    blind = math.log(kinds) if kinds * REPEATED <= rows else 0.0
    if last >= first * (1 - FLAT):
        text = f"the training loss did not fall (from {first:.3g} to {last:.3g})"
    elif blind and last >= blind * (1 - FLAT):
        text = f"the training loss ended at {last:.3g}, that of a blind guess is {blind:.3g}"
    return [Trouble("loss", text, SEARCH, failed=True)] if text else []


def _validations(record: Mapping[str, Any]) -> list[Trouble]:
    """Where the best validation stands among the others."""
    history, rows = _history(record), (record["task"].get("rows") or {}).get("validation")
    if not history:
        return []
    scores = [line["score"] for line in history]
    best, last, trivial = max(scores), scores[-1], record.get("trivial_score") or 0.0
    if best - last > clear(best, last, rows) and last <= trivial + FALLEN * (best - trivial):
        text = f"validation collapsed from {best:.1f} to {last:.1f}, near the trivial answer"
        return [Trouble("collapse", text, SEARCH, failed=not _learned(record))]
    later = max(scores[1:])
    if scores[0] - later > clear(scores[0], later, rows):
        text = f"validation was best at the first of {len(scores)} evaluations and fell from {best:.1f} to {last:.1f}"
        return [Trouble("best-first", text, SEARCH)]
    before = max(scores[:-1])
    gain = last - before
    # Not where another half of this gain would lead beyond 100: what rises so high is nearly there.
    if gain > clear(before, last, rows) and gain / 2 <= 100 - last:
        text = f"validation still rose by {gain:.1f} at the last of {len(scores)} evaluations"
        return [Trouble("rising", text, _longer(record, 2.0))]
    return []


def _steps(record: Mapping[str, Any]) -> list[Trouble]:
    """Few steps, unless the training ended before its time for want of any gain."""
    steps, recipe = (record.get("training") or {}).get("steps") or 0, trained_recipe(record)
    if not 0 < steps < FEW_STEPS:
        return []
    rows = (record["task"].get("rows") or {}).get("train")
    batch, epochs, most = (_number(recipe.get(name)) for name in ("batch_size", "epochs", "max_steps"))
    if rows and batch and epochs:
        planned = math.ceil(rows / batch) * epochs  # at least: rows may be cut into windows
        if steps < min(planned, most or planned):
            return []
    text = f"only {steps} steps of training, below {FEW_STEPS}"
    return [Trouble("few-steps", text, _longer(record, FEW_STEPS / steps))]


def _longer(record: Mapping[str, Any], factor: float) -> str:
    """The setting that makes a training so many times longer; empty where the record does not tell."""
    recipe, steps = trained_recipe(record), (record.get("training") or {}).get("steps") or 0
    limit = _number(recipe.get("max_steps"))
    field = "max_steps" if limit and steps >= limit else "epochs"
    length = _number(recipe.get(field))
    return f"--set recipe.{field}={math.ceil(length * factor)}" if length else ""


def _number(value: Any) -> float:
    """A recipe's number; 0 for `auto`, and for what is none."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else 0


def _learned(record: Mapping[str, Any]) -> bool:
    """Whether the score is so far above the trivial answer that the model knows the task, however the training went."""
    trivial = record.get("trivial_score") or 0.0
    return record["score"] >= trivial + LEARNED * (100 - trivial)


def _history(record: Mapping[str, Any]) -> Sequence[Mapping[str, float]]:
    """The validations of a training; none where there was one alone, which shows no course."""
    history = (record.get("training") or {}).get("history") or []
    known = [line for line in history if line["loss"] is not None and line["score"] is not None]
    return known if len(known) > 1 else []


def _range(scores: Sequence[float]) -> str:
    return f"{scores[0]:.1f}" if len(scores) == 1 else f"{scores[0]:.1f} to {scores[-1]:.1f}"
