"""How the weights are adapted. One entry a method; the training code asks only these questions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Method:
    """A way to adapt a model.

    Attributes:
        pretrained: False to start from random weights of the same architecture: what pre-training was worth.
        adapt: `module:function` that decides which weights of a built model are trained, see `harness.adapt`; "": all.
        learning_rate_factor: by what a learning rate is multiplied that was not chosen for this method.
        fields: the fields of a recipe that this method alone has.
        backward: the backward pass in forward passes, roughly: 1 for gradients of states, 1 for those of weights.
    """

    name: str
    description: str
    pretrained: bool = True
    adapt: str = ""
    learning_rate_factor: float = 1.0
    fields: tuple[str, ...] = ()
    backward: int = 2


BASELINE = "baseline"  # instead of a method: nothing is adapted, see `harness.baselines`
NOT_IN_TITLES = ("full", BASELINE)  # what the title of a row does not say

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
    """Where the code is that adapts models by these methods, for a process that loads libraries once for many cells."""
    found = {METHODS[name].adapt.partition(":")[0] for name in methods if name in METHODS}
    return sorted(found - {""})


@cache
def inapplicable_fields(method: str) -> frozenset[str]:
    """The fields of a recipe that say nothing to this method: they are neither told of its cells nor part of their identity."""
    own = METHODS[method].fields if method in METHODS else ()
    return frozenset(name for other in METHODS.values() for name in other.fields) - set(own)
