"""One step's gradients: a batch cut into pieces that fit into memory, and dealt out to the processes that train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from accelerate import Accelerator
from torch import Tensor

from harness.fast.prepare import Fast
from harness.heads.base import Feature, Head
from harness.heads.library_errors import OUT_OF_MEMORY, LibraryError, library_errors
from harness.recipe import Recipe
from harness.training.batches import pieces
from harness.training.cost import advise, free_unused
from harness.training.state import Progress, RandomStates
from harness.training.together import Team
from harness.training.weights import Weights


@dataclass
class Step:
    """Computes gradients.

    Attributes:
        extra: what one more piece costs, in tokens; see `harness.training.batches.pieces`.
    """

    accelerator: Accelerator
    team: Team
    weights: Weights
    head: Head
    fast: Fast
    features: Sequence[Feature]
    recipe: Recipe
    extra: float

    def __post_init__(self) -> None:
        self.lengths = [feature.length for feature in self.features]
        self.terms = [self.head.loss_terms(feature) for feature in self.features]
        # Every module at once: where a model was put together, some may be in evaluation mode although the whole is not.
        self.weights.model.train()
        self.loss = partial(self.head.loss, self.weights.model)

    def run(self, batch: Sequence[int], progress: Progress) -> Tensor:
        """The batch's mean loss; its gradients are left with the weights.

        Where memory runs out, the batch is computed again in pieces of half the rows, with the random numbers that it had: the
        step stays what the recipe says, only its pieces get smaller, and stay so.

        Args:
            batch: feature numbers.
            progress: counts the tokens, and remembers how small the pieces had to be.

        Raises:
            NotEnoughMemory: one row is too much.
        """
        if not self.weights.model.training:
            self.weights.model.train()
        ours = self.team.share(list(batch))
        while True:
            size = progress.micro_batch_size or self.recipe.micro_batch_size
            before = RandomStates()
            try:
                with library_errors("a step"):
                    loss, computed, short = *self._gradients(batch, ours, size), False
            except OUT_OF_MEMORY:
                loss, computed, short = torch.zeros((), device=self.accelerator.device), 0, True
            except LibraryError as error:  # in the backward pass, for `compute` has dealt with the other
                if not self.fast.slower(str(error)):
                    raise error.__cause__ from None
                self.weights.forget_gradients()
                before.restore()
                continue
            if not self.team.sum(short)[0]:
                break
            # Outside of the handler, whose error keeps the tensors of the failed pass alive.
            progress.micro_batch_size = self._smaller(size, len(batch))
            before.restore()
        self.weights.complete_gradients()
        self.team.sum_gradients(self.weights.parameters())
        total, everywhere = self.team.sum(float(loss), computed) if self.team.size > 1 else (loss, computed)
        progress.tokens += sum(self.lengths[number] for number in batch)
        progress.computed += int(everywhere)
        progress.refused = self.fast.refused if self.fast.packing is None else ""
        return torch.as_tensor(total, dtype=loss.dtype, device=loss.device)

    def _gradients(self, batch: Sequence[int], ours: Sequence[int], size: int | None) -> tuple[Tensor, int]:
        """This process's share of the loss, and the tokens that it computed, padding included."""
        whole = max(1, sum(self.terms[number] for number in batch))
        loss, computed = torch.zeros((), device=self.accelerator.device), 0
        padded = self.fast.packing is None
        keys = self.fast.keys(self.features) if padded else None
        for part in pieces(ours, self.lengths, size, self.extra if padded else None, keys):
            # The loss of a piece is a mean: weighted by its share of the terms, the pieces add up to the batch's mean.
            share = sum(self.terms[number] for number in part) / whole
            if not share:  # windows without a word of their own: the mean of no terms is no number
                continue
            piece = self.head.collate([self.features[number] for number in part])
            mean = self.fast.compute(self.loss, piece, self.accelerator.device) * share
            self.accelerator.backward(mean)
            loss += mean.detach()
            computed += (
                piece["input_ids"].numel()
                if self.fast.packing is None
                else sum(self.lengths[number] for number in part)
            )
        return loss, computed

    def _smaller(self, size: int | None, rows: int) -> int:
        self.weights.forget_gradients()
        free_unused()
        size = min(size or rows, rows)
        if size == 1:
            raise advise("training", self.recipe.max_length)
        return size // 2
