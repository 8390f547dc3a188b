"""Tests a model on a few training rows before it is trained, to find out which ways of computing batches give the right results.

Model types differ in how padding, the other rows of a batch and replaced layers change their results, and most of these changes
give a score without an error. So nothing is taken on trust: three rows of different lengths, each computed alone by the
library's own layers, are the reference for the outputs and the gradients of every faster way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from harness.adapt.frozen import backbone
from harness.errors import BenchError
from harness.fast.comparing import (
    evaluation_mode,
    generator_states,
    gradient_difference,
    mirrored,
    outputs_agree,
    sample_rows,
    sampled,
    training_mode,
)
from harness.heads.base import Feature, Head, accepted
from harness.heads.library_errors import LibraryError, library_errors

# Which rows may be computed together where batches are not packed: rows of any length, only rows of equal length, none.
PADDED, EQUAL, SINGLE = "padded", "rows of equal length", "single rows"
SEED, OTHER_SEEDS = 0, (1, 2, 3)  # for layers that draw random numbers although all dropout is off
Groups = Sequence[Sequence[Feature]]
BatchContext = Callable[[dict[str, Tensor]], AbstractContextManager[Any]]


class Disagrees(Exception):
    """Two ways of computing the same rows give different results. The message says which results differ."""


class Preflight:
    """A few training rows, and what a model computes for each of them alone with the library's own layers.

    Args:
        model: as the head has built it, on its device, in fp32, with the library's own layers.
        head: of the model.
        splits: the features of all splits; only their lengths matter.
        training: the features with labels.

    Attributes:
        rows, extremes: see `harness.fast.comparing.sample_rows`.
        outputs: for each of `rows` the outputs at its own tokens.
        gradients: of the mean loss of `rows`, in training mode without dropout.
        draws: whether the model draws random numbers although all dropout is off, for example to choose experts.
        evaluation_gradients: the same gradients in evaluation mode, for models that draw.
    """

    def __init__(self, model: nn.Module, head: Head, splits: Sequence[Sequence[Feature]], training: Sequence[Feature]):
        self.model, self.head = model, head
        self.device = next(model.parameters()).device
        self.rows, self.extremes = sample_rows(splits, training)
        self.draws = False
        self.outputs: list[list[Tensor]] = []
        self.gradients: dict[str, Tensor] = {}
        self.evaluation_gradients: dict[str, Tensor] = {}

    def compute_reference(self) -> None:
        """Compute each row alone with the library's own layers.

        Raises:
            BenchError: the model cannot be computed or trained, has NaN weights or outputs, gives another result the second
                time, reads each token by itself, or generates the same whatever it reads.
        """
        # The weights are checked too: attention on a CPU may return numbers although a weight is NaN.
        for name, weight in self.model.named_parameters():
            if not bool(weight.detach().sum().isfinite()):
                raise self.refusal(
                    f"has weights that are no finite numbers ({name})", "fetch its weights again, or choose another model"
                )
        try:
            self._compute_extremes()
            self.outputs = [self._outputs([row])[0] for row in self.rows]
            repeated = self._outputs(self.rows[:1])[0]
            single = [[row] for row in self.rows]
            self.gradients = self._gradients(single)
            if self.draws:
                self.evaluation_gradients = self._gradients(single, mode=evaluation_mode)
        except LibraryError as error:
            raise self.refusal(f"cannot be computed by transformers ({error})", "choose another model") from error
        if any(bool(output.isnan().any()) for outputs in self.outputs for output in outputs):
            raise self.refusal("gives outputs that are no numbers (NaN)", "choose another model")
        if not outputs_agree([self.outputs[0]], [repeated]):
            raise self.refusal("gives the same row another result when it is computed again", "choose another model")
        if not self._reads_context():
            raise self.refusal(
                "gives each token the same states whatever stands beside it, as attention does whose kernel is missing",
                "install what its documentation asks for, or choose another model",
            )
        if not self._reads_source():
            raise self.refusal(
                "writes the same whatever text it is given: its decoder does not read what its encoder made", "choose another model"
            )

    def _compute_extremes(self) -> None:
        """Compute the rows with extreme lengths; the error names the length unless all of them fail."""
        failures: list[tuple[int, LibraryError]] = []
        for row in self.extremes:
            if "labels" not in row.inputs and self.head.writes and self.model.config.is_encoder_decoder:
                row = replace(row, inputs={**row.inputs, "labels": self.rows[0].inputs["labels"]})
            try:
                self._outputs([row])
            except LibraryError as error:
                failures.append((row.length, error))
        if len(failures) == len(self.extremes):
            raise failures[0][1]
        for length, error in failures:
            raise LibraryError(f"for a row of {length} tokens: {error}") from error

    def batching(self) -> str:
        """Return which rows may be computed together: `PADDED`, `EQUAL` or `SINGLE`."""
        try:
            if outputs_agree(self.outputs, self._outputs(self.rows)):
                return PADDED
        except LibraryError:
            pass
        try:
            pairs = [[row, mirrored(row)] for row in self.rows]
            expected = [self._outputs([row])[0] for pair in pairs for row in pair]
            if outputs_agree(expected, [output for pair in pairs for output in self._outputs(pair)]):
                return EQUAL
        except LibraryError:
            pass
        return SINGLE

    def check(self, groups: Groups, context: BatchContext = lambda batch: nullcontext()) -> None:
        """Compare outputs and gradients of the model as it is now with those of single rows.

        Args:
            groups: `rows` in their order, grouped into batches.
            context: returns the context manager in which a batch is computed.

        Raises:
            Disagrees: outputs or gradients differ, or the model raises an error.
        """
        try:
            outputs = [output for group in groups for output in self._outputs(group, context)]
            if not outputs_agree(self.outputs, outputs):
                raise Disagrees("its outputs differ from those of single rows")
            gradients = self._gradients(groups, context)
            difference = gradient_difference(self.gradients, gradients)
            if difference and self._is_random(gradients, groups, context):
                difference = gradient_difference(
                    self.evaluation_gradients, self._gradients(groups, context, mode=evaluation_mode)
                )
        except LibraryError as error:
            raise Disagrees(str(error)) from error
        if difference:
            raise Disagrees(difference)

    def _is_random(self, gradients: dict[str, Tensor], groups: Groups, context: BatchContext) -> bool:
        """Return whether the gradients depend on the seed, so that they differ from those of single rows in any case."""
        return self.draws and any(
            gradient_difference(gradients, self._gradients(groups, context, seed)) for seed in OTHER_SEEDS
        )

    @library_errors()
    def _outputs(
        self, rows: Sequence[Feature], context: BatchContext = lambda batch: nullcontext()
    ) -> list[list[Tensor]]:
        """Return for each row the model's outputs at its own tokens, in evaluation mode."""
        batch = self.head.collate(rows)
        inputs = {name: tensor.to(self.device) for name, tensor in batch.items() if not name.endswith("_positions")}
        with evaluation_mode(self.model), torch.no_grad(), context(batch):
            outputs = self.model(**accepted(self.model, inputs))
        by_row: list[list[Tensor]] = [[] for _ in rows]
        for name, tensor in outputs.items():
            if name == "loss" or not isinstance(tensor, Tensor) or not tensor.is_floating_point() or len(tensor) != len(rows):
                continue
            has_tokens = tensor.ndim == 3 or name in ("start_logits", "end_logits")
            for row, output, own in zip(rows, tensor.float(), by_row, strict=True):
                own.append(output[: _count_tokens(row, name)] if has_tokens else output)
        return by_row

    @library_errors()
    def _gradients(
        self, groups: Groups, context: BatchContext = lambda batch: nullcontext(), seed: int = SEED,
        mode: Callable[[nn.Module], AbstractContextManager[None]] = training_mode,
    ) -> dict[str, Tensor]:  # fmt: skip
        """Return some numbers of each gradient of the mean loss of all rows, and clear the gradients."""
        self.model.zero_grad(set_to_none=True)
        terms = max(1, sum(self.head.loss_terms(row) for group in groups for row in group))
        with mode(self.model), torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            for group in groups:
                torch.manual_seed(seed)
                share = sum(self.head.loss_terms(row) for row in group) / terms
                if not share:  # a window without a word of its own: the mean of no terms is not a number
                    continue
                batch = self.head.collate(group)
                before = generator_states(self.device)
                with context(batch):
                    loss = self.head.loss(self.model, {name: tensor.to(self.device) for name, tensor in batch.items()})
                if loss.requires_grad:
                    (loss * share).backward()
                self.draws |= not torch.equal(before, generator_states(self.device))
        gradients = {
            name: sampled(weight.grad) for name, weight in self.model.named_parameters()
            if weight.requires_grad and weight.grad is not None
        }  # fmt: skip
        self.model.zero_grad(set_to_none=True)
        return gradients

    def _reads_context(self) -> bool:
        """Return whether a token's states change with another token of the row; True where that cannot be tested."""
        row = max(self.rows, key=lambda feature: feature.length)
        inputs = {name: values for name, values in row.inputs.items() if isinstance(values, list) and name != "labels"}
        ids = torch.tensor([inputs["input_ids"]])
        if ids.shape[1] < 3:
            return True
        middle = ids.shape[1] // 2
        changed = ids.clone()
        changed[0, middle] = next((token for token in ids[0].tolist() if token != int(ids[0, middle])), int(ids[0, middle]))
        if torch.equal(ids, changed):
            return True
        encoder = backbone(self.model)
        encoder = encoder.get_encoder() if encoder.config.is_encoder_decoder else encoder
        inputs = {name: torch.tensor([values]).to(self.device) for name, values in inputs.items()}
        try:
            with library_errors(), evaluation_mode(self.model), torch.no_grad():
                states, changed_states = (
                    encoder(**accepted(encoder, {**inputs, "input_ids": tokens.to(self.device)})).last_hidden_state[0]
                    for tokens in (ids, changed)
                )
        except LibraryError:
            return True
        if len(states) != ids.shape[1]:
            return True
        others = [position for position in range(len(states)) if position != middle]
        return not torch.equal(states[others], changed_states[others])

    def _reads_source(self) -> bool:
        """Return whether the decoder's output depends on the source; True for other models, and where that cannot be tested."""
        if not self.head.writes or not getattr(self.model.config, "is_encoder_decoder", False):
            return True
        row = max(self.rows, key=lambda feature: feature.length)
        ids = row.inputs["input_ids"]
        distinct = sorted(set(ids))
        changed = [distinct[(distinct.index(token) + 1) % len(distinct)] for token in ids]
        if changed == ids:
            return True
        batches = [self.head.collate([replace(row, inputs={**row.inputs, "input_ids": tokens})]) for tokens in (ids, changed)]
        try:
            with library_errors(), evaluation_mode(self.model), torch.no_grad():
                logits, changed_logits = (
                    self.model(**accepted(self.model, {name: tensor.to(self.device) for name, tensor in batch.items()})).logits
                    for batch in batches
                )
        except LibraryError:
            return True
        return not torch.equal(logits, changed_logits)

    def refusal(self, what: str, remedy: str) -> BenchError:
        """Return the error for a model that `what` is true of."""
        checkpoint = self.head.pretrained.checkpoint
        model_type = getattr(self.model.config, "model_type", "")
        return BenchError(f"model {checkpoint.name!r} (model_type {model_type}) {what}; {remedy}")


def _count_tokens(row: Feature, output: str) -> int | None:
    """Return how many positions of an output belong to the row: tokens of its target, or tokens that it reads."""
    labels = row.inputs.get("labels")
    return len(labels) if isinstance(labels, list) and not output.startswith("encoder") else row.length
