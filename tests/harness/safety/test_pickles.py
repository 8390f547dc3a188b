"""No pickle is loaded: whatever the file is called that holds it, and whatever other files point to it."""

import pickle
import shutil

import hostile
import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification

from harness.errors import BenchError
from harness.methods import METHODS
from harness.models.load import Pretrained
from harness.models.resolve import resolve

# All that transformers, accelerate and the tokenisers' classes read or have read, and what trainers leave behind.
NAMES = (
    "pytorch_model.bin", "pytorch_model-00001-of-00001.bin", "adapter_model.bin", "model.pt", "model.pth", "model.ckpt",
    "model.bin", "consolidated.00.pth", "tf_model.h5", "flax_model.msgpack", "training_args.bin", "optimizer.pt",
    "optimizer.bin", "scheduler.pt", "scaler.pt", "rng_state.pth", "vocab.pkl", "vocab.bin", "tokenizer.pkl",
    "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "merges.pkl", "config.pkl", "generation_config.pkl",
    "custom_checkpoint_0.pkl", "random_states_0.pkl", "data.npz", "embeddings.npy",
)  # fmt: skip


@pytest.fixture
def model(checkpoints, tmp_path):
    return shutil.copytree(checkpoints("bert"), tmp_path / "m")


@pytest.fixture
def marker(tmp_path):
    """The file that the payload creates; the payload works."""
    path = tmp_path / "was-run"
    pickle.loads(hostile.pickled(path))
    assert path.exists()
    path.unlink()
    return path


@pytest.fixture
def unpickled(monkeypatch):
    """What was unpickled, even where torch would have run none of it."""
    seen = []

    def refuse(*args, **values):
        seen.append(args)
        raise AssertionError("a pickle is being loaded")

    for module, name in ((torch, "load"), (pickle, "load"), (pickle, "loads"), (pickle, "Unpickler")):
        monkeypatch.setattr(module, name, refuse)
    return seen


def test_pickles_beside_safetensors_are_never_looked_at(model, marker, unpickled):
    payload = hostile.pickled(marker)
    for name in NAMES:
        (model / name).write_bytes(payload)
    hostile.change(model / "pytorch_model.bin.index.json", metadata={}, weight_map={"a": "pytorch_model.bin"})
    for method in ("full", "scratch"):
        pretrained = Pretrained(resolve(str(model)), METHODS[method])
        assert pretrained.tokenizer("the cat")["input_ids"]
        for auto in (AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification):
            pretrained.load(auto)
    assert not unpickled and not marker.exists()


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "adapter_model.bin"])
def test_pickles_alone_are_refused(model, marker, unpickled, name):
    (model / "model.safetensors").unlink()
    (model / name).write_bytes(hostile.pickled(marker))
    with pytest.raises(BenchError, match=r"no .safetensors file in the folder; convert it with model.save_pretrained"):
        resolve(str(model))
    # Nor do other tensors in the folder open the way to it.
    (model / "other.safetensors").write_bytes(hostile.pickled(marker))
    with pytest.raises(BenchError, match=r"no model.safetensors in the folder; convert"):
        resolve(str(model))
    assert not unpickled and not marker.exists()


@pytest.mark.parametrize(
    "named", ["adapter_model.bin", "pytorch_model.bin", "../m/model.safetensors", "sub/x.safetensors"]
)
def test_what_a_configuration_calls_its_weights_is_safetensors_beside_it(model, marker, unpickled, named):
    """`transformers_weights: adapter_model.bin` makes transformers 5 open a pickle although safetensors are asked for."""
    (model / "sub").mkdir()
    for name in ("adapter_model.bin", "pytorch_model.bin", "sub/x.safetensors"):
        (model / name).write_bytes(hostile.pickled(marker))
    hostile.change(model / "config.json", transformers_weights=named)
    with pytest.raises(BenchError, match=r"which is no .safetensors file beside it, and nothing else is loaded"):
        resolve(str(model))
    assert not unpickled and not marker.exists()


@pytest.mark.parametrize("part", ["pytorch_model.bin", "../outside.safetensors", "/etc/passwd", "a\\b.safetensors", 3])
def test_the_parts_of_an_index_are_safetensors_beside_it(model, marker, unpickled, part):
    (model / "pytorch_model.bin").write_bytes(hostile.pickled(marker))
    shutil.copy(model / "model.safetensors", model.parent / "outside.safetensors")
    (model / "model.safetensors").rename(model / "model-1.safetensors")
    index = model / "model.safetensors.index.json"
    hostile.change(index, metadata={}, weight_map={"a": "model-1.safetensors", "b": part})
    with pytest.raises(BenchError, match=r"index\.json names .* which is no .safetensors file beside it"):
        resolve(str(model))
    hostile.change(index, weight_map={"a": "model-1.safetensors"})
    assert resolve(str(model))
    assert not unpickled and not marker.exists()


def test_a_pickle_or_a_part_of_a_file_under_the_right_name_is_one_line(model, marker, unpickled):
    path, good = model / "model.safetensors", (model / "model.safetensors").read_bytes()
    for content in (
        hostile.pickled(marker), b"", b"\0" * 7, b"\xff" * 100, (10).to_bytes(8, "little") + b"[1, 2, 3] ",
        (2**40).to_bytes(8, "little") + good[8:], b"PK\x03\x04" + b"\0" * 100, good[:100],
    ):  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(
            BenchError, match=r"model\.safetensors is no safetensors file, or a broken one; fetch it"
        ) as found:
            resolve(str(model))
        assert "\n" not in str(found.value)
    for content in (good[:-1], good + b"\0"):
        path.write_bytes(content)
        with pytest.raises(BenchError, match=r"but its header says [\d,]+; fetch it again"):
            resolve(str(model))
    assert not unpickled and not marker.exists()


def test_a_pickled_adapter_is_refused(model, marker, unpickled):
    (model / "adapter_config.json").write_text("{}")
    (model / "adapter_model.bin").write_bytes(hostile.pickled(marker))
    with pytest.raises(BenchError, match=r"holds an adapter \(LORA\), not a whole model"):
        resolve(str(model))
    assert not unpickled and not marker.exists()


def test_a_gguf_file_that_is_none_is_one_line(tmp_path, marker, unpickled):
    for content in (hostile.pickled(marker), b"GGUF", b"GGUF\3\0\0\0" + b"\xff" * 16, b""):
        (tmp_path / "m.gguf").write_bytes(content)
        with pytest.raises(BenchError, match=r"'m\.gguf': no GGUF file, or a broken one; fetch it again"):
            resolve(str(tmp_path / "m.gguf"))
    assert not unpickled and not marker.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 99_999, "\xff"])
def test_a_broken_configuration_is_one_line(model, content):
    (model / "config.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(BenchError, match=r"model '.*': config\.json (is no JSON|must be a mapping)"):
        resolve(str(model))
