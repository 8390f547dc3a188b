"""Method `frozen`: train the head on a backbone that does not change (a linear probe, if the head is linear)."""

from __future__ import annotations

from torch import nn
from transformers import PreTrainedModel

from harness.errors import BenchError
from harness.models.load import Pretrained
from harness.recipe import Recipe


def backbone(model: nn.Module) -> nn.Module:
    """The model without its head; a generative model is a backbone as a whole."""
    return next(module for module in model.modules() if isinstance(module, PreTrainedModel)).base_model


def train_new_weights(model: nn.Module, pretrained: Pretrained) -> int:
    """Freeze the checkpoint's weights and train the others: heads, cross-attention, a new decoder.

    Returns:
        Number of trainable weights.
    """
    for parameter in model.parameters():
        parameter.requires_grad_(parameter not in pretrained.taken)
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def freeze(model: nn.Module, pretrained: Pretrained, recipe: Recipe) -> None:
    """Train only the layers that the checkpoint lacks.

    If it lacks none (GPT-2, T5), train the output layer. Where that is shared with the word embeddings, it becomes a copy, so
    that the embeddings stay frozen.

    Frozen layers have no dropout: the head sees the states that it will see in the test. New layers keep theirs.
    """
    if not train_new_weights(model, pretrained):
        output_layer = getattr(model, "get_output_embeddings", lambda: None)()
        if output_layer is None:
            raise BenchError(
                f"model {pretrained.checkpoint.name!r} has no layer that method 'frozen' could train; use --methods full or lora"
            )
        output_layer.weight = nn.Parameter(output_layer.weight.detach().clone())
        output_layer.requires_grad_(True)
    _lock_in_evaluation(backbone(model))


def _lock_in_evaluation(module: nn.Module) -> None:
    """Keep a module in evaluation mode when its model is set to training, except for submodules that are trained in full."""
    trained = [parameter.requires_grad for parameter in module.parameters()]
    if trained and all(trained):
        return
    module.training = False
    for child in module.children():
        _lock_in_evaluation(child)
    module.train = lambda mode=True: _train_children(module, mode)


def _train_children(module: nn.Module, mode: bool) -> nn.Module:
    for child in module.children():
        child.train(mode)
    return module
