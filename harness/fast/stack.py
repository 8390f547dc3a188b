"""Packs a batch where a stack of layers begins and pads it again where the stack ends.

Embeddings, poolers and heads see the padded batch that they know; only the layers, where the work is, see packed tokens. A
model can do so if its layers look at other tokens in nothing but their attention. That is not taken on trust: see `check.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

from harness.fast.attention import ACTIVE, NAME, NotPackable, Packed
from harness.fast.grain import COARSE, FINE, FULL
from harness.fast.layout import Collect, Layout, Scatter
from harness.fast.narrow import first_tokens, projection, widen

IGNORE = -100
NO_BIAS = "encoder_decoder_position_bias"  # T5 would make one of all packed tokens, of zeros


class Packing:
    """A model whose stacks pack their batches inside `with packing(batch):`, and which is as it was outside.

    Args:
        model: a model of transformers, or a head around one. Its layers get hooks and its configuration another
            attention, until `remove` takes them away.
        first_only: the head reads the first token of each row and no other.

    Raises:
        NotPackable: the model has no stack of layers that could be packed, or its attention cannot be exchanged.
    """

    def __init__(self, model: nn.Module, first_only: bool = False):
        self.first_only = first_only
        stacks = list(_stacks(model))
        if _drops_layers(model):  # the first or the last of them too, where a batch is packed and unpacked
            raise NotPackable(f"{type(model).__name__} leaves out layers by chance (LayerDrop)")
        if not stacks:
            raise NotPackable(f"{type(model).__name__} has no stack of layers")
        cuts = [projection(stack[-1]) for stack in stacks] if first_only else []
        self.undo = [_exchange_attention(model)]
        self.device = next(model.parameters()).device
        self.weight = next(weight for weight in stacks[0].parameters() if weight.ndim >= 2)
        decoder = _decoder(model)
        # The decoder of a model that writes reads the labels, one token later; those of other heads read the input again.
        self.writes = decoder is not None and model.get_output_embeddings() is not None
        inner = set(map(id, decoder.modules())) if decoder is not None else set()
        for stack in stacks:
            side = "decoder" if id(stack) in inner else "encoder"
            for layer in stack:
                entry = _Entry(side, inspect.signature(type(layer).forward), first=layer is stack[0])
                self.undo.append(layer.register_forward_pre_hook(entry, with_kwargs=True).remove)
            self.undo.append(stack[-1].register_forward_hook(_leave).remove)
        self.undo += [cut.register_forward_pre_hook(first_tokens).remove for cut in cuts]
        for module in model.modules():
            if hasattr(module, "compute_bias"):
                self.undo.append(_short_bias(module))

    @contextmanager
    def __call__(self, batch: dict[str, Tensor]) -> Iterator[None]:
        """What the model computes inside is packed.

        Args:
            batch: padded on the right, still on the CPU, because its lengths are asked for. Rows of like length should be
                neighbours.
        """
        ids, mask, labels = batch["input_ids"], batch["attention_mask"], batch.get("labels")
        # Asked in every batch: what a model holds is turned to bf16 after it was packed for the first time.
        grain = FINE if self.device.type != "cpu" else COARSE if self.weight.dtype == torch.bfloat16 else FULL
        encoder = decoder = Layout(mask.sum(1).tolist(), ids.shape[1], self.device, grain)
        if self.writes and labels is not None:
            decoder = Layout((labels != IGNORE).sum(1).tolist(), labels.shape[1], self.device, grain)
        token = ACTIVE.set(Packed(encoder, decoder))
        try:
            yield
        finally:
            ACTIVE.reset(token)

    def remove(self) -> None:
        """Leave the model as it was."""
        while self.undo:
            self.undo.pop()()


class _Entry:
    """The hook before a layer: packs what the layer is given, and tells the attention which side it is on."""

    def __init__(self, side: str, signature: inspect.Signature, first: bool):
        self.side, self.first = side, first
        self.names = [name for name in signature.parameters if name != "self"]

    def __call__(self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        packed = ACTIVE.get()
        if packed is None:
            return None
        packed.side = self.side
        given = {**dict(zip(self.names, args, strict=False)), **kwargs}
        own = packed.own
        if self.first:
            given[self.names[0]] = pack(given[self.names[0]], own)
        for name in ("position_embeddings", "position_ids"):
            if given.get(name) is not None:
                given[name] = packed.once(given[name], own, pack)
        if given.get("encoder_hidden_states") is not None:
            given["encoder_hidden_states"] = packed.once(given["encoder_hidden_states"], packed.encoder, pack)
        if NO_BIAS in self.names and given.get(NO_BIAS) is None:
            given[NO_BIAS] = torch.zeros(1, device=own.device)
        first = given.pop(self.names[0])
        return (first,), given


def _leave(layer: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
    packed = ACTIVE.get()
    if packed is None:
        return None
    states = output[0] if isinstance(output, tuple) else output
    states = widen(states, packed.own.width) if packed.narrowed else unpack(states, packed.own)
    packed.narrowed = False
    return (states, *output[1:]) if isinstance(output, tuple) else states


def pack(states: Any, layout: Layout) -> Any:
    """[rows or 1, width, …] → [1, held, …], also in a tuple."""
    if isinstance(states, tuple | list):
        return type(states)(pack(item, layout) for item in states)
    if states.shape[0] == 1 and layout.rows > 1:
        states = states.expand(layout.rows, *states.shape[1:])
    if states.shape[:2] != (layout.rows, layout.width):
        raise NotPackable(f"a layer is given {tuple(states.shape)} for {layout.rows} rows of {layout.width} tokens")
    return Collect.apply(states.flatten(0, 1), layout.index, layout.held)[None]


def unpack(states: Tensor, layout: Layout) -> Tensor:
    """[1, held, …] → [rows, width, …]; padding holds a copy of the first token."""
    padded = Scatter.apply(states[0], layout.inverse, layout.index)
    return padded.view(layout.rows, layout.width, *padded.shape[1:])


def _exchange_attention(model: nn.Module) -> Callable[[], None]:
    """Give every layer the packed attention; what is returned takes it back."""
    # Layers of a model that was put together (EncoderDecoderModel) keep configurations that the whole knows nothing of.
    configs = {id(module.config): module.config for module in model.modules() if hasattr(module, "config")}
    kinds = {getattr(config, "_attn_implementation", None) for config in configs.values()}
    if kinds != {"sdpa"}:
        raise NotPackable(f"{type(model).__name__} computes attention by {', '.join(map(str, kinds))}")

    def exchange(kind: str) -> None:
        for config in configs.values():
            config._attn_implementation = kind

    exchange(NAME)
    return lambda: exchange("sdpa")


def _drops_layers(model: nn.Module) -> bool:
    """Whether a training leaves out whole layers by chance (Fan et al. 2020, "Reducing Transformer Depth on Demand")."""
    return any(isinstance(getattr(module, "layerdrop", None), float) and module.layerdrop > 0 for module in model.modules())


def _stacks(model: nn.Module) -> Iterator[nn.ModuleList]:
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module):
            layers = (isinstance(layer, GradientCheckpointingLayer) for layer in module)
            if all(layers):
                yield module


def _decoder(model: nn.Module) -> nn.Module | None:
    """The decoder of a model that also has an encoder."""
    if not isinstance(model, PreTrainedModel) or not model.config.is_encoder_decoder:
        return None
    return model.get_decoder()


def _short_bias(module: nn.Module) -> Callable[[], None]:
    """Relative positions (T5) are the same in every row: the bias of the widest group serves all of them."""
    whole = module.compute_bias

    def compute_bias(*args: Any, **kwargs: Any) -> Tensor:
        packed = ACTIVE.get()
        if packed is not None:
            args = (*packed.own.widest, *args[2:])  # in place of the lengths of query and key
        return whole(*args, **kwargs)

    module.compute_bias = compute_bias
    return lambda: delattr(module, "compute_bias")
