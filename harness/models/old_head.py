"""Heads that checkpoints bring: of a model that was fine-tuned for something else, left out; where a person asks for it, kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers import AutoModel, AutoModelForMaskedLM, PreTrainedModel

from harness.errors import BenchError

if TYPE_CHECKING:
    from harness.models.load import Pretrained

Mismatched = Collection[tuple[Any, ...]]  # name, size in the weights, size by the configuration


def own_head(
    pretrained: Pretrained, model: PreTrainedModel, missing: Collection[str], mismatched: Mismatched
) -> tuple[set[str], str]:
    """Give a model the head that its task needs: a fresh one, whatever the checkpoint brought, unless that is to be kept.

    Args:
        pretrained: the checkpoint that the model was loaded from.
        model: with a head of the library's.
        missing: names of the parameters that the checkpoint lacks.
        mismatched: those that it has in another size.

    Returns:
        The names of the parameters that are new by this, and what a person should know of it; empty where nothing was brought.

    Raises:
        BenchError: the head is to be kept (`Checkpoint.keep_head`) and the task has other classes, or another part than the head has
            another size.
    """
    head = _head(pretrained, model)
    check_sizes(pretrained, head, mismatched)
    brought = {name: parameter for name, parameter in head.items() if name not in missing}
    if brought:  # what the pretrained model has too, as ModernBERT's dense layer, is no head for a task
        pretraining = _names(pretrained, AutoModelForMaskedLM)
        brought = {name: parameter for name, parameter in brought.items() if name not in pretraining}
    other = {name for name, *_ in mismatched}
    if pretrained.checkpoint.keep_head:
        _keep(pretrained, model, brought, other)
        return set(), ""
    if not brought and not other:
        return set(), ""
    for name, parameter in brought.items():
        parameter._is_hf_initialized = model.get_submodule(name.rpartition(".")[0])._is_hf_initialized = False
    model.initialize_weights()
    names = ", ".join(map(str, (getattr(pretrained.config, "id2label", None) or {}).values()))
    return {*brought, *other}, f"its own head ({names[:60]}) is left out and a new one is trained; --keep-head keeps it"


def check_sizes(pretrained: Pretrained, head: Collection[str], mismatched: Mismatched) -> None:
    """Only a head may be of another size than the configuration says.

    Raises:
        BenchError: another part is.
    """
    for name, found, wanted in sorted(mismatched, key=lambda one: one[0]):
        if name not in head:
            raise BenchError(
                f"model {pretrained.checkpoint.name!r}: {name} has the size {list(found)} in its weights and {list(wanted)} by its "
                "config.json; they do not belong together, fetch the model again"
            )


def _keep(
    pretrained: Pretrained, model: PreTrainedModel, brought: Mapping[str, nn.Parameter], other: Collection[str]
) -> None:
    """Take the checkpoint's head over, its classes in the order that the task has them."""
    theirs = {str(name).casefold(): number for number, name in (pretrained.config.id2label or {}).items()}
    ours = [str(model.config.id2label[number]).casefold() for number in range(len(model.config.id2label))]
    name = pretrained.checkpoint.name
    if not brought and not other:
        raise BenchError(f"model {name!r} has no head of this kind to keep; leave --keep-head out")
    if other or sorted(theirs) != sorted(ours):
        raise BenchError(
            f"model {name!r}: its head knows {', '.join(theirs)[:200]}, the task has {', '.join(ours)[:200]}; --keep-head needs "
            "the same names, leave it out to train a new head"
        )
    order = torch.tensor([theirs[label] for label in ours])
    with torch.no_grad():
        for parameter in (one for one in brought.values() if one.shape[0] == len(ours)):
            parameter.copy_(parameter[order])


def _head(pretrained: Pretrained, model: PreTrainedModel) -> dict[str, nn.Parameter]:
    """The parameters that the backbone alone does not have, by name."""
    inner = {id(parameter) for parameter in model.base_model.parameters()}
    if model.base_model is not model:
        return {name: parameter for name, parameter in model.named_parameters() if id(parameter) not in inner}
    # The head lies among the backbone's own layers, as that of T5 for answers does.
    names = _names(pretrained, AutoModel)
    return {name: parameter for name, parameter in model.named_parameters() if names and name not in names}


def _names(pretrained: Pretrained, auto_class: Any) -> set[str]:
    """The names of the parameters of the class that an auto class has for the checkpoint; none where it has no class."""
    kind = pretrained.class_of(auto_class)
    if kind is None:
        return set()
    with torch.device("meta"):
        return {name for name, _ in kind(pretrained.configure()).named_parameters()}
