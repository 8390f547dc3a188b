"""What a cell has to do, counted in the things that take time. The seconds that each takes are another matter: see `speed`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from harness.estimate.sizes import WRITES, Size
from harness.estimate.stack import Forward, Stack, forward, stack
from harness.methods import METHODS
from harness.models.shape import Shape
from harness.recipe import Recipe
from harness.training.steps import planned

# The parts of a cell, and what each is a sum of.
PARTS = {
    "train": (
        "layers run", "operations", "states", "rotated states", "scores", "dropped scores", "words weighed",
        "weights updated",
    ),
    "evaluate": ("layers run", "operations", "states", "rotated states", "scores"),
    "generate": ("layers run", "operations", "states", "words weighed", "weights read"),
    "other": ("cells", "letters", "weights"),
}  # fmt: skip
Work = Mapping[str, tuple[float, ...]]  # part → amounts, in the order of PARTS
AT_ONCE = 4096  # tokens of a batch that is evaluated: `harness.training.evaluate`, which imports torch
IDLE = (
    1 / 8
)  # of the rows that are written: finished, and not yet replaced; half of `harness.heads.decoding.greedy.SHARE`


def work(
    shape: Shape,
    sizes: Mapping[str, Size],
    head: str,
    architecture: str,
    recipe: Recipe,
    steps: int | None = None,
    pads: float = 0.0,
    method: str = "full",
    budget: float = 1.0,
) -> Work:
    """All that a cell does. The weights of heads and adapters are too few to count.

    Args:
        sizes: of train, validation and test.
        head: the family's, as `module:Class`.
        steps: of the optimiser, where they are known; None: as many as the recipe wants.
        pads: how much of the padding of shuffled batches the training computes: 1 all, 0 none.
        method: decides what there is to do backward, and whether weights are updated.
        budget: the share of the steps and validations that a trial has.
    """
    made, train = stack(shape, head, architecture), sizes["train"]
    if steps:
        recipe = replace(recipe, max_steps=steps)
    steps, validations = planned(train.features, recipe, budget)
    evaluate, generate = [0.0] * len(PARTS["evaluate"]), [0.0] * len(PARTS["generate"])
    for split, times in (("validation", validations), ("test", 1)):
        size = sizes.get(split)
        if size is None:
            continue
        for place, amount in enumerate(_evaluated(made, size, head, recipe)):
            evaluate[place] += times * amount
        for turn in range(times if head == WRITES else 0):
            # A model that has seen little does not know when to end.
            green = split == "validation" and turn == 0
            for place, amount in enumerate(_generated(made, size, recipe, green)):
                generate[place] += amount
    return {
        "train": _trained(made, train, head, recipe, steps, pads, METHODS[method].backward),
        "evaluate": tuple(evaluate),
        "generate": tuple(generate),
        "other": (1.0, sum(size.letters for size in sizes.values()), made.parameters),
    }


def _trained(
    made: Stack, train: Size, head: str, recipe: Recipe, steps: int, pads: float, backward: int
) -> tuple[float, ...]:
    passes = steps * math.ceil(recipe.batch_size / (recipe.micro_batch_size or recipe.batch_size))
    rows = steps / math.ceil(train.features / recipe.batch_size) * (1 + pads * (train.padding - 1))
    once = forward(made, train, train.written if head == WRITES else train.tokens)
    # Scores of words are computed where one is written, and nowhere else.
    weighed = train.written * made.vocabulary if head == WRITES else 0.0
    return (
        passes * once.layers,
        (1 + backward) * (once.operations + 2 * weighed * made.width) * rows,
        once.states * rows,
        once.rotated * rows,
        once.scores * rows,
        once.scores * made.drops * rows,
        weighed * rows,
        steps * made.trained(train.different) * (backward == 2),
    )


def _evaluated(made: Stack, size: Size, head: str, recipe: Recipe) -> tuple[float, ...]:
    """Reading a split once; a head that writes reads what it is given, and what it writes is counted by `_generated`."""
    writes = head == WRITES
    once: Forward = forward(made, size, 0.0 if writes else size.tokens)
    layers = made.depth if writes and made.decoder_depth else once.layers
    batches = math.ceil(size.features / recipe.eval_batch_size)
    if not writes:
        batches = max(batches, math.ceil(size.tokens / AT_ONCE))
    return (batches * layers, once.operations, once.states, once.rotated, once.scores)


def _generated(made: Stack, size: Size, recipe: Recipe, green: bool) -> tuple[float, ...]:
    """Writing one split out token by token: every token is a pass through the layers that write.

    Texts are as long as the targets; before a model has learnt to end them, half-way from there to the limit.
    """
    mean, longest = size.written / size.features, float(size.longest_written)
    if green:
        mean, longest = ((length + recipe.max_target_length) / 2 for length in (mean, longest))
    width = min(size.features, recipe.eval_batch_size)
    batches = math.ceil(size.features / width)
    # They are in the order of what is read, so that most end long before the longest of all.
    rows, steps = size.features * longest * recipe.num_beams, longest + (batches - 1) * (mean + longest) / 2
    if recipe.num_beams == 1:  # with beams the library writes all rows to the end of the longest
        rows = min(rows, size.features * mean / (1 - IDLE))
        if made.joins:  # a finished text makes room for another, and only the last ones are alone
            steps = min(steps, rows / width + longest / 2)
    layers, weights = (made.decoder_depth, made.decoder_weights) if made.decoder_depth else (made.depth, made.weights)
    weights += made.vocabulary * made.width
    looked_at = size.tokens / size.features + (0 if made.decoder_depth else mean / 2)
    return (
        steps * layers,
        2 * rows * weights + 4 * rows * looked_at * made.width * layers,
        rows * made.width * layers,
        rows * made.vocabulary,
        steps * weights,
    )
