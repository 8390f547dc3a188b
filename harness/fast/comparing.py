"""Comparing two ways of computing a model: on which rows, in which mode, and how far the results may differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from harness.heads.base import Feature

OUTPUT_TOLERANCE = 1e-3  # of the range of an output over all rows
ROUNDING = 1e-5  # of the largest value of an output
GRADIENT_TOLERANCE = 1e-3  # of the norm of a weight's gradient
SAMPLE = 4096  # numbers of each gradient that are compared


def sample_rows(splits: Sequence[Sequence[Feature]], training: Sequence[Feature]) -> tuple[list[Feature], list[Feature]]:
    """Choose the rows on which a model is tested.

    Returns:
        Three training rows of different lengths, the longest first, and the rows with extreme lengths: the shortest, the
        longest, and the one with the longest target. Where all training rows have the same length and other splits do not, the
        third row is given another length.
    """
    ordered = sorted(training, key=lambda feature: feature.length)
    positions = {max(least, len(ordered) // part) for least, part in ((2, 2), (1, 4), (0, len(ordered) + 1))}
    rows = [ordered[position] for position in sorted(positions, reverse=True) if position < len(ordered)]
    rows += [rows[-1]] * (3 - len(rows))
    all_features = [feature for split in (training, *splits) for feature in split]
    extremes = [choose(all_features, key=lambda feature: feature.length) for choose in (min, max)]
    if isinstance(training[0].inputs.get("labels"), list):
        extremes.append(max(training, key=lambda feature: len(feature.inputs["labels"])))
    if len({row.length for row in rows}) == 1:
        other_lengths = [row.length for row in extremes if row.length != rows[0].length]
        rows[-1] = _resized(rows[-1], other_lengths[0]) if other_lengths else rows[-1]
    return sorted(rows, key=lambda row: row.length, reverse=True), extremes


def _resized(row: Feature, length: int) -> Feature:
    """Return the row with `length` tokens: the first one, and the last of the others, repeated where there are too few."""
    old_length, times = row.length, -(-length // row.length)
    inputs = {}
    for name, values in row.inputs.items():
        if isinstance(values, list) and len(values) == old_length:
            inputs[name] = [*values[:1], *((values * times)[1:][1 - length :] if length > 1 else [])]
        else:
            inputs[name] = min(values, length - 1) if name.endswith("_positions") else values
    return replace(row, inputs=inputs)


def mirrored(row: Feature) -> Feature:
    """Return a different row of the same length: its inner tokens in reverse order, or all tokens if that changes nothing."""
    ids = row.inputs["input_ids"]
    inner = [*ids[:1], *ids[1:-1][::-1], *ids[1:][-1:]]
    return replace(row, inputs={**row.inputs, "input_ids": inner if inner != ids else ids[::-1]})


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Put the whole model into evaluation mode inside the block; each module has its old mode afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def training_mode(model: nn.Module) -> Iterator[None]:
    """Put the whole model into training mode inside the block, but with all dropout probabilities 0, LayerDrop included."""
    modes = [(module, module.training) for module in model.modules()]
    model.train()
    owners = [*model.modules(), *{id(one.config): one.config for one in model.modules() if hasattr(one, "config")}.values()]
    changed = [
        (owner, name, value) for owner in owners for name, value in list(vars(owner).items())
        if "drop" in name and isinstance(value, float) and value
    ]  # fmt: skip
    changed += [(module, "p", module.p) for module in model.modules() if isinstance(module, nn.Dropout)]
    for owner, name, _ in changed:
        setattr(owner, name, 0.0)
    try:
        yield
    finally:
        for owner, name, value in changed:
            setattr(owner, name, value)
        for module, mode in modes:
            module.training = mode


def outputs_agree(expected: Sequence[Sequence[Tensor]], actual: Sequence[Sequence[Tensor]]) -> bool:
    """Return whether outputs are equal up to rounding, relative to the range of each output over all rows.

    Args:
        expected, actual: for each row its outputs.
    """
    for kind in range(len(expected[0])):
        expected_rows, actual_rows = ([row[kind] for row in rows] for rows in (expected, actual))
        if any(a.shape != b.shape for a, b in zip(expected_rows, actual_rows, strict=True)):
            return False
        flat, other = (torch.cat([row.flatten() for row in rows]) for rows in (expected_rows, actual_rows))
        finite = flat.isfinite()
        if not torch.equal(finite, other.isfinite()):
            return False
        flat, other = flat[finite], other[finite]
        if not len(flat):
            continue
        allowed = OUTPUT_TOLERANCE * float(flat.max() - flat.min()) + ROUNDING * float(flat.abs().max()) + 1e-6
        if not float((flat - other).abs().max()) <= allowed:
            return False
    return True


def gradient_difference(expected: dict[str, Tensor], actual: dict[str, Tensor]) -> str:
    """Return in what way gradients differ from those of single rows; "" where they agree.

    Args:
        expected, actual: name of a weight → some numbers of its gradient, see `sampled`.
    """
    if lost := expected.keys() - actual.keys():
        return f"the gradient of {min(lost)} is lost"
    total_norm = sum(float(gradient.square().sum()) for gradient in expected.values()) ** 0.5
    for name, gradient in expected.items():
        if gradient.shape != actual[name].shape:
            continue  # an embedding table that was cut down
        if not float((gradient - actual[name]).norm()) <= GRADIENT_TOLERANCE * float(gradient.norm()) + 1e-4 * total_norm:
            return f"the gradient of {name} differs from that of single rows"
    return ""


def sampled(gradient: Tensor) -> Tensor:
    """Return at most about `SAMPLE` numbers of a gradient, at equal distances."""
    flat = gradient.detach().flatten()
    return flat[:: max(1, len(flat) // SAMPLE)].clone()


def generator_states(device: torch.device) -> Tensor:
    """Return the states of the random generators that a model on this device may use."""
    states = [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]
    return torch.cat(states)
