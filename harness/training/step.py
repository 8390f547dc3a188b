"""The gradients of one step: the batch is cut into pieces that fit into memory, and shared by the processes of the training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from accelerate import Accelerator
from torch import Tensor

from harness.fast.prepare import BatchComputer
from harness.heads.base import Feature, Head
from harness.heads.library_errors import OUT_OF_MEMORY, LibraryError, library_errors
from harness.recipe import Recipe
from harness.training.batches import pieces
from harness.training.checkpoint import Progress, RandomStates
from harness.training.cost import free_unused, out_of_memory
from harness.training.together import Team
from harness.training.weights import Weights


class Step:
    """Computes the loss and the gradients of a batch.

    Args:
        accelerator: decides device and precision.
        team: processes of the training.
        weights: of the model; they receive the gradients.
        head: of the model.
        fast: how batches are computed.
        features: of the training split.
        recipe: hyper-parameters.
        overhead: cost of one more piece, in tokens; see `harness.training.batches.pieces`.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        team: Team,
        weights: Weights,
        head: Head,
        fast: BatchComputer,
        features: Sequence[Feature],
        recipe: Recipe,
        overhead: float,
    ):
        self.accelerator, self.team, self.weights, self.head, self.fast = accelerator, team, weights, head, fast
        self.features, self.recipe, self.overhead = features, recipe, overhead
        self.lengths = [feature.length for feature in features]
        self.terms = [head.loss_terms(feature) for feature in features]
        self.loss = partial(head.loss, weights.model)
        # All modules: parts that were loaded separately can be in evaluation mode although the whole model is not.
        weights.model.train()

    def run(self, batch: Sequence[int], progress: Progress) -> Tensor:
        """Return the mean loss of a batch, and leave its gradients with the weights.

        Where memory runs out, the batch is computed again in pieces of half the rows, from the same random states. The step
        stays as the recipe says; only its pieces get smaller, also in later steps.

        Args:
            batch: indices of its features.
            progress: counts the tokens, and remembers the size of the pieces.

        Raises:
            NotEnoughMemory: a single row does not fit.
        """
        if not self.weights.model.training:
            self.weights.model.train()
        own_part = self.team.share(list(batch))
        while True:
            size = progress.micro_batch_size or self.recipe.micro_batch_size
            random_states = RandomStates()
            loss, computed, is_short = torch.zeros((), device=self.accelerator.device), 0, False
            try:
                with library_errors("a step"):
                    loss, computed = self._gradients(batch, own_part, size)
            except OUT_OF_MEMORY:
                is_short = True
            except LibraryError as error:  # in the backward pass: `BatchComputer.compute` handles those of the forward pass
                if not self.fast.fall_back(str(error)):
                    raise error.__cause__ from None
                self.weights.forget_gradients()
                random_states.restore()
                continue
            if not self.team.sum(is_short)[0]:
                break
            # Outside of the handler, whose error holds the tensors of the failed pass.
            progress.micro_batch_size = self._smaller(size, len(batch))
            random_states.restore()
        self.weights.complete_gradients()
        self.team.sum_gradients(self.weights.parameters())
        total, all_computed = self.team.sum(float(loss), computed) if self.team.size > 1 else (loss, computed)
        progress.tokens += sum(self.lengths[index] for index in batch)
        progress.computed += int(all_computed)
        progress.refused = self.fast.refused if self.fast.packing is None else ""
        return torch.as_tensor(total, dtype=loss.dtype, device=loss.device)

    def _gradients(self, batch: Sequence[int], own_part: Sequence[int], size: int | None) -> tuple[Tensor, int]:
        """Return this process's share of the loss, and the tokens that it computed, including padding."""
        batch_terms = max(1, sum(self.terms[index] for index in batch))
        loss, computed = torch.zeros((), device=self.accelerator.device), 0
        padded = self.fast.packing is None
        keys = self.fast.keys(self.features) if padded else None
        for part in pieces(own_part, self.lengths, size, self.overhead if padded else None, keys):
            # The loss of a piece is a mean. Weighted by its share of the terms, the pieces add up to the batch's mean.
            share = sum(self.terms[index] for index in part) / batch_terms
            if not share:  # windows without a word of their own: the mean of no terms is not a number
                continue
            piece = self.head.collate([self.features[index] for index in part])
            mean = self.fast.compute(self.loss, piece, self.accelerator.device) * share
            self.accelerator.backward(mean)
            loss += mean.detach()
            if self.fast.packing is None:  # asked again: packing may just have been given up
                computed += piece["input_ids"].numel()
            else:
                computed += sum(self.lengths[index] for index in part)
        return loss, computed

    def _smaller(self, size: int | None, rows: int) -> int:
        self.weights.forget_gradients()
        free_unused()
        size = min(size or rows, rows)
        if size == 1:
            raise out_of_memory("training", self.recipe.max_length)
        return size // 2
