"""What a cell holds in memory, counted in the things that take it. The bytes of each are another matter: see `speed`."""

from __future__ import annotations

from collections.abc import Mapping

from harness.estimate.sizes import WRITES, Size
from harness.estimate.stack import stack
from harness.methods import METHODS
from harness.models.shape import Shape
from harness.recipe import Recipe

# What a peak is a sum of.
HELD = (
    "processes", "weights", "trained weights", "states", "unfused states", "scores", "dropped scores", "words scored",
)  # fmt: skip


def held(
    shape: Shape, sizes: Mapping[str, Size], head: str, architecture: str, recipe: Recipe, method: str = "full"
) -> tuple[float, ...]:
    """The amounts of `HELD` at a cell's peak.

    The states and scores are those that one batch keeps for the way back, as Korthikanti et al. 2022 count them. Weights that are
    trained have gradients, two moments, and a copy if a later validation may be worse than an earlier one.
    """
    made, train = stack(shape, head, architecture), sizes["train"]
    backward = METHODS[method].backward
    rows = min(recipe.micro_batch_size or recipe.batch_size, train.features)
    share = rows / train.features * bool(backward)  # without a backward pass through the layers nothing is kept for one
    target = train.written if head == WRITES else train.tokens
    states = (train.tokens * made.depth + target * made.decoder_depth) * made.width * share
    pairs = train.squares * made.depth + target * target / train.features * made.decoder_depth
    scores = pairs * made.heads * share
    kept = backward == 2 and (recipe.epochs > 1 or (recipe.evaluations or 1) > 1)
    trained = made.trained(train.different) * (backward == 2)
    return (
        1.0,
        made.parameters,
        trained * (1 + kept / 4),
        states,
        states * made.unfused,
        scores,
        scores * made.drops,
        rows * train.written / train.features * made.vocabulary if head == WRITES else 0.0,
    )
