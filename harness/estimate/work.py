"""What a cell has to do, counted in the things that take time. The seconds that each takes are another matter: see `speed`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harness.estimate.shape import Shape
from harness.estimate.sizes import WINDOWS, WRITES, Size
from harness.methods import METHODS
from harness.recipe import Recipe

# The parts of a cell, and what each is a sum of.
PARTS = {
    "train": ("layers run", "operations", "states", "rotated states", "attention", "words weighed", "weights updated"),
    "evaluate": ("layers run", "operations", "states", "rotated states", "attention"),
    "generate": ("layers run", "operations", "words weighed"),
    "other": ("cells", "letters", "weights"),
}
Work = Mapping[str, tuple[float, ...]]  # part → amounts, in the order of PARTS
COPIES = 4  # a weight, its gradient, and two moments of AdamW


@dataclass(frozen=True)
class Stack:
    """A model with its head: what a pass through it costs for each token that is read and each that is written."""

    depth: float
    decoder_depth: float
    weights: float
    decoder_weights: float
    parameters: float
    width: int
    heads: int
    drops: bool
    rotates: bool
    vocabulary: int


def stack(shape: Shape, head: str, architecture: str) -> Stack:
    """A model under a head: which of its sides take part, and what is put beside them."""
    layers, decoder_layers = shape.layers, shape.decoder_layers
    weights, decoder_weights, parameters = shape.weights, shape.decoder_weights, shape.parameters
    if head == WRITES and architecture == "encoder":  # a decoder that starts from the encoder's weights
        decoder_layers, decoder_weights = layers, weights + 4 * layers * shape.width**2
        parameters += decoder_weights + shape.vocabulary * shape.width
    elif head == WINDOWS and architecture == "encoder-decoder":  # tags are read off the encoder alone
        parameters -= decoder_weights
        decoder_layers = decoder_weights = 0
    # A decoder's layer attends twice: to itself and to the source.
    return Stack(
        depth=layers,
        decoder_depth=2 * decoder_layers,
        weights=weights,
        decoder_weights=decoder_weights,
        parameters=parameters,
        width=shape.width,
        heads=shape.heads,
        drops=shape.drops,
        rotates=shape.rotates,
        vocabulary=shape.vocabulary,
    )


def work(
    shape: Shape,
    sizes: Mapping[str, Size],
    head: str,
    architecture: str,
    recipe: Recipe,
    steps: int | None = None,
    pads: float = 0.0,
    method: str = "full",
) -> Work:
    """All that a cell does. The weights of heads and adapters are too few to count.

    Args:
        sizes: of train, validation and test.
        head: the family's, as `module:Class`.
        steps: of the optimiser, where they are known; None: as many as the recipe wants.
        pads: how much of the padding of shuffled batches the training computes: 1 all, 0 none.
        method: decides what there is to do backward, and whether weights are updated.
    """
    made, train = stack(shape, head, architecture), sizes["train"]
    an_epoch = math.ceil(train.features / recipe.batch_size)
    steps = steps or planned_steps(train, recipe)
    passes = steps * math.ceil(recipe.batch_size / (recipe.micro_batch_size or recipe.batch_size))
    epochs = steps / an_epoch
    rows = epochs * (1 + pads * (train.padding - 1))
    writes = head == WRITES
    backward = METHODS[method].backward
    depth, operations, states, rotated, attention = _forward(made, train, writes)
    scored = (train.written if made.decoder_depth else train.tokens) * made.vocabulary if writes else 0.0
    layers = made.depth + made.decoder_depth
    validations = (recipe.evaluations or math.ceil(steps / an_epoch)) if "validation" in sizes else 0
    evaluate, generate = [0.0] * len(PARTS["evaluate"]), [0.0] * len(PARTS["generate"])
    for split, times in (("validation", validations), ("test", 1)):
        size = sizes.get(split)
        if size is None:
            continue
        batches = math.ceil(size.features / recipe.eval_batch_size)
        for place, amount in enumerate((batches * layers, *_forward(made, size, writes)[1:])):
            evaluate[place] += times * amount
        if writes:
            for place, amount in enumerate(_generated(made, size, batches, recipe)):
                generate[place] += times * amount
    return {
        "train": (
            passes * depth,
            (1 + backward) * operations * rows,
            states * rows,
            rotated * rows,
            attention * rows * made.drops,
            scored * rows,
            steps * made.parameters * (backward == 2),
        ),
        "evaluate": tuple(evaluate),
        "generate": tuple(generate),
        "other": (1.0, sum(size.letters for size in sizes.values()), made.parameters),
    }


def planned_steps(train: Size, recipe: Recipe) -> int:
    """The optimiser's steps if nothing stops the training early."""
    steps = math.ceil(train.features / recipe.batch_size) * recipe.epochs
    return min(steps, recipe.max_steps or steps)


def _forward(made: Stack, size: Size, writes: bool) -> tuple[float, float, float, float, float]:
    """Of one pass over a split: layers of one batch, floating-point operations, numbers in all hidden states, in
    those that are rotated, and in all scores of attention."""
    target = size.written if writes else size.tokens
    pairs = size.squares * made.depth + (target * target / size.features if size.features else 0) * made.decoder_depth
    products = size.tokens * made.weights + target * made.decoder_weights
    if writes:
        products += (target if made.decoder_depth else size.tokens) * made.vocabulary * made.width
    states = (size.tokens * made.depth + target * made.decoder_depth) * made.width
    return (
        made.depth + made.decoder_depth,
        2 * products + 4 * pairs * made.width,
        states,
        states * made.rotates,
        pairs * made.heads,
    )


def _generated(made: Stack, size: Size, batches: int, recipe: Recipe) -> tuple[float, float, float]:
    """Writing one split out token by token: every token is a pass through the layers that write.

    A batch ends with its longest answer, and a model that is not sure goes on: half-way from the longest targets to the limit.
    """
    tokens = (size.longest_written + recipe.max_target_length) / 2
    layers, weights = (made.decoder_depth, made.decoder_weights) if made.decoder_depth else (made.depth, made.weights)
    rows = size.features * tokens * recipe.num_beams
    words = rows * made.vocabulary
    return batches * tokens * layers, 2 * rows * weights + 2 * words * made.width, words


def peak_memory(
    shape: Shape,
    sizes: Mapping[str, Size],
    head: str,
    architecture: str,
    recipe: Recipe,
    half: bool,
    method: str = "full",
) -> float:
    """Bytes beside those that the libraries need: weights, gradients and moments, the best weights, one batch's activations.

    Activations are counted as in Korthikanti et al. 2022: for each layer and token 34 bytes a number of its hidden state and 5 a
    score of its attention (where there is dropout), at two bytes a number; logits are kept in float32 with their gradient.
    """
    made, train = stack(shape, head, architecture), sizes["train"]
    backward = METHODS[method].backward
    copies = COPIES + (recipe.epochs > 1 or (recipe.evaluations or 1) > 1) if backward == 2 else 1
    rows = min(recipe.micro_batch_size or recipe.batch_size, train.features)
    writes = head == WRITES
    target = train.longest_written if writes else train.longest
    # Without a backward pass through the layers no state is kept for one.
    kept = (
        rows
        * bool(backward)
        * sum(
            length * depth * (34 * made.width + 5 * made.heads * length * made.drops)
            for length, depth in ((train.longest, made.depth), (target, made.decoder_depth))
        )
    )
    scored = rows * (target if made.decoder_depth else train.longest) * made.vocabulary if writes else 0
    return copies * 4 * made.parameters + kept * (1 if half else 2) + scored * 16
