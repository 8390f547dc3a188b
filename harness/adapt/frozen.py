"""The parts of a model, and the method frozen: the head is trained on a model that stays as it is."""

from __future__ import annotations

from torch import nn
from transformers import PreTrainedModel

from harness.errors import BenchError
from harness.models.load import Pretrained
from harness.recipe import Recipe

# The parts of a model: its backbone, and which weights are new.


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


# Method `frozen`: the head is trained on a model that stays as it is (a linear probe, where the head is linear).


def freeze(model: nn.Module, pretrained: Pretrained, recipe: Recipe) -> None:
    """Train the layers that the checkpoint lacks, and nothing else.

    A model that writes and lacks none (GPT-2, T5) has its output layer for a head; where the model shares it with its word
    embeddings, it gets a copy of them for its own, so that what is read stays frozen.

    Dropout is off wherever weights are frozen: the head sees the states that it will see in the test. New layers keep theirs.
    """
    if not train_what_is_new(model, pretrained):
        output = getattr(model, "get_output_embeddings", lambda: None)()
        if output is None:
            raise BenchError(
                f"model {pretrained.checkpoint.name!r} has no layer that method 'frozen' could train; use --methods full or lora"
            )
        output.weight = nn.Parameter(output.weight.detach().clone())
        output.requires_grad_(True)
    _keep_in_evaluation(backbone(model))


def _keep_in_evaluation(module: nn.Module) -> None:
    """Keep a backbone in evaluation mode whatever its model is told, but for parts of it that are trained as a whole."""
    trained = [parameter.requires_grad for parameter in module.parameters()]
    if trained and all(trained):
        return
    module.training = False
    for child in module.children():
        _keep_in_evaluation(child)
    module.train = lambda mode=True: _train_children(module, mode)


def _train_children(module: nn.Module, mode: bool) -> nn.Module:
    for child in module.children():
        child.train(mode)
    return module
