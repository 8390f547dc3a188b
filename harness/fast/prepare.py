"""Makes a model fast for the rows it will be trained on, as far as that model allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from accelerate.utils import send_to_device
from torch import Tensor, nn

from harness import linear
from harness.fast import decision, dropout
from harness.fast.attention import NotPackable
from harness.fast.decision import Decision
from harness.fast.preflight import EQUAL, PADDED, SINGLE, Disagrees, Preflight, check_tokens
from harness.fast.stack import Packing
from harness.fast.vocabulary import keep_used
from harness.heads.base import Feature, Head
from harness.heads.library_errors import OUT_OF_MEMORY, LibraryError, library_errors

T = TypeVar("T")
PACKS = ("cpu", "cuda")  # devices on which packing has a road; on `cuda` it is unmeasured
PACKED, FULL = "packed", "full"
NOTES = {
    EQUAL: "padding changes what this model computes, so only rows of equal length are computed together",
    SINGLE: "other rows change what this model computes for a row, so each is computed alone",
    FULL: "memory was too short to try rows together, so each is computed alone",
}


@dataclass
class Fast:
    """How a model's batches are computed.

    Attributes:
        packing: computes batches without padding, or None.
        refused: why they are not, or "".
        batches: what is computed together where nothing is packed: `PADDED`, `EQUAL` or `SINGLE`.
        kernels: whether linear layers and dropout are those of this package; False: the library's own.
        evaluates: whether linear layers are exchanged in evaluations too, see `harness.linear.packed`.
        vocabulary: rows of the table of word embeddings, where it was cut down.
        notes: what a person should know of this, in sentences.
        model: what `compute` works on.
    """

    packing: Packing | None = None
    refused: str = ""
    batches: str = PADDED
    kernels: bool = False
    evaluates: bool = True
    vocabulary: int | None = None
    notes: list[str] = field(default_factory=list)
    model: nn.Module | None = None

    def compute(self, work: Callable[[dict[str, Tensor]], T], batch: dict[str, Tensor], device: torch.device) -> T:
        """`work` on a batch that lies on the CPU, moved to `device`; packed where the model can.

        Whatever a faster way raises, the batch is computed again the plain way, and all that follow.
        """
        if self.packing is not None:
            try:
                with library_errors("a packed batch"), self.packing(batch):
                    return work(send_to_device(batch, device))
            except (NotPackable, LibraryError) as reason:
                self.give_up(str(reason))
        if self.kernels:
            try:
                with library_errors("a batch"):
                    return work(send_to_device(batch, device))
            except LibraryError as reason:
                self.use_library(str(reason))
        return work(send_to_device(batch, device))

    def slower(self, reason: str) -> bool:
        """Go on by the next slower way after an error that the present one may have made; False where there is none."""
        if self.packing is not None:
            self.give_up(reason)
        elif self.kernels:
            self.use_library(reason)
        else:
            return False
        return True

    def give_up(self, reason: str) -> None:
        """Go on without packing."""
        if self.packing is not None:
            self.packing.remove()
        self.packing, self.refused = None, reason

    def use_library(self, reason: str) -> None:
        """Go on with the library's own layers."""
        if self.model is not None:
            dropout.uninstall(self.model)
            linear.uninstall(self.model)
        self.kernels = False
        self.notes.append(f"computed by the library's own layers: {reason}")

    def keys(self, features: Sequence[Feature]) -> list[Any] | None:
        """A key for each feature; only those of equal keys may be computed together. None: any may."""
        if self.packing is not None or self.batches == PADDED:
            return None
        if self.batches == SINGLE:
            return list(range(len(features)))
        return [
            tuple((name, len(values)) for name, values in feature.inputs.items() if isinstance(values, list)) for feature in features
        ]

    def unpacked(self) -> Fast:
        """The same without packing, for what computes its batches in a way of its own."""
        return Fast(batches=self.batches, evaluates=self.evaluates)

    def facts(self) -> dict[str, Any]:
        """For the record."""
        return {
            "packed": self.packing is not None,
            "first_only": bool(self.packing and self.packing.first_only),
            "refused": self.refused,
            "batches": PACKED if self.packing is not None else self.batches,
            "vocabulary": self.vocabulary,
            **({"notes": self.notes} if self.notes else {}),
        }


def prepare(model: nn.Module, head: Head, splits: Sequence[Sequence[Feature]], training: Sequence[Feature]) -> Fast:
    """Make `model` fast in place; what it computes stays the same, but for the order of random numbers.

    Whether it does is found out once for a checkpoint, task, lengths and method, and kept in the cache.

    Args:
        model: on its device, not yet under autocast: rounding to bf16 would hide a difference.
        head: of the model.
        splits: the features of every split that the model will read.
        training: those that it is trained on.

    Raises:
        BenchError: the model cannot be trained, or its outputs cannot be trusted, however it is computed.
    """
    fast = Fast(model=model)
    used = {token for features in splits for feature in features for token in feature.inputs["input_ids"]}
    check_tokens(model, head, used)
    words = used | _special(head, model)
    place = decision.place_of(model, head, splits, training)
    known = decision.read(place, head)
    if known is not None:
        _follow(fast, known, head, words)
        return fast
    trial = Preflight(model, head, splits, training)
    trial.alone()
    try:
        whole = _settle(fast, trial, words)
    except OUT_OF_MEMORY:  # of rows together; that is a matter of this device today, so nothing is kept
        _one_by_one(fast, trial)
        return fast
    decision.keep(
        place,
        Decision(
            batches=fast.batches, kernels=fast.kernels, evaluates=fast.evaluates, refused=fast.refused, notes=fast.notes,
            packed=fast.packing is not None, first_only=bool(fast.packing and fast.packing.first_only), whole=whole,
            head=head.settled(),
        ),
    )  # fmt: skip
    return fast


def _settle(fast: Fast, trial: Preflight, words: set[int]) -> bool:
    """Find the fastest way of computing that can be trusted; whether the table of word embeddings must stay whole for it."""
    fast.batches = trial.together()
    if fast.batches != PADDED:
        fast.notes.append(NOTES[fast.batches])
    undo = _quicken(fast, trial.head, words, cut=True, kernels=True)
    _choose(fast, trial, undo)
    fast.evaluates = _evaluates(fast, trial)
    _write(fast, trial, fast.batches == PADDED)
    return undo is not None and fast.vocabulary is None


def _one_by_one(fast: Fast, trial: Preflight) -> None:
    """Compute each row alone by the library's own layers, for want of memory to try anything else."""
    fast.give_up(NOTES[FULL])
    if fast.kernels:
        fast.use_library(NOTES[FULL])
    fast.batches, fast.evaluates = SINGLE, False
    fast.notes.append(NOTES[FULL])
    _write(fast, trial, together=False)


def _write(fast: Fast, trial: Preflight, together: bool) -> None:
    """Let the head decide how it computes its outputs."""
    try:
        fast.notes += trial.head.settle(fast.model, trial.rows, together)
    except LibraryError as error:
        raise trial.refusal(f"cannot write texts ({error})", "choose another model") from error


def _quicken(fast: Fast, head: Head, words: set[int], cut: bool, kernels: bool) -> Callable[[], None] | None:
    """Cut the table of word embeddings down and exchange layers; what makes the table whole again, if it was cut."""
    undo = None
    if cut and not head.writes:
        fast.vocabulary, undo = keep_used(fast.model, words)
    if kernels and model_device(fast.model).type == "cpu":
        dropout.install(fast.model)
        linear.install(fast.model)
        fast.kernels = True
    return undo


def model_device(model: nn.Module) -> torch.device:
    """Where a model's weights lie."""
    return next(model.parameters()).device


def _choose(fast: Fast, trial: Preflight, undo: Callable[[], None] | None) -> None:
    """The fastest way that agrees with the library's rows one by one: packed, then not; our layers, then the library's."""
    if model_device(fast.model).type not in PACKS:
        fast.refused = f"not on {model_device(fast.model).type}"
    else:
        for first_only in (True, False):
            try:
                fast.packing = Packing(fast.model, first_only)
                trial.agrees([trial.rows], fast.packing)
                fast.refused = ""
                return
            except (NotPackable, Disagrees) as reason:
                fast.give_up(str(reason))
    for _ in range(4):
        groups = [trial.rows] if fast.batches == PADDED else [[row] for row in trial.rows]
        try:
            trial.agrees(groups)
            return
        except Disagrees as reason:
            if fast.kernels:
                fast.use_library(str(reason))
            elif undo is not None:
                undo()
                fast.vocabulary, undo = None, None
            elif fast.batches != SINGLE:
                fast.batches = SINGLE
                fast.notes.append(NOTES[SINGLE])


def _evaluates(fast: Fast, trial: Preflight) -> bool:
    """Whether the layers that are exchanged in evaluations give what the library's give."""

    @contextmanager
    def around(batch: dict[str, Tensor]) -> Iterator[None]:
        with linear.packed(fast.model), fast.packing(batch) if fast.packing is not None else nullcontext():
            yield

    groups = [trial.rows] if fast.packing is not None or fast.batches == PADDED else [[row] for row in trial.rows]
    try:
        trial.answers(groups, around)
    except (NotPackable, Disagrees) as reason:
        fast.notes.append(f"evaluated by the library's own layers: {reason}")
        return False
    return True


def _follow(fast: Fast, known: Decision, head: Head, words: set[int]) -> None:
    """Do what an earlier trial of the same model came to."""
    fast.batches, fast.refused, fast.notes, fast.evaluates = known.batches, known.refused, list(known.notes), known.evaluates
    _quicken(fast, head, words, cut=not known.whole, kernels=known.kernels)
    if known.packed:
        try:
            fast.packing = Packing(fast.model, known.first_only)
        except NotPackable as reason:
            fast.give_up(str(reason))
    vars(head).update(known.head)


def _special(head: Head, model: nn.Module) -> set[int]:
    """Tokens that collating or the model itself puts into a row."""
    config = model.config.get_text_config()
    names = ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id")
    own = {getattr(config, name, None) for name in names}
    return {number for number in own | set(head.tokenizer.all_special_ids) if isinstance(number, int) and number >= 0}


def tokens_worth_of_a_piece(model: nn.Module) -> float:
    """What it costs to compute a batch in one more piece, in tokens: to add up all gradients, and some hundred calls a layer.

    Reckoned, not measured, for a core of 90 GFLOP/s: adding up a gradient takes as long as 18 tokens of work on its weights,
    whatever their number, and the calls about 8 ms. It decides how a batch is cut, never what is computed.
    """
    weights = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    return 18 + 1.2e8 / max(1, weights)
