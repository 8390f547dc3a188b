"""How long a training is, before anything stops it. Imports no torch: estimates ask too."""

from __future__ import annotations

import math

from harness.recipe import Recipe


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
