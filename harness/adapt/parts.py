"""The parts of a model: its backbone, and which weights are new."""

from __future__ import annotations

from torch import nn
from transformers import PreTrainedModel

from harness.models.load import Pretrained


def backbone(model: nn.Module) -> nn.Module:
    """The model without its head; a model that writes is a backbone as a whole."""
    return next(module for module in model.modules() if isinstance(module, PreTrainedModel)).base_model


def train_what_is_new(model: nn.Module, pretrained: Pretrained) -> int:
    """Freeze what the checkpoint has brought and train the rest: heads, cross-attention, a decoder beside an encoder.

    Returns:
        How many weights are trained.
    """
    for parameter in model.parameters():
        parameter.requires_grad_(parameter not in pretrained.taken)
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
