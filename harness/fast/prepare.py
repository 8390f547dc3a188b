"""Chooses how a model computes its batches: the fastest way that gives the results of the library's own layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from accelerate.utils import send_to_device
from torch import Tensor, nn

from harness.fast import decision, dropout
from harness.fast.attention import NotPackable
from harness.fast.decision import Decision
from harness.fast.packing import Packing
from harness.fast.preflight import EQUAL, PADDED, SINGLE, Disagrees, Preflight
from harness.fast.tokenizer_check import check_embeddings
from harness.fast.vocabulary import cut_to_used
from harness.heads.base import Feature, Head
from harness.heads.library_errors import OUT_OF_MEMORY, LibraryError, library_errors

T = TypeVar("T")
PACKING_DEVICES = ("cpu", "cuda")  # the speed on `cuda` was not measured
PACKED, FULL = "packed", "full"
NOTES = {
    EQUAL: "padding changes what this model computes, so only rows of equal length are computed together",
    SINGLE: "other rows change what this model computes for a row, so each is computed alone",
    FULL: "memory was too short to try rows together, so each is computed alone",
}


@dataclass
class BatchComputer:
    """How a model's batches are computed.

    Attributes:
        packing: computes batches without padding; None: they are not packed.
        refused: why batches are not packed, or "".
        batches: which rows are computed together without packing: `PADDED`, `EQUAL` or `SINGLE`.
        kernels: whether dropout is that of this package; False: the library's own.
        vocabulary: number of rows of the embedding table, if it was cut down.
        notes: sentences for the person who runs the cell.
        model: whose layers are replaced.
    """

    packing: Packing | None = None
    refused: str = ""
    batches: str = PADDED
    kernels: bool = False
    vocabulary: int | None = None
    notes: list[str] = field(default_factory=list)
    model: nn.Module | None = None

    def compute(self, function: Callable[[dict[str, Tensor]], T], batch: dict[str, Tensor], device: torch.device) -> T:
        """Return `function(batch)`, with the batch moved from the CPU to `device` and packed if the model allows it.

        If a faster way raises an error, this batch and all later ones are computed the plain way.
        """
        if self.packing is not None:
            try:
                with library_errors("a packed batch"), self.packing(batch):
                    return function(send_to_device(batch, device))
            except (NotPackable, LibraryError) as reason:
                self.stop_packing(str(reason))
        if self.kernels:
            try:
                with library_errors("a batch"):
                    return function(send_to_device(batch, device))
            except LibraryError as reason:
                self.use_library_layers(str(reason))
        return function(send_to_device(batch, device))

    def fall_back(self, reason: str) -> bool:
        """Switch to the next slower way after an error; return False if there is none."""
        if self.packing is not None:
            self.stop_packing(reason)
        elif self.kernels:
            self.use_library_layers(reason)
        else:
            return False
        return True

    def stop_packing(self, reason: str) -> None:
        """Compute padded batches from now on."""
        if self.packing is not None:
            self.packing.remove()
        self.packing, self.refused = None, reason

    def use_library_layers(self, reason: str) -> None:
        """Compute with the library's own layers from now on."""
        if self.model is not None:
            dropout.uninstall(self.model)
        self.kernels = False
        self.notes.append(f"computed by the library's own layers: {reason}")

    def keys(self, features: Sequence[Feature]) -> list[Any] | None:
        """Return a key for each feature: only features with equal keys may share a batch. None: any may."""
        if self.packing is not None or self.batches == PADDED:
            return None
        if self.batches == SINGLE:
            return list(range(len(features)))
        return [
            tuple((name, len(values)) for name, values in feature.inputs.items() if isinstance(values, list)) for feature in features
        ]

    def unpacked(self) -> BatchComputer:
        """Return a computer without packing, for a head that computes its batches itself."""
        return BatchComputer(batches=self.batches)

    def facts(self) -> dict[str, Any]:
        """Return what the record says about it."""
        return {
            "packed": self.packing is not None,
            "refused": self.refused,
            "batches": PACKED if self.packing is not None else self.batches,
            "vocabulary": self.vocabulary,
            **({"notes": self.notes} if self.notes else {}),
        }


def prepare(
    model: nn.Module, head: Head, splits: Sequence[Sequence[Feature]], training: Sequence[Feature]
) -> BatchComputer:
    """Make `model` faster in place. Its results stay the same, except for the order of random numbers.

    The decision is made once for a checkpoint, task, lengths and method, and kept in the cache.

    Args:
        model: on its device, not yet under autocast, because rounding to bf16 would hide differences.
        head: of the model.
        splits: the features of all splits that the model will read.
        training: the features that it is trained on.

    Raises:
        BenchError: the model cannot be trained, or its results are wrong in every way of computing them.
    """
    computer = BatchComputer(model=model)
    used = {token for features in splits for feature in features for token in feature.inputs["input_ids"]}
    check_embeddings(model, head, used)
    words = used | _special_tokens(head, model)
    path = decision.cache_path(model, head, splits, training)
    known = decision.read(path, head)
    if known is not None:
        _apply(computer, known, head, words)
        return computer
    preflight = Preflight(model, head, splits, training)
    preflight.compute_reference()
    try:
        whole_vocabulary = _decide(computer, preflight, words)
    except OUT_OF_MEMORY:  # only with rows together, on this device, now: nothing is kept in the cache
        _compute_single_rows(computer, preflight)
        return computer
    decision.write(
        path,
        Decision(
            batches=computer.batches, kernels=computer.kernels, refused=computer.refused, notes=computer.notes,
            packed=computer.packing is not None, whole_vocabulary=whole_vocabulary, head=head.settled(),
        ),
    )  # fmt: skip
    return computer


def _decide(computer: BatchComputer, preflight: Preflight, words: set[int]) -> bool:
    """Find the fastest way with right results; return whether the embedding table must stay whole for it."""
    computer.batches = preflight.batching()
    if computer.batches != PADDED:
        computer.notes.append(NOTES[computer.batches])
    restore = _replace_layers(computer, preflight.head, words, cut=True, kernels=True)
    _choose(computer, preflight, restore)
    _settle_generation(computer, preflight, computer.batches == PADDED)
    return restore is not None and computer.vocabulary is None


def _compute_single_rows(computer: BatchComputer, preflight: Preflight) -> None:
    """Compute each row alone with the library's own layers, because memory is too short to test anything else."""
    computer.stop_packing(NOTES[FULL])
    if computer.kernels:
        computer.use_library_layers(NOTES[FULL])
    computer.batches = SINGLE
    computer.notes.append(NOTES[FULL])
    _settle_generation(computer, preflight, together=False)


def _settle_generation(computer: BatchComputer, preflight: Preflight, together: bool) -> None:
    """Let the head decide how it generates text."""
    try:
        computer.notes += preflight.head.settle(computer.model, preflight.rows, together)
    except LibraryError as error:
        raise preflight.refusal(f"cannot write texts ({error})", "choose another model") from error


def _replace_layers(
    computer: BatchComputer, head: Head, words: set[int], cut: bool, kernels: bool
) -> Callable[[], None] | None:
    """Cut the embedding table down and replace layers; return a function that restores the table, if it was cut."""
    restore = None
    if cut and not head.writes:
        computer.vocabulary, restore = cut_to_used(computer.model, words)
    if kernels and _device(computer.model).type == "cpu":
        dropout.install(computer.model)
        computer.kernels = True
    return restore


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device


def _choose(computer: BatchComputer, preflight: Preflight, restore: Callable[[], None] | None) -> None:
    """Choose the fastest way that agrees with single rows: packed, else padded; with our layers, else with the library's."""
    if _device(computer.model).type not in PACKING_DEVICES:
        computer.refused = f"not on {_device(computer.model).type}"
    else:
        try:
            computer.packing = Packing(computer.model)
            preflight.check([preflight.rows], computer.packing)
            return
        except (NotPackable, Disagrees) as reason:
            computer.stop_packing(str(reason))
    for _ in range(4):
        groups = [preflight.rows] if computer.batches == PADDED else [[row] for row in preflight.rows]
        try:
            preflight.check(groups)
            return
        except Disagrees as reason:
            if computer.kernels:
                computer.use_library_layers(str(reason))
            elif restore is not None:
                restore()
                computer.vocabulary, restore = None, None
            elif computer.batches != SINGLE:
                computer.batches = SINGLE
                computer.notes.append(NOTES[SINGLE])


def _apply(computer: BatchComputer, known: Decision, head: Head, words: set[int]) -> None:
    """Apply the decision of an earlier preflight."""
    computer.batches, computer.refused, computer.notes = known.batches, known.refused, list(known.notes)
    _replace_layers(computer, head, words, cut=not known.whole_vocabulary, kernels=known.kernels)
    if known.packed:
        try:
            computer.packing = Packing(computer.model)
        except NotPackable as reason:
            computer.stop_packing(str(reason))
    vars(head).update(known.head)


def _special_tokens(head: Head, model: nn.Module) -> set[int]:
    """Return the tokens that collating or the model itself may add to a row."""
    config = model.config.get_text_config()
    names = ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id")
    own = {getattr(config, name, None) for name in names}
    return {token for token in own | set(head.tokenizer.all_special_ids) if isinstance(token, int) and token >= 0}


def overhead_of_a_piece(model: nn.Module) -> float:
    """Return what it costs to compute a batch in one more piece, in tokens.

    This is an estimate for a core of 90 GFLOP/s: adding up a gradient takes as long as 18 tokens of work on the same weights, and
    the calls of the layers take about 8 ms. It decides how a batch is cut, never what is computed.
    """
    weights = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    return 18 + 1.2e8 / max(1, weights)
