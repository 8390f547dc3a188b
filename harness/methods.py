"""How the weights are adapted. One entry a method; the training code asks only these questions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """A way to adapt a model.

    Attributes:
        pretrained: False to start from random weights of the same architecture: what pre-training was worth.
    """

    name: str
    description: str
    pretrained: bool = True


METHODS = {
    method.name: method
    for method in (
        Method("full", "all weights are trained, starting from the pretrained ones"),
        Method("scratch", "all weights are trained, starting from random ones", pretrained=False),
    )
}
