"""Estimate the time and memory of a cell by formula.

The time is the number of floating-point operations and of passes through layers, times what each takes on this machine.
Operations are counted as in `harness.training.flops`, but from the model's files: for each weight and token 2 forward
and 4 backward. What that module counts as 4·width·T for attention is counted here in scores (T for each token, layer
and head), because computing a score takes longer than its products.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harness.estimate.machine import Speed
from harness.estimate.text_sizes import WINDOWS, WRITES, TextSize
from harness.methods import METHODS
from harness.models.shape import Shape
from harness.recipe import Recipe
from harness.recipe_rules import planned_steps

EVAL_TOKENS = 4096  # tokens of an evaluation batch; copied from `harness.training.evaluate`, which imports torch
# The share of the vocabulary above which all word embeddings are trained; copied from `harness.fast.vocabulary`.
WORTH = 0.8
# Seconds of a cell for its process, data, checks and scores, and for each weight that is loaded.
CELL_SECONDS, WEIGHT_SECONDS = 1.0, 2e-8
UNFUSED = 1.4  # how much longer layers take than BERT's: norms and gates of Llama and similar models, T5's positions
WITHOUT_DROPOUT = 1 / 3  # the time of attention scores without dropout, for which there are fast kernels
# Bytes: a process with the libraries; a weight; a trained weight (gradient, and AdamW's two moments); its best value.
PROCESS, WEIGHT, TRAINED_WEIGHT, BEST_WEIGHT = 4.7e8, 6, 14, 4
# Bytes of a number in a training batch: hidden states, attention scores, logits of words.
STATE, SCORE, LOGIT = 90, 10, 18
HALF_PROCESS, HALF_WEIGHT = 1.2e8, 4  # bytes that bf16 adds to a process, and to a weight


@dataclass(frozen=True)
class CellCost:
    """The seconds of a cell from its start to its record, and its peak memory in bytes."""

    seconds: float
    memory: float


def cell_cost(
    shape: Shape,
    sizes: Mapping[str, TextSize],
    head: str,
    architecture: str,
    recipe: Recipe,
    speed: Speed,
    method: str = "full",
    budget: float = 1.0,
) -> CellCost:
    """Estimate one cell. The weights of heads and adapters are too few to count.

    Args:
        sizes: of train, validation and test; a trial has no test.
        head: the family's head, as `module:Class`.
        recipe: with a value in every field, and with the precision that is used for training.
        speed: of this machine for the model's width.
        budget: the share of the steps and validations that a trial has.
    """
    model = _Model.of(shape, head, architecture)
    train, backward = sizes["train"], METHODS[method].backward
    steps, validations = planned_steps(train.features, recipe, budget)
    micro_batch_size = recipe.micro_batch_size or recipe.batch_size
    target = train.written if model.output_weights else train.tokens  # tokens of the decoder beside an encoder
    states, scores = model.activations(train, target)
    trained = model.trained_weights(train) * (backward == 2)
    # Training
    passes = steps * math.ceil(recipe.batch_size / micro_batch_size)
    epochs = steps / math.ceil(train.features / recipe.batch_size)
    seconds = passes * (model.layers + model.decoder_layers + model.output_layers) * speed.train_layer
    products = model.products(train.tokens, target) + train.written * model.output_weights
    seconds += epochs * 6 * products * speed.train_flop
    seconds += epochs * scores * speed.train_score * (1 if shape.drops else WITHOUT_DROPOUT)
    seconds = seconds * (1 + backward) / 3 + steps * trained * speed.update
    # Validations and the test
    for split, times in (("validation", validations), ("test", 1)):
        if size := sizes.get(split):
            seconds += times * model.reading_seconds(size, recipe, speed)
            for number in range(times if model.output_weights else 0):
                untrained = split == "validation" and number == 0
                seconds += model.generation_seconds(size, recipe, speed, untrained)
    # Memory: activations that one batch stores for the backward pass, as in Korthikanti et al. 2022
    share = min(micro_batch_size, train.features) / train.features
    saves_best = recipe.epochs > 1 or (recipe.evaluations or 1) > 1
    half = recipe.precision == "bf16"
    state = STATE * (1 + (shape.unfused or shape.rotates))  # unfused operations store every intermediate result
    memory = PROCESS + half * HALF_PROCESS + model.parameters * (WEIGHT + half * HALF_WEIGHT)
    memory += trained * (TRAINED_WEIGHT + BEST_WEIGHT * saves_best)
    logits = train.written * shape.vocabulary * bool(model.output_weights)
    memory += share * ((states * state + scores * SCORE) * bool(backward) + logits * LOGIT)
    slower = UNFUSED if shape.rotates or shape.relative else 1
    return CellCost(CELL_SECONDS + model.parameters * WEIGHT_SECONDS + seconds * slower, memory)


@dataclass(frozen=True)
class _Model:
    """A model under a head.

    Attributes:
        layers: of the encoder, or of the only stack.
        weights: of these layers.
        decoder_layers: of the decoder beside the encoder, or 0. Its layers attend twice, and count as two.
        decoder_weights: of these layers.
        parameters: all of them.
        output_weights: of the matrix that scores words if text is generated; else 0.
    """

    shape: Shape
    layers: int
    weights: int
    decoder_layers: int
    decoder_weights: int
    parameters: int
    output_weights: int

    @classmethod
    def of(cls, shape: Shape, head: str, architecture: str) -> _Model:
        layers, weights, parameters = shape.layers, shape.weights, shape.parameters
        decoder_layers, decoder_weights = 2 * shape.decoder_layers, shape.decoder_weights
        output_weights = shape.vocabulary * shape.width
        if head == WRITES and architecture == "encoder":  # a decoder that starts from the encoder's weights
            decoder_layers, decoder_weights = 2 * layers, weights + 4 * layers * shape.width**2
            parameters += decoder_weights + output_weights
        elif head == WINDOWS and architecture == "encoder-decoder":  # tags use the encoder only
            parameters -= decoder_weights
            decoder_layers = decoder_weights = 0
        output_weights *= head == WRITES
        return cls(shape, layers, weights, decoder_layers, decoder_weights, parameters, output_weights)

    @property
    def output_layers(self) -> float:
        """The matrix that scores words, as a number of layers with as many weights."""
        return self.output_weights / (12 * self.shape.width**2)

    def trained_weights(self, train: TextSize) -> float:
        """Count the trained weights: without the embeddings of words that no row contains, unless text is generated."""
        vocabulary, different = self.shape.vocabulary, train.different
        if self.output_weights or different is None or different > WORTH * vocabulary:
            return self.parameters
        return self.parameters - (vocabulary - different) * self.shape.width

    def products(self, read: float, target: float) -> float:
        """Return weights times tokens, for `read` tokens and `target` tokens of the decoder beside an encoder."""
        return read * self.weights + target * self.decoder_weights

    def activations(self, size: TextSize, target: float) -> tuple[float, float]:
        """Return the numbers in all hidden states, and all attention scores, of a pass over a split."""
        states = (size.tokens * self.layers + target * self.decoder_layers) * self.shape.width
        scores = size.squares * self.layers + target**2 / size.features * self.decoder_layers
        return states, scores * self.shape.heads

    def reading_seconds(self, size: TextSize, recipe: Recipe, speed: Speed) -> float:
        """Return the seconds to read a split once. A decoder beside an encoder does not read if it generates text."""
        target, layers = size.tokens, self.layers + self.decoder_layers
        batches = max(math.ceil(size.features / recipe.eval_batch_size), math.ceil(size.tokens / EVAL_TOKENS))
        if self.output_weights:
            target, layers = 0.0, self.layers
            batches = math.ceil(size.features / recipe.eval_batch_size)
        _, scores = self.activations(size, target)
        flops = 2 * self.products(size.tokens, target)
        return batches * layers * speed.read_layer + flops * speed.read_flop + scores * speed.read_score

    def generation_seconds(self, size: TextSize, recipe: Recipe, speed: Speed, untrained: bool) -> float:
        """Return the seconds to generate texts as long as the targets.

        A model that is still `untrained` does not know when a text ends: its texts are half-way between the targets
        and the maximum length.
        """
        mean, longest = size.written / size.features, float(size.longest_written)
        if untrained:
            mean, longest = ((length + recipe.max_target_length) / 2 for length in (mean, longest))
        layers, weights = self.layers, self.weights
        if self.decoder_layers:
            layers, weights = self.decoder_layers, self.decoder_weights
        # Rows are sorted by their inputs, so most batches end long before the longest text of all.
        batches = math.ceil(size.features / recipe.eval_batch_size)
        steps = longest + (batches - 1) * (mean + longest) / 2
        tokens = size.features * mean * recipe.num_beams
        context = size.tokens / size.features + (0 if self.decoder_layers else mean / 2)
        scores = tokens * layers * self.shape.heads * context
        seconds = steps * (layers + self.output_layers) * speed.read_layer
        return seconds + 2 * tokens * (weights + self.output_weights) * speed.read_flop + scores * speed.read_score
