"""Method `lora`: train low-rank adapters of frozen matrices (Hu et al. 2021), by PEFT, and the head in full."""

from __future__ import annotations

import re
from collections.abc import Sequence

from peft import LoraConfig, inject_adapter_in_model
from peft.tuners import tuners_utils
from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as TARGETS
from torch import nn
from transformers.pytorch_utils import Conv1D

from harness.adapt.frozen import train_new_weights
from harness.errors import BenchError
from harness.models.load import Pretrained
from harness.recipe import Recipe


def add_adapters(model: nn.Module, pretrained: Pretrained, recipe: Recipe) -> None:
    """Add an adapter to each matrix that the recipe's `lora_targets` selects, and train these and the new weights.

    The adapters go into the layers and do not wrap the model: its class, the names of its modules and `generate` stay. They
    start at zero, so that outputs stay the same.
    """
    names = [name for name in _matrices(model, pretrained) if _adaptable(model, name)]
    selected = _usual_targets(names, pretrained.config.model_type) if recipe.lora_targets == "usual" else []
    selected = selected or names
    if not selected:
        raise BenchError(
            f"model {pretrained.checkpoint.name!r} has no linear layer that an adapter could be put beside; use --methods full"
        )
    config = LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        # One expression: given a list of names, PEFT also takes every name that ends in one of them.
        target_modules="|".join(map(re.escape, selected)),
        # GPT-2's layers have transposed weights; a model has one kind of layers.
        fan_in_fan_out=isinstance(model.get_submodule(selected[0]), Conv1D),
    )
    train_new_weights(model, pretrained)
    new = [parameter for parameter in model.parameters() if parameter.requires_grad]
    inject_adapter_in_model(config, model)  # freezes all other weights
    for parameter in new:
        parameter.requires_grad_(True)


def _matrices(model: nn.Module, pretrained: Pretrained) -> list[str]:
    """Linear layers of the checkpoint, without the output layer, which is a head and often shared with the embeddings."""
    output_layer = getattr(model, "get_output_embeddings", lambda: None)()
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and module is not output_layer and module.weight in pretrained.taken
    ]


def _adaptable(model: nn.Module, name: str) -> bool:
    """Whether PEFT can adapt a layer: kernels of Mamba and similar models read some weights directly, past any adapter."""
    check = getattr(tuners_utils, "_check_lora_target_modules_mamba", None)
    try:
        if check is not None:
            check(LoraConfig(), model, name.rpartition(".")[2])
    except ValueError:
        return False
    return True


def _usual_targets(names: Sequence[str], model_type: str) -> list[str]:
    """The layers that PEFT adapts by default in this type of model, mostly queries and values; empty for unknown types."""
    targets = TARGETS.get(model_type, [])
    if isinstance(targets, str):
        return [name for name in names if re.fullmatch(targets, name)]
    return [name for name in names if name.rpartition(".")[2] in targets]
