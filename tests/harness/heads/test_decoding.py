"""The greedy decoding loop gives the tokens of `model.generate`, for every kind of model, whenever texts end."""

import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    EncoderDecoderModel,
    GenerationConfig,
)

from harness.heads import decoding
from harness.heads.decoding import caches, greedy

WORDS, PAD, START, LIMIT = 60, 0, 1, 10
SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
SEQ2SEQ = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 40, "init_std": 0.3,
}  # fmt: skip
T5 = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2}
GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 22, "initializer_range": 0.3}
NARROW = {"sliding_window": 6, "num_key_value_heads": 1, "head_dim": 16}
DECODERS = {
    "gpt2": GPT2,
    "llama": {**SIZE, "num_key_value_heads": 1},
    "mistral": {**SIZE, **NARROW},
    "gemma3_text": {**SIZE, **NARROW, "layer_types": ["sliding_attention", "full_attention"]},
    "gpt_neox": SIZE,
}
BOTH = {"t5": T5, "umt5": T5, "bart": SEQ2SEQ, "marian": SEQ2SEQ}
WARM = ("bert", "roberta")


def make(kind):
    """A small model with random weights, large enough that no two tokens are equally good."""
    torch.manual_seed(7)
    ids = {"vocab_size": WORDS, "pad_token_id": PAD, "bos_token_id": START, "eos_token_id": 2}
    if kind in DECODERS:
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **{**DECODERS[kind], **ids}))
    elif kind in BOTH:
        values = {**BOTH[kind], **ids, "decoder_start_token_id": START}
        model = AutoModelForSeq2SeqLM.from_config(AutoConfig.for_model(kind, **values))
    else:
        sides = [AutoConfig.for_model(kind, **{**SIZE, **ids}) for _ in range(2)]
        sides[1].update({"is_decoder": True, "add_cross_attention": True})
        decoder = AutoModelForCausalLM.from_config(sides[1])
        model = EncoderDecoderModel(encoder=AutoModel.from_config(sides[0]), decoder=decoder)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1 and kind not in ("bart", "marian", "gpt2"):
                parameter.mul_(4)
    model.generation_config = GenerationConfig(
        max_new_tokens=LIMIT, num_beams=1, do_sample=False, pad_token_id=PAD, decoder_start_token_id=START
    )
    return model.eval()


def batch(model, count=17):
    """Prompts of one to twelve tokens, unsorted."""
    generator = torch.Generator().manual_seed(3)
    lengths = torch.randint(1, 13, (count,), generator=generator)
    ids = torch.randint(3, WORDS, (count, 12), generator=generator)
    mask = (torch.arange(12) < lengths[:, None]).long()
    ids = ids.masked_fill(mask == 0, PAD)
    return (ids, mask) if model.config.is_encoder_decoder else (ids.flip(1), mask.flip(1))


def by_library(model, ids, mask):
    """The tokens of the library, without padding after an end token."""
    skip = 0 if model.config.is_encoder_decoder else ids.shape[1]
    ends = model.generation_config.eos_token_id
    ends = [ends] if isinstance(ends, int) else ends or []
    found = []
    for text in model.generate(input_ids=ids, attention_mask=mask)[:, skip:].tolist():
        places = [place for place, token in enumerate(text) if token in ends]
        found.append(text[: places[0] + 1] if places else text)
    return found


def end_early(model, ids, mask):
    """Choose an end token that the model generates at many different positions, and in some texts never."""
    written = by_library(model, ids, mask)
    skip = int(model.config.is_encoder_decoder)

    def variety(token):
        places = [text.index(token, skip) if token in text[skip:] else None for text in written]
        return len(set(places)) * (None in places)

    token = max(range(3, WORDS), key=variety)
    assert variety(token) > 1, "the texts are too similar to test anything"
    model.generation_config.eos_token_id = token


@pytest.fixture(params=[*DECODERS, *BOTH, *WARM])
def model(request):
    return make(request.param)


@pytest.mark.parametrize(
    "width, check_every, spare, continuous, fast",
    [(3, 1, 2, True, False), (8, 3, 32, True, False), (3, 1, 2, True, True), (4, 1, 8, False, True), (2, 3, 2, False, False)],
)  # fmt: skip
@torch.inference_mode()
def test_it_generates_what_the_library_generates(model, width, check_every, spare, continuous, fast, monkeypatch):
    """Early ends, texts at the limit, rows refilled and dropped, columns compacted, several steps between two checks; with
    the operators of transformers and with faster ones."""
    monkeypatch.setattr(caches, "SPARE", spare)
    monkeypatch.setattr(greedy, "precision", lambda model: torch.float32 if fast else None)
    ids, mask = batch(model)
    end_early(model, ids, mask)
    assert decoding.covers(model)
    assert decoding.decode(model, ids, mask, width, check_every, continuous) == by_library(model, ids, mask)


@torch.inference_mode()
def test_a_forced_end(model):
    """The last token within the limit is the forced one, whenever the text started."""
    ids, mask = batch(model)
    end_early(model, ids, mask)
    model.generation_config.forced_eos_token_id = 9
    found = decoding.decode(model, ids, mask, 4, 2)
    assert found == by_library(model, ids, mask)
    full = [text for text in found if len(text) == LIMIT + model.config.is_encoder_decoder]
    assert 0 < len(full) < len(found)
    assert all(text[-1] == 9 for text in full)


@pytest.mark.parametrize("kind", [*BOTH, "bert"])
@torch.inference_mode()
def test_a_forced_begin(kind):
    model = make(kind)
    ids, mask = batch(model)
    model.generation_config.forced_bos_token_id = 9
    end_early(model, ids, mask)
    found = decoding.decode(model, ids, mask, 4)
    assert found == by_library(model, ids, mask)
    assert all(text[:2] == [START, 9] for text in found)


@torch.inference_mode()
def test_a_single_token(model):
    model.generation_config.max_new_tokens = 1
    ids, mask = batch(model, 5)
    assert decoding.decode(model, ids, mask, 2) == by_library(model, ids, mask)


def test_several_ends():
    model = make("gpt2")
    ids, mask = batch(model)
    end_early(model, ids, mask)
    model.generation_config.eos_token_id = [model.generation_config.eos_token_id, 5]
    with torch.inference_mode():
        assert decoding.decode(model, ids, mask, 4) == by_library(model, ids, mask)


@pytest.mark.parametrize("continuous, most", [(True, 8), (False, 32), (None, 32)])
@torch.inference_mode()
def test_the_number_of_rows_is_limited_and_finished_rows_make_room(continuous, most):
    model = make("gpt2")
    ids, mask = batch(model, 40)
    end_early(model, ids, mask)
    seen = []
    model.register_forward_pre_hook(
        lambda module, args, inputs: seen.append(inputs["input_ids"].shape), with_kwargs=True
    )
    written = decoding.decode(model, ids, mask, 8, continuous=continuous)
    assert max(rows for rows, _ in seen) == most
    steps = [rows for rows, columns in seen if columns == 1]
    assert sum(steps) < 1.5 * sum(map(len, written)), "finished rows are still computed"


@pytest.mark.parametrize(
    "settings",
    [
        {"num_beams": 2}, {"do_sample": True}, {"use_cache": False}, {"begin_suppress_tokens": [4]}, {"bad_words_ids": [[4]]},
        {"min_new_tokens": 3}, {"repetition_penalty": 1.2}, {"max_new_tokens": None}, {"forced_eos_token_id": [2, 3]},
        {"forced_bos_token_id": 4},
    ],
)  # fmt: skip
def test_other_settings_are_left_to_the_library(settings):
    model = make("gpt2")
    assert decoding.covers(model)
    for name, value in settings.items():
        setattr(model.generation_config, name, value)
    assert not decoding.covers(model)


@pytest.mark.parametrize("kind", ["mamba", "bloom", "openai-gpt", "xlnet", "ctrl"])
def test_models_that_generate_differently_are_left_to_the_library(kind):
    """They have no keys and values, take no positions, or prepare inputs of their own at each step."""
    config = AutoConfig.for_model(kind, vocab_size=WORDS)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    model.generation_config = GenerationConfig(max_new_tokens=LIMIT, num_beams=1, do_sample=False)
    assert not decoding.covers(model)


def test_other_modules_are_not_covered():
    assert not decoding.covers(torch.nn.Linear(2, 2))
