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

# Predictions
NEAR_CONSTANT = 0.98  # share of the most frequent prediction from which on almost all predictions are equal
RARE = 0.25  # but not if other answers are predicted this often for each time that they are right: rare classes
FEW_ANSWERS = 0.05  # share of the different right answers: a model that predicts 7 of 150 classes has not learned

# Loss
FLAT = 0.02  # share of the first loss by which a loss must fall; a smaller change may be chance
REPEATED = 5  # test rows for each different right answer, from which on answers are taken for classes
LEARNED = 0.25  # share of the way from the trivial score to 100, above which the model knows the task

# Steps and validations
FEW_STEPS = 100  # three epochs of 1,000 rows are fewer, and too few (Zhang et al. 2021, section 6)
POINTS = 2.0  # two validation scores that differ by less are taken for equal ...
ERRORS = 2  # ... and also if they differ by fewer standard errors of a share of the validation rows
FALLEN = 0.1  # share of the way from the trivial score to the best validation: at or below it everything is lost

# Seeds
LOW = 0.25  # share of the way from the trivial score to the upper seeds' mean: at or below it seeds have collapsed
GAP = 3.0  # times the spread within the groups: a larger gap between them is no chance
ROUNDING = 1e-9  # points


@dataclass(frozen=True)
class Trouble:
    """One sign of trouble.

    Attributes:
        kind: a short name for programs, such as `constant` or `few-steps`.
        text: what was observed, in a few words with its numbers, for boards and the terminal.
        cure: the option to try next, such as `--search auto`; empty if there is none.
        failed: whether the training counts as failed, so that its score says nothing about the model.
    """

    kind: str
    text: str
    cure: str = ""
    failed: bool = False


def trouble(record: Mapping[str, Any]) -> list[Trouble]:
    """Return the signs of trouble in a record, those of a failed training first.

    Baselines, trials and failed cells have none. Signs that the record itself holds are returned as they are.
    """
    score = record.get("score")
    if record.get("status") != "ok" or record["method"] == BASELINE or is_trial(record) or score is None:
        return []
    training = record.get("training") or {}
    if training.get("trouble") is not None:
        return [
            Trouble(sign["kind"], sign["text"], sign.get("cure", ""), sign.get("failed", False))
            for sign in training["trouble"]
        ]
    detectors = (_prediction_trouble, _loss_trouble, _validation_trouble, _step_trouble)
    signs = [sign for detect in detectors for sign in detect(record)]
    trivial = record.get("trivial_score")
    if trivial is not None and score <= trivial + ROUNDING:
        text = f"not better than the trivial answer ({score:.1f}, {trivial:.1f})"
        # Without any other sign the training ran well: the model did not learn the task, or the test differs from it.
        signs.append(Trouble("trivial", text, SEARCH, failed=bool(signs)))
    return sorted(signs, key=lambda sign: not sign.failed)


def trouble_of_seeds(records: Sequence[Mapping[str, Any]]) -> list[Trouble]:
    """Return the trouble that only several seeds of one row and task show: some learned, some collapsed.

    Fine-tuning sometimes fails with one seed and not with another (Dodge et al. 2020; Mosbach et al. 2021). The scores
    then form two groups, and their mean describes neither.
    """
    scored = [record for record in records if record.get("status") == "ok" and record.get("score") is not None]
    trivial_scores = [record["trivial_score"] for record in scored if record.get("trivial_score") is not None]
    if len(scored) < 2 or not trivial_scores or scored[0]["method"] == BASELINE:
        return []
    scores, trivial = sorted(float(record["score"]) for record in scored), fmean(trivial_scores)
    cut = max(range(1, len(scores)), key=lambda index: scores[index] - scores[index - 1])
    lower, upper = scores[:cut], scores[cut:]
    rows = ((scored[0].get("task") or {}).get("rows") or {}).get("test")
    gap, spread = upper[0] - lower[-1], max(lower[-1] - lower[0], upper[-1] - upper[0])
    separate = gap > GAP * spread and gap > clear_difference(lower[-1], upper[0], rows)
    if not separate or fmean(lower) > trivial + LOW * (fmean(upper) - trivial):
        return []
    text = (
        f"{len(lower)} of {len(scores)} seeds collapsed: {_range(lower)}, the others {_range(upper)}"
        f" (trivial answer {trivial:.1f})"
    )
    return [Trouble("seeds", text, SEARCH, failed=True)]


def as_facts(signs: Sequence[Trouble]) -> list[dict[str, Any]]:
    """Return signs as plain values, for records and JSON."""
    return [asdict(sign) for sign in signs]


def summary(signs: Sequence[Trouble], limit: int | None = None) -> str:
    """Return one line with at most `limit` signs: `training failed: …; try --search auto`; empty without any sign."""
    if not signs:
        return ""
    outcome = "training failed" if signs[0].failed else "training may have fallen short"
    cure = f"; try {signs[0].cure}" if signs[0].cure else ""
    return f"{outcome}: {'; '.join(sign.text for sign in signs[:limit])}{cure}"


def clear_difference(score: float, other: float, rows: int | None) -> float:
    """Return the points by which two scores must differ to be clearly different, as shares of `rows` rows."""
    share = min(max((score + other) / 200, 0.0), 1.0)
    return max(POINTS, ERRORS * 100 * math.sqrt(share * (1 - share) / rows) if rows else 0.0)


def _prediction_trouble(record: Mapping[str, Any]) -> list[Trouble]:
    """Detect predictions that are all or almost all the same, compared with the right answers if the record has those."""
    counts = record.get("answers") or {}
    expected_share = counts.get("expected_top_share")
    if record.get("constant"):
        if expected_share == 1:
            return []
        # Where nearly all rows have one right answer, a good model may predict it everywhere.
        usual = expected_share is not None and expected_share > NEAR_CONSTANT
        return [Trouble("constant", "the same prediction for every test row", SEARCH, failed=not usual)]
    share, distinct, expected_distinct = (counts.get(name) for name in ("top_share", "distinct", "expected_distinct"))
    if None in (share, distinct, expected_distinct, expected_share):
        return []
    if share > NEAR_CONSTANT and 1 - share <= RARE * (1 - expected_share):
        text = f"{share:.1%} of its predictions are one answer, and none is right for more than {expected_share:.1%}"
        return [Trouble("near-constant", text, SEARCH, failed=True)]
    if distinct <= FEW_ANSWERS * expected_distinct:
        text = f"only {distinct:,} different predictions, where there are {expected_distinct:,} right ones"
        return [Trouble("near-constant", text, SEARCH, failed=True)]
    return []


def _loss_trouble(record: Mapping[str, Any]) -> list[Trouble]:
    """Detect a loss that did not fall, or not below that of a blind guess, unless the model knows the task anyway."""
    losses = [validation["loss"] for validation in _history(record)]
    if not losses or _learned(record):
        return []
    first, last, text = losses[0], losses[-1], ""
    classes = (record.get("answers") or {}).get("expected_distinct") or 1
    rows = (record["task"].get("rows") or {}).get("test") or 0
    # Right answers that seldom repeat are texts or spans. The loss is then over tokens, and there is no such comparison.
    blind = math.log(classes) if classes * REPEATED <= rows else 0.0
    if last >= first * (1 - FLAT):
        text = f"the training loss did not fall (from {first:.3g} to {last:.3g})"
    elif blind and last >= blind * (1 - FLAT):
        text = f"the training loss ended at {last:.3g}, that of a blind guess is {blind:.3g}"
    return [Trouble("loss", text, SEARCH, failed=True)] if text else []


def _validation_trouble(record: Mapping[str, Any]) -> list[Trouble]:
    """Detect validation scores that collapsed, that were best at first, or that still rose at the end."""
    history, rows = _history(record), (record["task"].get("rows") or {}).get("validation")
    if not history:
        return []
    scores = [validation["score"] for validation in history]
    best, last, trivial = max(scores), scores[-1], record.get("trivial_score") or 0.0
    if best - last > clear_difference(best, last, rows) and last <= trivial + FALLEN * (best - trivial):
        text = f"validation collapsed from {best:.1f} to {last:.1f}, near the trivial answer"
        return [Trouble("collapse", text, SEARCH, failed=not _learned(record))]
    later = max(scores[1:])
    if scores[0] - later > clear_difference(scores[0], later, rows):
        text = f"validation was best at the first of {len(scores)} evaluations and fell from {best:.1f} to {last:.1f}"
        return [Trouble("best-first", text, SEARCH)]
    before = max(scores[:-1])
    gain = last - before
    # Not if half as large a gain again would lead beyond 100: such a training is nearly at its best.
    if gain > clear_difference(before, last, rows) and gain / 2 <= 100 - last:
        text = f"validation still rose by {gain:.1f} at the last of {len(scores)} evaluations"
        return [Trouble("rising", text, _longer(record, 2.0))]
    return []


def _step_trouble(record: Mapping[str, Any]) -> list[Trouble]:
    """Detect a training of few steps, unless it ended early because it no longer improved."""
    steps, recipe = (record.get("training") or {}).get("steps") or 0, trained_recipe(record)
    if not 0 < steps < FEW_STEPS:
        return []
    rows = (record["task"].get("rows") or {}).get("train")
    batch_size, epochs, max_steps = (_number(recipe.get(name)) for name in ("batch_size", "epochs", "max_steps"))
    if rows and batch_size and epochs:
        planned = math.ceil(rows / batch_size) * epochs  # at least, because rows may be cut into windows
        if steps < min(planned, max_steps or planned):
            return []
    text = f"only {steps} steps of training, below {FEW_STEPS}"
    return [Trouble("few-steps", text, _longer(record, FEW_STEPS / steps))]


def _longer(record: Mapping[str, Any], factor: float) -> str:
    """Return the option that makes a training `factor` times longer; empty if the record does not say."""
    recipe, steps = trained_recipe(record), (record.get("training") or {}).get("steps") or 0
    limit = _number(recipe.get("max_steps"))
    field = "max_steps" if limit and steps >= limit else "epochs"
    length = _number(recipe.get(field))
    return f"--set recipe.{field}={math.ceil(length * factor)}" if length else ""


def _number(value: Any) -> float:
    """Return a number of a recipe; 0 for `auto` and for missing values."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else 0


def _learned(record: Mapping[str, Any]) -> bool:
    """Return whether the score is so far above the trivial one that the model knows the task."""
    trivial = record.get("trivial_score") or 0.0
    return record["score"] >= trivial + LEARNED * (100 - trivial)


def _history(record: Mapping[str, Any]) -> Sequence[Mapping[str, float]]:
    """Return the validations of a training; empty if there are fewer than two."""
    history = (record.get("training") or {}).get("history") or []
    complete = [line for line in history if line["loss"] is not None and line["score"] is not None]
    return complete if len(complete) > 1 else []


def _range(scores: Sequence[float]) -> str:
    return f"{scores[0]:.1f}" if len(scores) == 1 else f"{scores[0]:.1f} to {scores[-1]:.1f}"
