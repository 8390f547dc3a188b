"""Makes a model fast for the rows it will be trained on, as far as that model allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from accelerate.utils import send_to_device
from torch import Tensor, nn

from harness import linear
from harness.fast import dropout
from harness.fast.attention import NotPackable
from harness.fast.check import check
from harness.fast.stack import Packing
from harness.fast.vocabulary import keep_used
from harness.heads.base import Feature, Head

T = TypeVar("T")
PACKS = ("cpu", "cuda")  # devices on which packing has a road; on `cuda` it is unmeasured


@dataclass
class Fast:
    """What was done to a model.

    Attributes:
        packing: how batches are computed without padding, or None.
        refused: why they are not, or "".
        vocabulary: rows of the table of word embeddings, where it was cut down.
    """

    packing: Packing | None = None
    refused: str = ""
    vocabulary: int | None = None

    def compute(self, work: Callable[[dict[str, Tensor]], T], batch: dict[str, Tensor], device: torch.device) -> T:
        """`work` on a batch that lies on the CPU, moved to `device`; packed where the model can."""
        if self.packing is not None:
            try:
                with self.packing(batch):
                    return work(send_to_device(batch, device))
            except NotPackable as reason:
                self.give_up(str(reason))
        return work(send_to_device(batch, device))

    def give_up(self, reason: str) -> None:
        """Go on with padding."""
        if self.packing is not None:
            self.packing.remove()
        self.packing, self.refused = None, reason

    def facts(self) -> dict[str, Any]:
        """For the record."""
        return {
            "packed": self.packing is not None,
            "first_only": bool(self.packing and self.packing.first_only),
            "refused": self.refused,
            "vocabulary": self.vocabulary,
        }


def prepare(model: nn.Module, head: Head, splits: Sequence[Sequence[Feature]], training: Sequence[Feature]) -> Fast:
    """Make `model` fast in place; what it computes stays the same, but for the order of random numbers.

    Args:
        model: on its device, not yet under autocast: rounding to bf16 would hide a difference.
        head: of the model.
        splits: the features of every split that the model will read.
        training: those that it is trained on.
    """
    fast = Fast()
    device = next(model.parameters()).device
    if device.type == "cpu":
        dropout.install(model)
        linear.install(model)
    if not head.writes:
        used = {token for features in splits for feature in features for token in feature.inputs["input_ids"]}
        fast.vocabulary = keep_used(model, used | _special(head, model))
    if device.type not in PACKS:
        fast.refused = f"not on {device.type}"
        return fast
    for first_only in (True, False):
        try:
            fast.packing = Packing(model, first_only)
            verify(fast.packing, model, head, training)
            fast.refused = ""
            return fast
        except NotPackable as reason:
            fast.give_up(str(reason))
    return fast


def verify(packing: Packing, model: nn.Module, head: Head, training: Sequence[Feature]) -> None:
    """Compare outputs for three training rows of unlike length, of the shorter half, which are the cheaper ones.

    Raises:
        NotPackable: they differ.
    """
    ordered = sorted(training, key=lambda feature: feature.length)
    quarter = len(ordered) // 4
    chosen = [ordered[quarter], ordered[quarter // 2], ordered[0]]
    mode = model.training
    model.eval()

    def compute(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        # Without positions of answers and without the loss: the library's own may count padding.
        given = {name: tensor.to(packing.device) for name, tensor in batch.items() if not name.endswith("_positions")}
        return {name: output for name, output in model(**given).items() if name != "loss"}

    try:
        check(packing, compute, head.collate(chosen))
    finally:
        model.train(mode)


def _special(head: Head, model: nn.Module) -> set[int]:
    """Tokens that collating or the model itself puts into a row."""
    config = model.config
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
