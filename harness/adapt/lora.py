"""Method `lora`: low-rank adapters beside frozen matrices (Hu et al. 2021), by PEFT; the head is trained in full."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from peft import LoraConfig, inject_adapter_in_model
from peft.tuners import tuners_utils
from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as KNOWN
from torch import nn
from transformers.pytorch_utils import Conv1D

from harness.adapt.frozen import train_what_is_new
from harness.errors import BenchError
from harness.models.load import Pretrained
from harness.recipe import Recipe


def add_adapters(model: nn.Module, pretrained: Pretrained, recipe: Recipe) -> None:
    """Put an adapter beside each matrix that the recipe's `lora_targets` means, and train these and what is new.

    The adapters are put into the layers themselves, not around the model: its class, the names of its modules and `generate`
    stay. They start at zero, so the model computes what it did.
    """
    names = [name for name, _ in _matrices(model, pretrained) if _adaptable(model, name)]
    chosen = _usual(names, pretrained.config.model_type) if recipe.lora_targets == "usual" else []
    chosen = chosen or names
    if not chosen:
        raise BenchError(
            f"model {pretrained.checkpoint.name!r} has no linear layer that an adapter could be put beside; use --methods full"
        )
    config = LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        # One expression: of names in a list, PEFT also takes whatever ends in one of them.
        target_modules="|".join(map(re.escape, chosen)),
        fan_in_fan_out=_transposed(model, chosen),
    )
    train_what_is_new(model, pretrained)
    new = [parameter for parameter in model.parameters() if parameter.requires_grad]
    inject_adapter_in_model(config, model)  # freezes whatever is no adapter
    for parameter in new:
        parameter.requires_grad_(True)


def _matrices(model: nn.Module, pretrained: Pretrained) -> Iterator[tuple[str, nn.Module]]:
    """Linear layers of the checkpoint; not the one that scores words, which is a head and often shared with the embeddings."""
    output = getattr(model, "get_output_embeddings", lambda: None)()
    for name, module in model.named_modules():
        linear = isinstance(module, nn.Linear | Conv1D)
        if linear and module is not output and module.weight in pretrained.taken:
            yield name, module


def _adaptable(model: nn.Module, name: str) -> bool:
    """Whether PEFT can put an adapter beside a layer: kernels of Mamba and its kin read the weights of some, past any adapter."""
    check = getattr(tuners_utils, "_check_lora_target_modules_mamba", None)
    try:
        if check is not None:
            check(LoraConfig(), model, name.rpartition(".")[2])
    except ValueError:
        return False
    return True


def _usual(names: Sequence[str], kind: str) -> list[str]:
    """Of these layers, those that PEFT adapts in this type of model: queries and values, mostly; none where it knows no type."""
    meant = KNOWN.get(kind, [])
    if isinstance(meant, str):
        return [name for name in names if re.fullmatch(meant, name)]
    return [name for name in names if name.rpartition(".")[2] in meant]


def _transposed(model: nn.Module, names: Sequence[str]) -> bool:
    """Whether these layers keep their weights the other way round, as GPT-2's do; a model has one kind."""
    return isinstance(model.get_submodule(names[0]), Conv1D)
