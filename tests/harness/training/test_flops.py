"""FLOPs by formula beside those that torch counts in the running model."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)

from harness.fast.vocabulary import cut_to_used
from harness.training.flops import depth, forward_flops, matmul_peak, training_flops

SIZE = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 128}
GPT2 = {"n_embd": 64, "n_layer": 3, "n_head": 4, "bos_token_id": 1, "eos_token_id": 2}
T5 = {"d_model": 64, "d_kv": 16, "d_ff": 128, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0}
BART = {
    "d_model": 64, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
    "encoder_ffn_dim": 128, "decoder_ffn_dim": 128,
}  # fmt: skip
ROWS, READ, WRITTEN = 4, 24, 16
CLASSES, TAGS, CAUSAL, SEQ2SEQ = (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
)


def build(kind, auto, values):
    config = AutoConfig.for_model(kind, **values, vocab_size=300, pad_token_id=0)
    config._attn_implementation = "eager"  # whose products torch counts on every device
    return auto.from_config(config)


def batch(auto):
    ids = torch.randint(5, 300, (ROWS, READ), generator=torch.Generator().manual_seed(0))
    ids[:, -1] = 1  # T5's classifier looks for the end token
    labels = {
        CLASSES: torch.tensor([0, 1, 0, 1]),
        TAGS: ids % 2,
        CAUSAL: ids,
        SEQ2SEQ: ids[:, :WRITTEN].contiguous(),
    }[auto]
    return {"input_ids": ids, "labels": labels}


def counted(model, inputs, backward):
    with FlopCounterMode(display=False) as counter:
        loss = model(**inputs).loss
        if backward:
            loss.backward()
    return counter.get_total_flops()


@pytest.mark.parametrize(
    ("kind", "auto", "values", "layers"),
    [
        ("bert", CLASSES, SIZE, 3),
        ("distilbert", CLASSES, {"dim": 64, "n_layers": 2, "n_heads": 4, "hidden_dim": 128}, 2),
        ("albert", CLASSES, {**SIZE, "embedding_size": 32}, 3),
        ("gpt2", CLASSES, GPT2, 3),
        ("gpt2", CAUSAL, GPT2, 3),
        ("llama", CAUSAL, {**SIZE, "num_key_value_heads": 2}, 3),
        ("t5", TAGS, T5, 2),
        ("t5", CLASSES, T5, 6),
        ("t5", SEQ2SEQ, T5, 6),
        ("bart", SEQ2SEQ, BART, 6),
    ],
)
def test_the_formula_is_within_5_percent_of_what_torch_counts(kind, auto, values, layers):
    model, inputs = build(kind, auto, values), batch(auto)
    read, written = [READ] * ROWS, [WRITTEN] * ROWS if auto is SEQ2SEQ else None
    assert forward_flops(model, read, written) == pytest.approx(counted(model, inputs, False), rel=0.05)
    assert training_flops(model, read, written) == pytest.approx(counted(model, inputs, True), rel=0.05)
    assert depth(model) == layers


def test_frozen_weights_need_no_gradients():
    model = build("bert", CLASSES, SIZE)
    model.bert.requires_grad_(False)
    read = [READ] * ROWS
    assert training_flops(model, read) == pytest.approx(counted(model, batch(CLASSES), True), rel=0.05)
    assert training_flops(model, read) < 1.05 * forward_flops(model, read)


def test_adapters_above_trained_embeddings_need_the_gradients_of_what_is_read():
    model = build("bert", CLASSES, SIZE)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("word_embeddings" in name)
    read = [READ] * ROWS
    assert training_flops(model, read) == pytest.approx(counted(model, batch(CLASSES), True), rel=0.05)


@pytest.mark.parametrize(
    ("kind", "auto", "values", "targets"),
    [
        ("bert", CLASSES, {**SIZE, "num_hidden_layers": 8}, ["query", "value"]),
        ("gpt2", CAUSAL, {**GPT2, "n_layer": 8}, ["c_attn"]),
        ("t5", SEQ2SEQ, {**T5, "num_layers": 8}, ["q", "v"]),
        ("bart", SEQ2SEQ, {**BART, "encoder_layers": 8, "decoder_layers": 8}, ["q_proj", "v_proj"]),
        ("bart", SEQ2SEQ, {**BART, "encoder_layers": 8, "decoder_layers": 8}, ["k_proj", "fc1", "out_proj"]),
    ],
)
def test_adapters_beside_frozen_weights(kind, auto, values, targets):
    """The layers below the lowest adapter, which need no gradients, are counted all the same: a part of one layer."""
    from peft import LoraConfig, inject_adapter_in_model

    model = build(kind, auto, values)
    layers, whole = depth(model), training_flops(model, [READ] * ROWS, [WRITTEN] * ROWS)
    inject_adapter_in_model(LoraConfig(target_modules=targets, r=4), model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(".lora_" in name or name.startswith(("classifier", "bert.pooler")))
    read, written = [READ] * ROWS, [WRITTEN] * ROWS if auto is SEQ2SEQ else None
    assert depth(model) == layers
    assert forward_flops(model, read, written) == pytest.approx(counted(model, batch(auto), False), rel=0.05)
    assert training_flops(model, read, written) == pytest.approx(counted(model, batch(auto), True), rel=0.05)
    assert training_flops(model, [READ] * ROWS, [WRITTEN] * ROWS) < 0.85 * whole


def test_an_encoder_under_trained_cross_attention_needs_no_gradients():
    model = build("bart", SEQ2SEQ, {**BART, "encoder_layers": 4, "decoder_layers": 4})
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("encoder_attn" in name)
    read, written = [READ] * ROWS, [WRITTEN] * ROWS
    assert training_flops(model, read, written) == pytest.approx(counted(model, batch(SEQ2SEQ), True), rel=0.05)


def test_a_table_that_was_cut_down_is_looked_up_too():
    model = build("bert", CLASSES, SIZE)
    whole = forward_flops(model, [READ])
    assert cut_to_used(model, range(100))[0] == 100
    assert forward_flops(model, [READ]) == whole


def test_long_rows_cost_more_than_their_tokens():
    model = build("bert", CLASSES, SIZE)
    assert forward_flops(model, [96]) > 1.2 * forward_flops(model, [24] * 4)


def test_the_peak_is_measured_once_and_draws_no_random_numbers():
    state = torch.get_rng_state()
    first = matmul_peak("cpu", "fp32", 1)
    assert first > 1e8 and matmul_peak("cpu", "fp32", 1) == first
    assert torch.equal(torch.get_rng_state(), state)
