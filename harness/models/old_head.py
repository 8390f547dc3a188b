"""Heads that come with a fine-tuned checkpoint: replaced by a new one, or kept if the user asks for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers import AutoModel, AutoModelForMaskedLM, PreTrainedModel

from harness.errors import BenchError

if TYPE_CHECKING:
    from harness.models.load import Pretrained

Mismatched = Collection[tuple[Any, ...]]  # name, shape in the weights, shape by the configuration


def reset_head(
    pretrained: Pretrained, model: PreTrainedModel, missing: Collection[str], mismatched: Mismatched
) -> tuple[set[str], str]:
    """Initialise the head of a model anew, whatever the checkpoint has, unless it is to be kept.

    Args:
        pretrained: the checkpoint that the model was loaded from.
        model: with a head of transformers.
        missing: names of the parameters that the checkpoint lacks.
        mismatched: those that it has in another shape.

    Returns:
        The names of the parameters that this makes new, and a note for the user; empty if the checkpoint has no head.

    Raises:
        BenchError: the head is to be kept (`Checkpoint.keep_head`) and the task has other classes, or another part than the
            head has another shape.
    """
    head = _head_parameters(pretrained, model)
    check_shapes(pretrained, head, mismatched)
    old = {name: parameter for name, parameter in head.items() if name not in missing}
    if old:  # what the pretrained model has as well, such as ModernBERT's dense layer, is no head for a task
        pretraining = _parameter_names(pretrained, AutoModelForMaskedLM)
        old = {name: parameter for name, parameter in old.items() if name not in pretraining}
    reshaped = {name for name, *_ in mismatched}
    if pretrained.checkpoint.keep_head:
        _keep_head(pretrained, model, old, reshaped)
        return set(), ""
    if not old and not reshaped:
        return set(), ""
    for name, parameter in old.items():
        parameter._is_hf_initialized = model.get_submodule(name.rpartition(".")[0])._is_hf_initialized = False
    model.initialize_weights()
    names = ", ".join(map(str, (getattr(pretrained.config, "id2label", None) or {}).values()))
    return {*old, *reshaped}, f"its own head ({names[:60]}) is left out and a new one is trained; --keep-head keeps it"


def check_shapes(pretrained: Pretrained, head: Collection[str], mismatched: Mismatched) -> None:
    """Check that only a head's parameters differ in shape from the configuration.

    Raises:
        BenchError: others do.
    """
    for name, actual, expected in sorted(mismatched, key=lambda entry: entry[0]):
        if name not in head:
            raise BenchError(
                f"model {pretrained.checkpoint.name!r}: {name} has the size {list(actual)} in its weights and {list(expected)} by its "
                "config.json; they do not belong together, fetch the model again"
            )


def _keep_head(
    pretrained: Pretrained, model: PreTrainedModel, old: Mapping[str, nn.Parameter], reshaped: Collection[str]
) -> None:
    """Keep the checkpoint's head, with its classes in the task's order."""
    head_index = {str(label).casefold(): index for index, label in (pretrained.config.id2label or {}).items()}
    task_labels = [str(model.config.id2label[index]).casefold() for index in range(len(model.config.id2label))]
    name = pretrained.checkpoint.name
    if not old and not reshaped:
        raise BenchError(f"model {name!r} has no head of this kind to keep; leave --keep-head out")
    if reshaped or sorted(head_index) != sorted(task_labels):
        raise BenchError(
            f"model {name!r}: its head knows {', '.join(head_index)[:200]}, the task has {', '.join(task_labels)[:200]}; --keep-head "
            "needs the same names, leave it out to train a new head"
        )
    order = torch.tensor([head_index[label] for label in task_labels])
    with torch.no_grad():
        for parameter in old.values():
            if parameter.shape[0] == len(task_labels):
                parameter.copy_(parameter[order])


def _head_parameters(pretrained: Pretrained, model: PreTrainedModel) -> dict[str, nn.Parameter]:
    """Parameters that the backbone alone does not have, by name."""
    backbone = {id(parameter) for parameter in model.base_model.parameters()}
    if model.base_model is not model:
        return {name: parameter for name, parameter in model.named_parameters() if id(parameter) not in backbone}
    # The head lies among the backbone's own layers, as that of T5 for question answering does.
    names = _parameter_names(pretrained, AutoModel)
    return {name: parameter for name, parameter in model.named_parameters() if names and name not in names}


def _parameter_names(pretrained: Pretrained, auto_class: Any) -> set[str]:
    """Parameter names of the class that an auto class builds for the checkpoint; empty if there is none."""
    model_class = pretrained.class_of(auto_class)
    if model_class is None:
        return set()
    with torch.device("meta"):
        return {name for name, _ in model_class(pretrained.configure()).named_parameters()}
