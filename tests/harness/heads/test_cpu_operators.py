"""Faster operators for decoding on a CPU give the numbers of the model's own, which are restored afterwards."""

import pytest
import torch
from torch import nn
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import bidirectional_mask_function, causal_mask_function, sdpa_mask

from harness.fast.attention import NAME
from harness.heads import decoding
from harness.heads.decoding import cpu_operators, forward_passes, greedy
from harness.heads.decoding.caches import RowCache, slice_columns, sliced_from
from harness.heads.decoding.cpu_operators import LIKE_SDPA, attend, fast_operators, precision
from harness.heads.decoding.greedy import _argmax
from harness.training.weights import Weights

from .test_decoding import BOTH, DECODERS, WARM, batch, end_early, make

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


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("kind", [*masks(), "triangle"])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("most", [0, 1 << 20])
def test_attention_of_several_tokens_is_that_of_pytorch(most, groups, kind, biased, monkeypatch):
    monkeypatch.setattr(cpu_operators, "MAX_SCORES", most)
    torch.manual_seed(0)
    query = torch.randn(ROWS, HEADS, COLUMNS, SIZE)
    key, value = torch.randn(2, ROWS, groups, COLUMNS, SIZE)
    bias = torch.randn(1, HEADS, COLUMNS, COLUMNS) if biased else None
    triangle = torch.ones(ROWS, 1, COLUMNS, COLUMNS, dtype=torch.bool).tril()
    mask = triangle if kind == "triangle" else masks()[kind]
    made, _ = attend(Layer(groups), query, key, value, mask, position_bias=bias)
    expected, _ = sdpa_attention_forward(Layer(groups), query, key, value, mask, position_bias=bias)
    torch.testing.assert_close(made, expected)


@pytest.mark.parametrize("kind", list(masks()))
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_only_the_sliced_columns_are_read(groups, kind):
    torch.manual_seed(0)
    query = torch.randn(ROWS, HEADS, 1, SIZE)
    stores = 3 * torch.randn(2, ROWS, groups, COLUMNS + 9, SIZE)
    key, value = (slice_columns(slice_columns(store, 1, COLUMNS + 7), 3, 3 + COLUMNS) for store in stores)
    assert key.shape[2] == COLUMNS and sliced_from(key)[0] is not key and sliced_from(key)[1] == 4
    bias = torch.randn(1, HEADS, 1, COLUMNS)
    made, _ = attend(Layer(groups), query, key, value, masks()[kind], position_bias=bias)
    expected, _ = sdpa_attention_forward(
        Layer(groups), query, key.clone(), value.clone(), masks()[kind], position_bias=bias
    )
    torch.testing.assert_close(made, expected)


@pytest.mark.parametrize("tokens, columns, read", [(1, 7, 6), (1, 7, 2), (7, 7, 0), (3, 7, 4)])
@pytest.mark.parametrize("function", [causal_mask_function, bidirectional_mask_function])
@pytest.mark.parametrize("padded", [False, True])
def test_masks_are_those_of_the_library(function, padded, tokens, columns, read):
    seen = torch.rand(4, columns, generator=torch.manual_seed(1)) < 0.7 if padded else None
    given = {"q_offset": read, "mask_function": function, "allow_is_causal_skip": False}
    for _ in range(2):  # the second time it is known
        made = cpu_operators.mask(4, tokens, columns, attention_mask=seen, **given)
        expected = sdpa_mask(4, tokens, columns, attention_mask=seen, **given)
        if made is None:  # everything is seen
            assert expected.all()
        elif made.dtype == torch.bool:
            assert torch.equal(made, expected)
        else:
            assert torch.equal((made == 0).expand(expected.shape), expected)


def test_argmax_is_the_first_of_equal_scores():
    scores = torch.randint(0, 5, (50, 30), generator=torch.manual_seed(0)).float()
    assert torch.equal(_argmax(scores), scores.argmax(-1))
    assert torch.equal(_argmax(scores.bfloat16()), scores.argmax(-1))


@pytest.mark.parametrize("kind", ["t5", "bart"])
@torch.inference_mode()
def test_sources_are_read_in_chunks(kind):
    model = make(kind)
    ids, mask = batch(model, 9)
    expected = model.get_encoder()(input_ids=ids, attention_mask=mask)[0]
    seen = []
    model.get_encoder().register_forward_pre_hook(
        lambda module, args, inputs: seen.append(len(inputs["input_ids"])), with_kwargs=True
    )
    made = forward_passes.EncoderDecoderPasses(model, 4 * ids.shape[1] + 1).prefill(ids, mask, mask.sum(1).tolist()).states
    torch.testing.assert_close(made[mask.bool()], expected[mask.bool()])
    assert seen == [4, 4, 1]


@pytest.mark.parametrize("kind", ["gpt2", "t5"])
@torch.inference_mode()
def test_the_size_of_keys_and_values_is_limited(kind, monkeypatch):
    model = make(kind)
    ids, mask = batch(model, 24)
    widest = []
    monkeypatch.setattr(greedy, "RowCache", lambda prefill, limit: widest.append(len(prefill.mask)) or RowCache(prefill, limit))
    expected = decoding.decode(model, ids, mask, 4)
    assert max(widest) == 16
    loop, default = greedy._GreedyLoop(model, ids, mask, 4, 1, False, True), greedy.CACHE_BYTES
    own, crossed = loop._prefill([0]).column_bytes()
    columns = (1, ids.shape[1]) if loop.crossed else (ids.shape[1], 0)
    each = own * (columns[0] + loop.limit) + crossed * columns[1]
    for room, rows in ((9 * each, 9), (each // 2, 4), (default, 16)):
        widest.clear()
        monkeypatch.setattr(greedy, "CACHE_BYTES", room)
        assert decoding.decode(model, ids, mask, 4) == expected
        assert max(widest) == rows


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
    with pytest.raises(KeyError), fast_operators(model):
        assert before == "sdpa" and model.config._attn_implementation == cpu_operators.NAME
        assert all("forward" in vars(layer) for layer in model.modules() if type(layer) is nn.Dropout)
        assert all("compute_bias" in vars(layer) for layer in model.modules() if hasattr(layer, "compute_bias"))
        calls.append(model(**inputs).logits)
        raise KeyError
    real = mask.bool() if not model.config.is_encoder_decoder else slice(None)
    torch.testing.assert_close(calls[0][real], expected[real], rtol=1e-4, atol=1e-4)
    assert not any({"forward", "compute_bias"} & set(vars(layer)) for layer in model.modules())
    assert model.config._attn_implementation == before
    assert torch.equal(model(**inputs).logits, expected)


def test_precision_of_the_operators():
    model = make("gpt2")
    assert precision(model) is torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert precision(model) is None
    model.transformer.h[0].bfloat16()
    assert precision(model) is None
    model = make("gpt2")
    Weights(model, half=True)  # its norms stay in fp32
    with torch.autocast("cpu", torch.bfloat16):
        assert precision(model) is torch.bfloat16


@pytest.mark.parametrize("kind", [*DECODERS, *BOTH, *WARM])
def test_in_bf16_it_is_as_close_to_fp32_as_the_library(kind):
    model = make(kind)
    ids, mask = batch(model, 40)
    inputs = {"input_ids": ids, "attention_mask": mask}
    if model.config.is_encoder_decoder:
        inputs["decoder_input_ids"] = ids[:, :1]
    else:
        ids[:, -1] = ids[0, -1]
    expected = model(**inputs).logits[:, -1].detach()
    Weights(model, half=True)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        plain = model(**inputs).logits[:, -1]
        with fast_operators(model):
            made = model(**inputs).logits[:, -1]
    errors = [float((logits.float() - expected).norm()) for logits in (plain, made)]
    assert 0 < errors[1] < 1.5 * errors[0]


@pytest.mark.parametrize("continuous", [True, False])
@pytest.mark.parametrize("kind", [*DECODERS, *BOTH, *WARM])
def test_in_bf16_every_token_is_nearly_the_best_in_fp32(kind, continuous):
    full, model = make(kind), make(kind)
    ids, mask = batch(model, 40)
    end_early(model, ids, mask)
    Weights(model, half=True)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        written = decoding.decode(model, ids, mask, 8, continuous=continuous)
    behind = []  # of the best token's logit, in deviations of all logits
    for row, text in enumerate(written):
        read = ids[row][mask[row].bool()].tolist()
        if model.config.is_encoder_decoder:
            start, *text = text
            inputs = {"input_ids": torch.tensor([read]), "decoder_input_ids": torch.tensor([[start, *text[:-1]]])}
        else:
            inputs = {"input_ids": torch.tensor([read + text[:-1]])}
        with torch.inference_mode():
            logits = full(**inputs).logits[0, -len(text) :]
        chosen = logits.gather(1, torch.tensor(text)[:, None])[:, 0]
        behind.append((logits.max(1).values - chosen) / logits.std(1))
    assert float(torch.cat(behind).mean()) < 0.05, "any token is behind by some two deviations"


def test_packed_attention_counts_as_that_of_pytorch():
    assert NAME in LIKE_SDPA
