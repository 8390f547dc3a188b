"""Model types that differ from most in one thing: each would have a wrong score, or fail with a traceback of a library."""

import pytest
import tiny
import torch
from head_examples import EXAMPLES, LABELS, RECIPE
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM

from harness.adapt.lora import add_adapters
from harness.fast.prepare import prepare
from harness.fast.vocabulary import cut_to_used
from harness.heads.assembled import BackboneHead, warm_started
from harness.heads.base import accepted
from harness.heads.sequence import SequenceHead
from harness.heads.spans import SpanHead
from harness.heads.text import TextHead
from harness.heads.tokens import TokenHead
from harness.methods import METHODS
from harness.models.load import Pretrained
from harness.models.resolve import resolve

SMALL = {**tiny.SIZE, "max_position_embeddings": 128}
# type -> (tokeniser, auto class, configuration)
QUIRKS = {
    "fnet": (tiny.wordpiece, AutoModelForMaskedLM, {**SMALL, "type_vocab_size": 2}),  # takes no mask
    "opt": (
        lambda: tiny.byte_bpe(True), AutoModelForCausalLM,
        {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "ffn_dim": 64, "max_position_embeddings": 128, "word_embed_proj_dim": 16},
    ),  # states of another width than hidden_size, as OPT-350m
    "mamba": (
        lambda: tiny.byte_bpe(False), AutoModelForCausalLM,
        {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 8, "time_step_rank": 4},
    ),  # no attention, and layers that PEFT refuses
    "bart": (lambda: tiny.byte_bpe(True), AutoModelForSeq2SeqLM, tiny.BART),
    "big_bird": (
        tiny.wordpiece, AutoModelForMaskedLM,
        {**SMALL, "block_size": 4, "num_random_blocks": 1, "attention_type": "block_sparse", "pad_token_id": 0},
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", "off")


def checkpoint(kind, folder, **changes):
    tokenizer, auto, values = QUIRKS[kind]
    made = tokenizer()
    torch.manual_seed(0)
    auto.from_config(AutoConfig.for_model(kind, vocab_size=len(made), **{**values, **changes})).save_pretrained(folder)
    if kind == "fnet":
        made.model_input_names = ["input_ids", "token_type_ids"]
    made.save_pretrained(folder)
    return resolve(str(folder))


def head_for(resolved, base, recipe=RECIPE, method="full"):
    pretrained = Pretrained(resolved, METHODS[method])
    return base.for_architecture(pretrained.architecture)(pretrained, recipe, LABELS[base], {})


@pytest.mark.parametrize("base", [SequenceHead, TokenHead, SpanHead, TextHead], ids=lambda head: head.__name__)
def test_a_model_that_takes_no_mask_is_given_none(tmp_path, base):
    head = head_for(checkpoint("fnet", tmp_path), base)
    model = head.build()
    features = head.encode(EXAMPLES[base], training=True)
    assert all(len(feature.inputs["attention_mask"]) == feature.length for feature in features)
    fast = prepare(model, head, [features], features)
    assert fast.batches == "rows of equal length" and fast.notes
    assert torch.isfinite(head.loss(model, head.collate(features[:1])))


def test_arguments_that_a_forward_pass_lacks_are_left_out():
    class Bare(torch.nn.Module):
        def forward(self, input_ids, token_type_ids=None):
            return input_ids

    batch = {"input_ids": 1, "attention_mask": 2, "token_type_ids": 3, "labels": 4}
    assert accepted(Bare(), batch) == {"input_ids": 1, "token_type_ids": 3, "labels": 4}


def test_the_hidden_size_is_that_of_the_outputs(tmp_path):
    pretrained = Pretrained(checkpoint("opt", tmp_path), METHODS["full"])
    assert pretrained.config.hidden_size == 32
    assert BackboneHead(pretrained, 3, "last").linear.in_features == 16


def test_block_sparse_attention_is_full_from_the_first_batch_on(tmp_path):
    """BigBird turns to full attention at the first short batch, for good: a row would depend on those before it."""
    head = head_for(checkpoint("big_bird", tmp_path), SequenceHead)
    model = head.build().eval()
    features = head.encode([{"text": "the cat sees anna " * 20, "text_pair": None}, {"text": "dog", "text_pair": None}], training=False)
    with torch.inference_mode():
        first = model(**head.collate(features[:1])).logits
        model(**head.collate(features[1:]))
        assert torch.equal(model(**head.collate(features[:1])).logits, first)


def test_adapters_leave_out_the_layers_that_peft_refuses(tmp_path):
    head = head_for(checkpoint("mamba", tmp_path), SequenceHead, RECIPE.updated({"lora_targets": "all"}), "lora")
    model = head.build()
    add_adapters(model, head.pretrained, head.recipe)
    adapted = {name.rpartition(".lora_A")[0].rpartition(".")[2] for name, _ in model.named_parameters() if "lora_A" in name}
    assert adapted and not adapted & {"out_proj", "conv1d"}


def test_a_model_without_word_embeddings():
    class Characters(torch.nn.Module):
        def get_input_embeddings(self):
            raise NotImplementedError

    from transformers import CanineConfig, CanineModel

    model = CanineModel(CanineConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, num_hash_buckets=64))
    assert cut_to_used(model, {1, 2, 3}) == (None, None)


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("banned", ["nothing", "bad_words_ids", "suppress_tokens"])
def test_padding_is_never_written(tmp_path, beams, banned):
    """Checkpoints of Marian give padding the highest score unless it is banned: every translation would be empty."""
    head = head_for(checkpoint("bart", tmp_path), TextHead, RECIPE.updated({"num_beams": beams, "max_target_length": 8}))
    model = head.build()
    pad, word = head.tokenizer.pad_token_id, head.tokenizer.convert_tokens_to_ids("c")
    model.final_logits_bias = torch.zeros_like(model.final_logits_bias)
    model.final_logits_bias[0, pad], model.final_logits_bias[0, word] = 1e4, 1e2
    if banned == "bad_words_ids":
        model.final_logits_bias[0, 17] = 1e3
        model.generation_config.bad_words_ids = [[pad], [17]]
        model = head._configure_generation(model)
    if banned == "suppress_tokens":
        model.final_logits_bias[0, 17] = 1e3
        model.generation_config.suppress_tokens = [17]
        model = head._configure_generation(model)
    model.eval()
    batch = head.collate(head.encode(EXAMPLES[TextHead], training=False))
    with torch.inference_mode():
        texts = head.predict(model, batch)
        loop = head.loop
        head.loop = False
        assert head.predict(model, batch) == texts
    assert loop == (beams == 1), "one of the two ways was not tested"
    assert all("c" in text for text in texts)
    assert not any(head.tokenizer.decode([17]) in text for text in texts) or banned == "nothing"


def test_banned_phrases_are_left_to_the_library(tmp_path):
    head = head_for(checkpoint("bart", tmp_path), TextHead)
    model = head.build()
    model.generation_config.bad_words_ids = [[5, 6], [7]]
    model = head._configure_generation(model)
    assert model.generation_config.bad_words_ids == [[5, 6]] and 7 in model.generation_config.suppress_tokens
    model.eval()
    with torch.inference_mode():
        head.predict(model, head.collate(head.encode(EXAMPLES[TextHead], training=False)))
    assert not head.loop


def test_a_causal_class_that_ignores_the_encoder_is_no_decoder(checkpoints, monkeypatch):
    pretrained = Pretrained(resolve(str(checkpoints("bert"))), METHODS["full"])
    tokenizer = pretrained.tokenizer
    assert warm_started(pretrained, tokenizer, 40).decoder.config.num_hidden_layers == 2
    from transformers import BertLMHeadModel

    forward = BertLMHeadModel.forward
    monkeypatch.setattr(BertLMHeadModel, "forward", lambda self, *args, encoder_hidden_states=None, **kwargs: forward(self, *args, **kwargs))
    decoder = warm_started(pretrained, tokenizer, 40).decoder
    assert type(decoder.config).__name__ == "BertConfig" and decoder.config.intermediate_size == 4 * 32, "the plain decoder"


def test_nothing_is_cached_in_training(checkpoints):
    for kind in ("gpt2", "llama", "t5", "bart", "bert"):
        head = head_for(resolve(str(checkpoints(kind))), TextHead)
        model = head.build()
        configs = {id(module.config): module.config for module in model.modules() if hasattr(module, "config")}
        assert not any(getattr(config, "use_cache", False) for config in configs.values()), kind
        assert model.generation_config.use_cache is not False


def test_generated_texts_fit_the_positions(checkpoints):
    """A decoder of 128 positions that is to write 200 tokens: an index would be out of range in the middle of a training."""
    long = [{"source": "the cat sees anna " * 60, "target": "die katze sieht das haus " * 80}]
    for kind in ("gpt2", "bart", "bert", "roberta"):
        head = head_for(resolve(str(checkpoints(kind))), TextHead, RECIPE.updated({"max_length": 512, "max_target_length": 200}))
        model = head.build()
        features = head.encode(long, training=True)
        assert torch.isfinite(head.loss(model, head.collate(features))), kind
        model.eval()
        with torch.inference_mode():
            assert len(head.predict(model, head.collate(head.encode(long, training=False)))) == 1
        assert head.truncated
