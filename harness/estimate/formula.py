"""What a cell takes, by formula: floating-point operations and passes through layers, times what each takes on this machine; and memory.

Operations are counted as `harness.training.flops` counts them, but from the model's files: 2 a weight and token forward, 4 backward. What
that module counts as 4·width·T for the attention is counted in scores, T a token, layer and head, which cost more than their products.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harness.estimate.machine import Speed
from harness.estimate.sizes import WINDOWS, WRITES, TextSize
from harness.methods import METHODS
from harness.models.shape import Shape
from harness.recipe import Recipe
from harness.recipe_rules import planned_steps

AT_ONCE = 4096  # tokens of a batch that is evaluated: `harness.training.evaluate`, which imports torch
WORTH = 0.8  # of the vocabulary: above it the table of embeddings is trained whole; `harness.fast.vocabulary`, which imports torch
CELL, WEIGHT = 1.0, 2e-8  # seconds of a cell for process, data, checks and scores, and for each weight that is loaded
SLOWER = 1.4  # layers that are not fused as BERT's are: norms and gates of Llama and its kin, T5's positions
DRY = 1 / 3  # scores that are trained without dropout, which fast kernels do not know
# Bytes: a process with the libraries; a weight; one that is trained (gradient, AdamW's two moments), and the best one that is kept;
# a number of the hidden states, of the attention's scores and of the words' scores in a batch that is trained on.
BASE, HELD, TRAINED, KEPT, STATE, SCORE, LOGIT = 4.7e8, 6, 14, 4, 90, 10, 18
HALF, HALF_HELD = 1.2e8, 4  # what bf16 adds to a process, and to a weight


@dataclass(frozen=True)
class Takes:
    """Seconds of a cell from its start to its record, and bytes at its peak."""

    seconds: float
    memory: float


def cost(
    shape: Shape, sizes: Mapping[str, TextSize], head: str, architecture: str, recipe: Recipe, speed: Speed, method: str = "full",
    budget: float = 1.0,
) -> Takes:  # fmt: skip
    """Of one cell. The weights of heads and adapters are too few to count.

    Args:
        sizes: of train, validation and test; a trial has no test.
        head: the family's, as `module:Class`.
        recipe: without fields that are left to the data, and with the precision that is trained in.
        speed: of this machine for the model's width.
        budget: the share of the steps and validations that a trial has.
    """
    model, train, backward = _Model.of(shape, head, architecture), sizes["train"], METHODS[method].backward
    steps, validations = planned_steps(train.features, recipe, budget)
    target = train.written if model.words else train.tokens  # what a decoder beside an encoder reads in training
    states, scores = model.passed(train, target)
    trained = model.trained(train) * (backward == 2)
    # Training
    passes = steps * math.ceil(recipe.batch_size / (recipe.micro_batch_size or recipe.batch_size))
    epochs = steps / math.ceil(train.features / recipe.batch_size)
    seconds = passes * (model.layers + model.above + model.words_as_layers) * speed.train_layer
    seconds += epochs * 6 * (model.products(train.tokens, target) + train.written * model.words) * speed.train_flop
    seconds += epochs * scores * speed.train_score * (1 if shape.drops else DRY)
    seconds = seconds * (1 + backward) / 3 + steps * trained * speed.update
    # Validations and the test; a model that has seen little does not know when a text ends
    for split, times in (("validation", validations), ("test", 1)):
        if size := sizes.get(split):
            seconds += times * model.reads(size, recipe, speed)
            for turn in range(times if model.words else 0):
                seconds += model.writes(size, recipe, speed, green=split == "validation" and turn == 0)
    # Memory: what one batch keeps for the way back, as Korthikanti et al. 2022 count it
    share = min(recipe.micro_batch_size or recipe.batch_size, train.features) / train.features
    kept, half = recipe.epochs > 1 or (recipe.evaluations or 1) > 1, recipe.precision == "bf16"
    state = STATE * (1 + (shape.unfused or shape.rotates))  # what is computed step by step is kept step by step
    memory = BASE + half * HALF + model.parameters * (HELD + half * HALF_HELD) + trained * (TRAINED + KEPT * kept)
    memory += share * ((states * state + scores * SCORE) * bool(backward) + train.written * shape.vocabulary * LOGIT * bool(model.words))
    slower = SLOWER if shape.rotates or shape.relative else 1
    return Takes(CELL + model.parameters * WEIGHT + seconds * slower, memory)


@dataclass(frozen=True)
class _Model:
    """A model under a head.

    Attributes:
        layers, weights: of the stack that reads.
        above, above_weights: of the decoder beside it; 0 where there is none. Its layers attend twice, and count as two.
        words: weights of the matrix that scores words, where texts are written; else 0.
    """

    shape: Shape
    layers: int
    weights: int
    above: int
    above_weights: int
    parameters: int
    words: int

    @classmethod
    def of(cls, shape: Shape, head: str, architecture: str) -> _Model:
        """By the model's kind, and the head as `module:Class`."""
        layers, weights, parameters = shape.layers, shape.weights, shape.parameters
        above, above_weights, words = 2 * shape.decoder_layers, shape.decoder_weights, shape.vocabulary * shape.width
        if head == WRITES and architecture == "encoder":  # a decoder that starts from the encoder's weights
            above, above_weights = 2 * layers, weights + 4 * layers * shape.width**2
            parameters += above_weights + words
        elif head == WINDOWS and architecture == "encoder-decoder":  # tags are read off the encoder alone
            above, above_weights, parameters = 0, 0, parameters - above_weights
        return cls(shape, layers, weights, above, above_weights, parameters, words * (head == WRITES))

    @property
    def words_as_layers(self) -> float:
        """The matrix that scores words in layers of as many weights."""
        return self.words / (12 * self.shape.width**2)

    def trained(self, train: TextSize) -> float:
        """Weights that are trained: without the embeddings of words that no row holds, unless any word may be written."""
        vocabulary, found = self.shape.vocabulary, train.different
        few = not self.words and found is not None and found <= WORTH * vocabulary
        return self.parameters - (vocabulary - (found or 0)) * self.shape.width * few

    def products(self, read: float, target: float) -> float:
        """Weights times tokens, of those read and those of the decoder beside."""
        return read * self.weights + target * self.above_weights

    def passed(self, size: TextSize, target: float) -> tuple[float, float]:
        """(numbers in all hidden states, attention scores) of a pass over a split."""
        scores = size.squares * self.layers + target**2 / size.features * self.above
        return (size.tokens * self.layers + target * self.above) * self.shape.width, scores * self.shape.heads

    def reads(self, size: TextSize, recipe: Recipe, speed: Speed) -> float:
        """Seconds to read a split once. Before texts are written, the decoder beside an encoder reads nothing."""
        target = 0.0 if self.words else size.tokens
        batches = max(math.ceil(size.features / recipe.eval_batch_size), 0 if self.words else math.ceil(size.tokens / AT_ONCE))
        layers = self.layers + (0 if self.words else self.above)
        products, (_, scores) = self.products(size.tokens, target), self.passed(size, target)
        return batches * layers * speed.read_layer + 2 * products * speed.read_flop + scores * speed.read_score

    def writes(self, size: TextSize, recipe: Recipe, speed: Speed, green: bool) -> float:
        """Seconds to write texts as long as the targets; where the model is `green`, half-way from there to the limit."""
        mean, longest = size.written / size.features, float(size.longest_written)
        if green:
            mean, longest = ((length + recipe.max_target_length) / 2 for length in (mean, longest))
        layers, weights = (self.above, self.above_weights) if self.above else (self.layers, self.weights)
        # Rows are in the order of what is read, so that most batches end long before the longest text of all.
        turns = longest + (math.ceil(size.features / recipe.eval_batch_size) - 1) * (mean + longest) / 2
        tokens = size.features * mean * recipe.num_beams
        scores = tokens * layers * self.shape.heads * (size.tokens / size.features + (0 if self.above else mean / 2))
        seconds = turns * (layers + self.words_as_layers) * speed.read_layer
        return seconds + 2 * tokens * (weights + self.words) * speed.read_flop + scores * speed.read_score
