"""Faster operators for writing in fp32 on a CPU: the same numbers as the model's own, and nothing of them stays behind."""

import pytest
import torch
from torch import nn
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.pytorch_utils import Conv1D

from harness.fast.attention import NAME
from harness.heads.decoding.attention import LIKE_SDPA, attend
from harness.heads.decoding.quick import quick, serves

from .test_decoding import BOTH, DECODERS, WARM, batch, make

ROWS, HEADS, COLUMNS, SIZE = 3, 4, 7, 8


class Layer(nn.Module):
    is_causal = True

    def __init__(self, groups):
        super().__init__()
        self.num_key_value_groups = HEADS // groups


def masks():
    seen = torch.ones(ROWS, 1, 1, COLUMNS, dtype=torch.bool)
    seen[1, ..., :3] = False
    added = torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)
    by_head = seen.repeat(1, HEADS, 1, 1)
    by_head[0, 2, :, -1] = False
    return {"none": None, "seen": seen, "added": added, "by head": by_head}


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("kind", list(masks()))
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_attention_of_a_single_token_is_that_of_pytorch(groups, kind, biased):
    torch.manual_seed(0)
    query = torch.randn(ROWS, 1, HEADS, SIZE).transpose(1, 2)
    store = torch.randn(2, ROWS, groups, COLUMNS + 5, SIZE)
    key, value = store[:, :, :, 2 : 2 + COLUMNS]
    bias = torch.randn(1, HEADS, 1, COLUMNS) if biased else None
    for scaling in (None, 0.7):
        given = (Layer(groups), query, key, value, masks()[kind])
        made, _ = attend(*given, scaling=scaling, position_bias=bias)
        expected, _ = sdpa_attention_forward(*given, scaling=scaling, position_bias=bias)
        assert made.shape == expected.shape
        torch.testing.assert_close(made, expected)


def test_several_tokens_are_left_to_pytorch():
    query, key = torch.randn(ROWS, HEADS, COLUMNS, SIZE), torch.randn(ROWS, HEADS, COLUMNS, SIZE)
    made, _ = attend(Layer(HEADS), query, key, key, None)
    torch.testing.assert_close(
        made, nn.functional.scaled_dot_product_attention(query, key, key, is_causal=True).transpose(1, 2)
    )


@pytest.mark.parametrize("kind", [*DECODERS, *BOTH, *WARM])
@torch.inference_mode()
def test_a_forward_pass_is_the_same_and_the_model_as_before(kind):
    model = make(kind)
    ids, mask = batch(model, 5)
    inputs = {"input_ids": ids, "attention_mask": mask}
    if model.config.is_encoder_decoder:
        inputs["decoder_input_ids"] = ids[:, :1]
    expected, before = model(**inputs).logits, model.config._attn_implementation
    calls = []
    with pytest.raises(KeyError), quick(model):
        changed = [layer for layer in model.modules() if type(layer) in (nn.Linear, Conv1D)]
        assert changed and all("forward" in vars(layer) for layer in changed)
        calls.append(model(**inputs).logits)
        raise KeyError
    real = mask.bool() if not model.config.is_encoder_decoder else slice(None)
    torch.testing.assert_close(calls[0][real], expected[real], rtol=1e-4, atol=1e-4)
    assert not any("forward" in vars(layer) for layer in model.modules())
    assert model.config._attn_implementation == before
    assert torch.equal(model(**inputs).logits, expected)


def test_not_in_bf16():
    model = make("gpt2")
    assert serves(model)
    with torch.autocast("cpu", torch.bfloat16):
        assert not serves(model)
    model.transformer.h[0].bfloat16()
    assert not serves(model)


def test_packed_attention_is_known_by_its_name():
    assert NAME in LIKE_SDPA
