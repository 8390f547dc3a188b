"""Packing: a batch loses its padding where a stack of layers begins, and gets it back where the stack ends.

Embeddings, poolers and heads see the padded batch as usual; the layers, which do most of the work, see the packed tokens. This
works for models whose layers look at other tokens in attention only, which `harness.fast.preflight` tests for each model.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from harness.fast.attention import ACTIVE, NAME, NotPackable, PackedBatch
from harness.fast.layout import BF16_ROUNDING, FP32_ROUNDING, NO_ROUNDING, Layout, PackTokens, PadTokens
from harness.models import internals

IGNORED = -100  # label of tokens without a loss
NO_BIAS = "encoder_decoder_position_bias"  # without one, T5 would compute a bias of zeros for all packed tokens


class Packing:
    """Packs the batches of a model inside `with packing(batch):`. Outside, the model works as before.

    Args:
        model: a model of transformers, or a head around one. Its layers get hooks and its configuration another attention,
            until `remove` is called.

    Raises:
        NotPackable: the model has no stack of layers that can be packed, or its attention cannot be replaced.
    """

    def __init__(self, model: nn.Module):
        if internals.MISSING:
            raise NotPackable(internals.MISSING)
        stacks = list(_stacks(model))
        if _has_layerdrop(model):  # it may skip the first or the last layer, where a batch is packed and padded
            raise NotPackable(f"{type(model).__name__} leaves out layers by chance (LayerDrop)")
        if not stacks:
            raise NotPackable(f"{type(model).__name__} has no stack of layers")
        self._undo = [_replace_attention(model)]
        self._device = next(model.parameters()).device
        self._weight = next(weight for weight in stacks[0].parameters() if weight.ndim >= 2)
        decoder = _decoder(model)
        # A decoder that generates text reads the labels, shifted by one; the decoders of other heads read the input again.
        self._reads_labels = decoder is not None and model.get_output_embeddings() is not None
        in_decoder = set(map(id, decoder.modules())) if decoder is not None else set()
        for stack in stacks:
            side = "decoder" if id(stack) in in_decoder else "encoder"
            for layer in stack:
                hook = _BeforeLayer(side, inspect.signature(type(layer).forward), is_first=layer is stack[0])
                self._undo.append(layer.register_forward_pre_hook(hook, with_kwargs=True).remove)
            self._undo.append(stack[-1].register_forward_hook(_after_last_layer).remove)
        self._undo += [_shorten_bias(module) for module in model.modules() if hasattr(module, "compute_bias")]

    @contextmanager
    def __call__(self, batch: dict[str, Tensor]) -> Iterator[None]:
        """Pack what the model computes inside the block.

        Args:
            batch: padded on the right, and still on the CPU, because its lengths are read. Rows of similar length should be
                neighbours.
        """
        ids, mask, labels = batch["input_ids"], batch["attention_mask"], batch.get("labels")
        # Looked up for every batch, because a model may be turned to bf16 after it was packed for the first time.
        if self._device.type != "cpu":
            rounding = NO_ROUNDING
        else:
            rounding = BF16_ROUNDING if self._weight.dtype == torch.bfloat16 else FP32_ROUNDING
        encoder = decoder = Layout(mask.sum(1).tolist(), ids.shape[1], self._device, rounding)
        if self._reads_labels and labels is not None:
            decoder = Layout((labels != IGNORED).sum(1).tolist(), labels.shape[1], self._device, rounding)
        token = ACTIVE.set(PackedBatch(encoder, decoder))
        try:
            yield
        finally:
            ACTIVE.reset(token)

    def remove(self) -> None:
        """Restore the model."""
        while self._undo:
            self._undo.pop()()


class _BeforeLayer:
    """The hook before a layer: packs the layer's inputs, and tells the attention which side it is on."""

    def __init__(self, side: str, signature: inspect.Signature, is_first: bool):
        self.side, self.is_first = side, is_first
        self.names = [name for name in signature.parameters if name != "self"]

    def __call__(self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        batch = ACTIVE.get()
        if batch is None:
            return None
        batch.side = self.side
        inputs = {**dict(zip(self.names, args, strict=False)), **kwargs}
        layout = batch.own
        if self.is_first:
            inputs[self.names[0]] = pack(inputs[self.names[0]], layout)
        for name in ("position_embeddings", "position_ids"):
            if inputs.get(name) is not None:
                inputs[name] = batch.once(inputs[name], layout, pack)
        if inputs.get("encoder_hidden_states") is not None:
            inputs["encoder_hidden_states"] = batch.once(inputs["encoder_hidden_states"], batch.encoder, pack)
        if NO_BIAS in self.names and inputs.get(NO_BIAS) is None:
            inputs[NO_BIAS] = torch.zeros(1, device=layout.device)
        states = inputs.pop(self.names[0])
        return (states,), inputs


def _after_last_layer(layer: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
    """The hook behind the last layer of a stack: pads its output."""
    batch = ACTIVE.get()
    if batch is None:
        return None
    states = output[0] if isinstance(output, tuple) else output
    states = unpack(states, batch.own)
    return (states, *output[1:]) if isinstance(output, tuple) else states


def pack(states: Any, layout: Layout) -> Any:
    """[rows or 1, width, …] → [1, size, …], also for each tensor of a tuple.

    Raises:
        NotPackable: the states do not have the shape of the batch.
    """
    if isinstance(states, tuple | list):
        return type(states)(pack(item, layout) for item in states)
    if states.shape[0] == 1 and layout.rows > 1:
        states = states.expand(layout.rows, *states.shape[1:])
    if states.shape[:2] != (layout.rows, layout.width):
        raise NotPackable(f"a layer is given {tuple(states.shape)} for {layout.rows} rows of {layout.width} tokens")
    return PackTokens.apply(states.flatten(0, 1), layout.index, layout.size)[None]


def unpack(states: Tensor, layout: Layout) -> Tensor:
    """[1, size, …] → [rows, width, …]; padding repeats a token."""
    padded = PadTokens.apply(states[0], layout.inverse, layout.index)
    return padded.view(layout.rows, layout.width, *padded.shape[1:])


def _replace_attention(model: nn.Module) -> Callable[[], None]:
    """Give every layer the packed attention; return a function that restores the old one."""
    # Parts of a model that was put together (EncoderDecoderModel) have configurations of their own.
    configs = {id(module.config): module.config for module in model.modules() if hasattr(module, "config")}
    kinds = {getattr(config, "_attn_implementation", None) for config in configs.values()}
    if kinds != {"sdpa"}:
        raise NotPackable(f"{type(model).__name__} computes attention by {', '.join(map(str, kinds))}")

    def use(kind: str) -> None:
        for config in configs.values():
            config._attn_implementation = kind

    use(NAME)
    return lambda: use("sdpa")


def _has_layerdrop(model: nn.Module) -> bool:
    """Return whether training skips layers at random (Fan et al. 2020, "Reducing Transformer Depth on Demand")."""
    return any(isinstance(getattr(module, "layerdrop", None), float) and module.layerdrop > 0 for module in model.modules())


def _stacks(model: nn.Module) -> Iterator[nn.ModuleList]:
    """Yield the lists of layers."""
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module):
            layers = (isinstance(layer, internals.GradientCheckpointingLayer) for layer in module)
            if all(layers):
                yield module


def _decoder(model: nn.Module) -> nn.Module | None:
    """Return the decoder of a model that also has an encoder."""
    if not isinstance(model, PreTrainedModel) or not model.config.is_encoder_decoder:
        return None
    return model.get_decoder()


def _shorten_bias(module: nn.Module) -> Callable[[], None]:
    """Compute T5's relative position bias for the widest group only, because it is the same in every row."""
    compute_whole_bias = module.compute_bias

    def compute_bias(*args: Any, **kwargs: Any) -> Tensor:
        batch = ACTIVE.get()
        if batch is not None:
            args = (*batch.own.widest, *args[2:])  # instead of the numbers of packed queries and keys
        return compute_whole_bias(*args, **kwargs)

    module.compute_bias = compute_bias
    return lambda: delattr(module, "compute_bias")
