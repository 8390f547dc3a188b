"""Tries a model on a few of its own training rows before it is trained, and decides how its batches are computed.

Model types differ in what they make of padding, of a batch's other rows and of exchanged layers, and most faults of that kind give a
score without an error. So nothing is taken on trust: three rows of unlike length, computed one by one by the library's own layers,
are what every faster way has to agree with, in its outputs and in its gradients.
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
from harness.fast.comparing import close, differs, evaluated, generators, sampled, trained
from harness.fast.rows_tried import mirrored, tried
from harness.heads.base import Feature, Head, accepted
from harness.heads.library_errors import LibraryError, library_errors
from harness.models.load import word_embeddings

# What is computed together where nothing is packed: rows of any length, of equal length, none.
PADDED, EQUAL, SINGLE = "padded", "rows of equal length", "single rows"
SEED, SEEDS = 0, (1, 2, 3)  # of layers that draw random numbers although nothing is dropped
Around = Callable[[dict[str, Tensor]], AbstractContextManager[Any]]


class Disagrees(Exception):
    """Two ways of computing the same rows give different results; the message says which."""


class Preflight:
    """A few training rows, and what a model gives for them when the library computes each row alone.

    Args:
        model: as the head built it, on its device, in fp32, with the library's own layers.
        head: of the model.
        splits: the features of every split, whose lengths count.
        training: those with labels.

    Attributes:
        rows: three features of unlike length, the longest first: of the middle length, of a quarter's, and the shortest. Where
            the training rows are of one length and those of other splits are not, one is made of such a length.
        ends: the shortest and the longest row of all splits, and the one with the longest text to write; all have to be computable.
        outputs: for each row the outputs at its own tokens.
        gradients: of the rows' loss, without dropout.
        drew: whether the model drew random numbers for them, although nothing is dropped, as some choose their experts by.
        still: the same gradients in evaluation mode, if it did.
    """

    def __init__(self, model: nn.Module, head: Head, splits: Sequence[Sequence[Feature]], training: Sequence[Feature]):
        self.model, self.head = model, head
        self.device = next(model.parameters()).device
        self.drew = False
        self.rows, self.ends = tried(splits, training)

    def alone(self) -> None:
        """Compute each row alone, by the library's own layers; this is what `agrees` compares with.

        Raises:
            BenchError: the model cannot be computed or trained, holds what is no number, reads nothing but single tokens, writes whatever
                it reads, or remembers other rows.
        """
        # Asked of the weights: attention on a CPU may give numbers although one of its weights is none.
        lost = next((name for name, weight in self.model.named_parameters() if not bool(weight.detach().sum().isfinite())), None)
        if lost is not None:
            raise self.refusal(
                f"has weights that are no finite numbers ({lost})", "fetch its weights again, or choose another model"
            )
        try:
            self._compute_ends()
            self.outputs = [self._outputs([row])[0] for row in self.rows]
            again = self._outputs(self.rows[:1])[0]
            alone = [[row] for row in self.rows]
            self.gradients = self._gradients(alone)
            self.still = self._gradients(alone, mode=evaluated) if self.drew else {}
        except LibraryError as error:
            raise self.refusal(f"cannot be computed by transformers ({error})", "choose another model") from error
        if any(bool(output.isnan().any()) for row in self.outputs for output in row):
            raise self.refusal("gives outputs that are no numbers (NaN)", "choose another model")
        if not close([self.outputs[0]], [again]):
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

    def _compute_ends(self) -> None:
        """Compute the rows of `ends`, some of which may be among the rows to be tested alone."""
        failed: list[tuple[int, LibraryError]] = []
        for row in self.ends:
            if "labels" not in row.inputs and self.head.writes and self.model.config.is_encoder_decoder:
                row = replace(row, inputs={**row.inputs, "labels": self.rows[0].inputs["labels"]})
            try:
                self._outputs([row])
            except LibraryError as error:
                failed.append((row.length, error))
        if len(failed) == len(self.ends):
            raise failed[0][1]
        for length, error in failed:
            raise LibraryError(f"for a row of {length} tokens: {error}") from error

    def together(self) -> str:
        """How rows may be computed together: `PADDED`, `EQUAL` or `SINGLE`."""
        for way, groups in ((PADDED, [self.rows]), (EQUAL, [[row, mirrored(row)] for row in self.rows])):
            expected = self.outputs if way == PADDED else [self._outputs([row])[0] for group in groups for row in group]
            try:
                made = [output for group in groups for output in self._outputs(group)]
                if close(expected, made):
                    return way
            except LibraryError:
                continue
        return SINGLE

    def agrees(self, groups: Sequence[Sequence[Feature]], around: Around = lambda batch: nullcontext()) -> None:
        """Compare the rows in these groups, as the model computes them now, with each row alone.

        Args:
            groups: the rows, in the order of `rows`, as they are computed together.
            around: gives what a batch is computed inside of.

        Raises:
            Disagrees: outputs or gradients differ, or something is raised.
        """
        try:
            made = [output for group in groups for output in self._outputs(group, around)]
            if not close(self.outputs, made):
                raise Disagrees("its outputs differ from those of single rows")
            gradients = self._gradients(groups, around)
            where = differs(self.gradients, gradients)
            if where and self._left_to_chance(gradients, groups, around):
                where = differs(self.still, self._gradients(groups, around, mode=evaluated))
        except LibraryError as error:
            raise Disagrees(str(error)) from error
        if where:
            raise Disagrees(where)

    def _left_to_chance(self, gradients: dict[str, Tensor], groups: Sequence[Sequence[Feature]], around: Around) -> bool:
        """Whether gradients are others with other random numbers, so that they differ from those of single rows in any case."""
        others = (self._gradients(groups, around, seed) for seed in SEEDS if self.drew)
        return any(differs(gradients, found) for found in others)

    def answers(self, groups: Sequence[Sequence[Feature]], around: Around) -> None:
        """Compare the outputs alone, as an evaluation computes them: see `agrees`.

        Raises:
            Disagrees: they differ, or something is raised.
        """
        try:
            made = [output for group in groups for output in self._outputs(group, around)]
        except LibraryError as error:
            raise Disagrees(str(error)) from error
        if not close(self.outputs, made):
            raise Disagrees("its outputs differ from those of single rows")

    @library_errors()
    def _outputs(self, rows: Sequence[Feature], around: Around = lambda batch: nullcontext()) -> list[list[Tensor]]:
        """For each row the model's outputs at its own tokens, in evaluation mode."""
        batch = self.head.collate(rows)
        given = {name: tensor.to(self.device) for name, tensor in batch.items() if not name.endswith("_positions")}
        with evaluated(self.model), torch.no_grad(), around(batch):
            made = self.model(**accepted(self.model, given))
        found: list[list[Tensor]] = [[] for _ in rows]
        for name, tensor in made.items():
            if name == "loss" or not isinstance(tensor, Tensor) or not tensor.is_floating_point() or len(tensor) != len(rows):
                continue
            for row, output, own in zip(rows, tensor.float(), found, strict=True):
                own.append(output[: _tokens(row, name)] if tensor.ndim == 3 or name in ("start_logits", "end_logits") else output)
        return found

    @library_errors()
    def _gradients(
        self, groups: Sequence[Sequence[Feature]], around: Around = lambda batch: nullcontext(), seed: int = SEED,
        mode: Callable[[nn.Module], AbstractContextManager[None]] | None = None,
    ) -> dict[str, Tensor]:  # fmt: skip
        """Parts of the gradients of the rows' mean loss, in training mode but without dropout; nothing of them stays behind."""
        self.model.zero_grad(set_to_none=True)
        whole = max(1, sum(self.head.loss_terms(row) for group in groups for row in group))
        device = self.device
        with (mode or trained)(self.model), torch.random.fork_rng([device] if device.type == "cuda" else []):
            for group in groups:
                torch.manual_seed(seed)
                share = sum(self.head.loss_terms(row) for row in group) / whole
                if not share:  # a window without a word of its own; the mean of no terms is no number
                    continue
                batch = self.head.collate(group)
                before = generators(device)
                with around(batch):
                    loss = self.head.loss(self.model, {name: tensor.to(device) for name, tensor in batch.items()})
                if loss.requires_grad:
                    (loss * share).backward()
                self.drew |= not torch.equal(before, generators(device))
        found = {
            name: sampled(weight.grad) for name, weight in self.model.named_parameters()
            if weight.requires_grad and weight.grad is not None
        }  # fmt: skip
        self.model.zero_grad(set_to_none=True)
        return found

    def _reads_context(self) -> bool:
        """Whether the states of a token change when another token does; True where that cannot be asked."""
        row = max(self.rows, key=lambda feature: feature.length)
        inputs = {name: values for name, values in row.inputs.items() if isinstance(values, list) and name != "labels"}
        ids = torch.tensor([inputs["input_ids"]])
        if ids.shape[1] < 3:
            return True
        place = ids.shape[1] // 2
        changed = ids.clone()
        changed[0, place] = next((token for token in ids[0].tolist() if token != int(ids[0, place])), int(ids[0, place]))
        if torch.equal(ids, changed):
            return True
        reader = backbone(self.model)
        reader = reader.get_encoder() if reader.config.is_encoder_decoder else reader
        given = {name: torch.tensor([values]).to(self.device) for name, values in inputs.items()}
        try:
            with library_errors(), evaluated(self.model), torch.no_grad():
                one, other = (
                    reader(**accepted(reader, {**given, "input_ids": tokens.to(self.device)})).last_hidden_state[0]
                    for tokens in (ids, changed)
                )
        except LibraryError:
            return True
        if len(one) != ids.shape[1]:
            return True
        others = [number for number in range(len(one)) if number != place]
        return not torch.equal(one[others], other[others])

    def _reads_source(self) -> bool:
        """Whether what is written depends on what was read; True where a model has no encoder, or that cannot be asked."""
        if not self.head.writes or not getattr(self.model.config, "is_encoder_decoder", False):
            return True
        row = max(self.rows, key=lambda feature: feature.length)
        ids = row.inputs["input_ids"]
        inner = sorted(set(ids))
        changed = [inner[(inner.index(token) + 1) % len(inner)] for token in ids]
        if changed == ids:
            return True
        batches = [self.head.collate([replace(row, inputs={**row.inputs, "input_ids": tokens})]) for tokens in (ids, changed)]
        try:
            with library_errors(), evaluated(self.model), torch.no_grad():
                one, other = (
                    self.model(**accepted(self.model, {name: tensor.to(self.device) for name, tensor in batch.items()})).logits
                    for batch in batches
                )
        except LibraryError:
            return True
        return not torch.equal(one, other)

    def refusal(self, what: str, cure: str) -> BenchError:
        """The error for a model that `what` is true of."""
        checkpoint = self.head.pretrained.checkpoint
        kind = getattr(self.model.config, "model_type", "")
        return BenchError(f"model {checkpoint.name!r} (model_type {kind}) {what}; {cure}")


def check_tokens(model: nn.Module, head: Head, used: set[int]) -> None:
    """Make sure that the model has an embedding for every token.

    Args:
        used: the numbers of all tokens in the rows.

    Raises:
        BenchError: it has not.
    """
    table = word_embeddings(backbone(model))
    rows = getattr(table, "num_embeddings", None)
    if rows is None or max(used, default=0) < rows:
        return
    number = max(used)
    token = head.tokenizer.convert_ids_to_tokens(number)
    raise BenchError(
        f"model {head.pretrained.checkpoint.name!r}: token {token!r} has the number {number}, the model has {rows} embeddings "
        f"(0 to {rows - 1}); its tokeniser and its weights do not belong together"
    )


def _tokens(row: Feature, name: str) -> int | None:
    """How many of a row's outputs belong to its own tokens: those that it writes, or those that it reads."""
    labels = row.inputs.get("labels")
    return len(labels) if isinstance(labels, list) and not name.startswith("encoder") else row.length
