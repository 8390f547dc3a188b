"""Fine-tuning methods: which weights of a model are trained, and from which values they start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Method:
    """A way to fine-tune a model.

    Attributes:
        pretrained: False to start from random weights of the same architecture, which shows what pretraining is worth.
        adapt: `module:function` that chooses the trained weights of a model, see `harness.adapt`; "": all weights.
        learning_rate_factor: multiplies a learning rate that was not chosen for this method.
        fields: the recipe fields that only this method has.
        backward: the rough cost of the backward pass in forward passes: 1 for gradients of activations, 1 for those of
            weights.
    """

    name: str
    description: str
    pretrained: bool = True
    adapt: str = ""
    learning_rate_factor: float = 1.0
    fields: tuple[str, ...] = ()
    backward: int = 2


BASELINE = "baseline"  # in place of a method: nothing is fine-tuned, see `harness.baselines`
NOT_IN_TITLES = ("full", BASELINE)  # methods that a row's title does not mention

METHODS = {
    method.name: method
    for method in (
        Method("full", "all weights are trained, starting from the pretrained ones"),
        Method(
            "lora",
            "low-rank adapters beside frozen weights, and the head, are trained",
            adapt="harness.adapt.lora:add_adapters",
            learning_rate_factor=10.0,
            fields=("lora_rank", "lora_alpha", "lora_dropout", "lora_targets"),
            backward=1,
        ),
        Method(
            "frozen",
            "the head alone is trained, on the pretrained model as it is",
            adapt="harness.adapt.frozen:freeze",
            learning_rate_factor=30.0,
            backward=0,
        ),
        Method("scratch", "all weights are trained, starting from random ones", pretrained=False),
    )
}


def adapter_modules(methods: Iterable[str]) -> list[str]:
    """Return the modules that adapt models for these methods, so that a process can preload them."""
    modules = {METHODS[name].adapt.partition(":")[0] for name in methods if name in METHODS}
    return sorted(modules - {""})


@cache
def inapplicable_fields(method: str) -> frozenset[str]:
    """Return the recipe fields that only other methods have. They are not part of a cell's identity, and not shown."""
    own = METHODS[method].fields if method in METHODS else ()
    return frozenset(name for other in METHODS.values() for name in other.fields) - set(own)
