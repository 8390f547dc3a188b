"""A model under a head: which of its sides take part, and what a pass through them costs."""

from __future__ import annotations

from dataclasses import dataclass

from harness.estimate.sizes import READS, WINDOWS, WRITES, Size
from harness.models.shape import Shape

WORTH = 0.8  # of the vocabulary: above it the table of embeddings stays whole; `harness.fast.vocabulary`, which imports torch


@dataclass(frozen=True)
class Stack:
    """What a pass costs for each token that is read and each that is written.

    Attributes:
        depth, decoder_depth: attention layers.
        weights, decoder_weights: in the matrices of the layers.
        parameters: all that are loaded.
        table: of them, those of word embeddings that rows which nobody writes need not have: 0 where they are all kept.
        saved: share of the first stack's weights, all in its last layer, that see the first token of a row and no other.
        unfused: whether norms, gates or activations are written out step by step.
        joins: whether a text may be begun while others are being written.
    """

    depth: int
    decoder_depth: int
    weights: int
    decoder_weights: int
    parameters: int
    table: int
    saved: float
    width: int
    heads: int
    drops: bool
    rotates: bool
    vocabulary: int
    joins: bool
    unfused: bool

    def trained(self, different: int | None) -> float:
        """Weights that are trained where texts hold so many unlike tokens: the embeddings of all others are left out."""
        if not self.table or different is None or different > WORTH * self.vocabulary:
            return self.parameters
        return self.parameters - self.table + different * self.width


def stack(shape: Shape, head: str, architecture: str) -> Stack:
    """The stack of a model under a head, given as `module:Class`."""
    layers, decoder_layers = shape.layers, shape.decoder_layers
    weights, decoder_weights, parameters = shape.weights, shape.decoder_weights, shape.parameters
    if head == WRITES and architecture == "encoder":  # a decoder that starts from the encoder's weights
        decoder_layers, decoder_weights = layers, weights + 4 * layers * shape.width**2
        parameters += decoder_weights + shape.vocabulary * shape.width
    elif head == WINDOWS and architecture == "encoder-decoder":  # tags are read off the encoder alone
        parameters -= decoder_weights
        decoder_layers = decoder_weights = 0
    saved = 0.0
    if head == READS and shape.narrows:  # keys, queries and values are of all tokens, and the rest of the layer is not
        saved = max(0.0, 1 / layers - 3 * shape.width**2 / weights)
    return Stack(
        depth=layers,
        decoder_depth=2 * decoder_layers,  # a decoder's layer attends twice: to itself and to the source
        weights=weights,
        decoder_weights=decoder_weights,
        parameters=parameters,
        table=0 if head == WRITES else shape.vocabulary * shape.width,
        saved=saved,
        width=shape.width,
        heads=shape.heads,
        drops=shape.drops,
        rotates=shape.rotates,
        vocabulary=shape.vocabulary,
        joins=architecture == "decoder" or shape.relative,
        unfused=shape.rotates or shape.unfused,
    )


@dataclass(frozen=True)
class Forward:
    """One pass over a split.

    Attributes:
        layers: that a batch runs through.
        operations: of floating point.
        states: numbers in all hidden states.
        rotated: of them, those that are rotated.
        scores: of attention.
    """

    layers: int
    operations: float
    states: float
    rotated: float
    scores: float


def forward(made: Stack, size: Size, target: float) -> Forward:
    """A pass that reads a split, and `target` tokens on the decoder's side where there is one, without scores of words."""
    pairs = size.squares * made.depth + (target * target / size.features if size.features else 0) * made.decoder_depth
    read = size.tokens - (size.tokens - size.features) * made.saved
    products = read * made.weights + target * made.decoder_weights
    states = (read * made.depth + target * made.decoder_depth) * made.width
    return Forward(
        layers=made.depth + made.decoder_depth,
        operations=2 * products + 4 * pairs * made.width,
        states=states,
        rotated=states * made.rotates,
        scores=pairs * made.heads,
    )
