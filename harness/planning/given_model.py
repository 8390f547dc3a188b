"""A `harness.Model` that a person has made, with each field checked."""

from __future__ import annotations

from dataclasses import replace

from harness import registry
from harness.errors import BenchError, unknown
from harness.family import ARCHITECTURES
from harness.model import Model
from harness.planning.arguments import need, path_of, whole
from harness.shown import plain

PRECISIONS = ("fp32", "bf16", "fp16")


def checked_model(model: Model) -> Model:
    """The same model; a path is text, and one family or precision is a list of one.

    Raises:
        BenchError: a field with a value that means nothing.
    """
    need("Model: name", model.name, str, "text")
    where = f"Model {plain(model.name)!r}"
    if not model.name.strip() or plain(model.name) != model.name:
        raise BenchError(f"{where}: cannot be a name; give one line of visible characters")
    need(f"{where}: prefix", model.prefix, str, "text")
    families = (model.families,) if isinstance(model.families, str) else model.families
    avoid = (model.avoid,) if isinstance(model.avoid, str) else model.avoid
    need(f"{where}: families", families, (tuple, list, type(None)), "names of task families")
    need(f"{where}: avoid", avoid, (tuple, list), f"some of {', '.join(PRECISIONS)}")
    for name in families or ():
        registry.family(name)
    for name in avoid:
        if name not in PRECISIONS:
            raise unknown("precision", str(name), PRECISIONS, where=f"{where}: avoid")
    if model.architecture is not None and model.architecture not in ARCHITECTURES:
        raise unknown("architecture", str(model.architecture), ARCHITECTURES, where=where)
    return replace(
        model,
        source=path_of(f"{where}: source", model.source),
        families=tuple(families) if families is not None else None,
        avoid=tuple(avoid),
        max_length=None if model.max_length is None else whole(f"{where}: max_length", model.max_length, 1),
    )
