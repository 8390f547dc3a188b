"""What users mistake for a model: adapters, quantised weights, folders around the model. Each error is one line with what to do."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from harness.errors import BenchError
from harness.models.resolve import resolve


def refused(folder, words):
    with pytest.raises(BenchError, match=words) as found:
        resolve(str(folder))
    assert "\n" not in str(found.value)


@pytest.fixture
def model(checkpoints, tmp_path):
    return Path(shutil.copytree(checkpoints("bert"), tmp_path / "m"))


def test_an_adapter_alone_names_its_base(model):
    (model / "config.json").unlink()
    (model / "adapter_config.json").write_text('{"peft_type": "LORA", "base_model_name_or_path": "someone/base"}')
    refused(model, "holds an adapter .LORA. for 'someone/base', not a whole model; merge it into its base")


def test_an_adapter_beside_a_model_is_refused_too(model):
    """transformers would load the model that the adapter names instead of the one in the folder."""
    (model / "adapter_config.json").write_text('{"base_model_name_or_path": "someone/base"}')
    refused(model, "or remove adapter_config.json to fine-tune the weights beside it")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"quant_method": "gptq", "bits": 4}, "quantised .gptq, 4 bits., and rounded weights cannot be fine-tuned"),
        ({"load_in_4bit": True}, "quantised .bitsandbytes, 4 bits."),
        ({"quant_method": "mxfp4"}, "quantised .mxfp4."),
        ({"quant_method": "compressed-tensors", "format": "pack-quantized"}, "quantised .compressed-tensors."),
    ],
)
def test_quantised_weights_are_refused(model, given, words):
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "quantization_config": given}))
    refused(model, words)


@pytest.mark.parametrize(
    ("name", "dtype"), [("a.qweight", torch.int32), ("a.weight", torch.float8_e4m3fn), ("a.weight", torch.uint8)]
)
def test_quantised_weights_are_recognised_by_their_tensors(model, name, dtype):
    save_file({name: torch.zeros(4, 4).to(dtype), "b.weight": torch.zeros(2)}, model / "model.safetensors")
    refused(model, f"model.safetensors holds quantised weights .{name} and 0 more.")


@pytest.mark.parametrize(
    ("places", "meant"),
    [
        (["checkpoint-500", "checkpoint-1000"], "checkpoint-1000"),
        (["0_Transformer"], "0_Transformer"),
        (["onnx", "model"], "model"),
        (["checkpoint-7", "best"], "best"),
        (["out/checkpoint-20"], "out/checkpoint-20"),
    ],
)
def test_the_folder_inside_is_named(model, tmp_path, monkeypatch, places, meant):
    for place in places:
        shutil.copytree(model, tmp_path / "around" / place)
    monkeypatch.chdir(tmp_path)
    refused("./around", f"no config.json in the folder.*did you mean ./around/{meant}$")
    shutil.copy(model / "config.json", "around")
    refused("./around", f"no .safetensors file in the folder.*did you mean ./around/{meant}$")


def test_other_formats_alone_are_no_model(model, tmp_path):
    shutil.copytree(model, tmp_path / "around/onnx")
    refused(tmp_path / "around", "a model in the format onnx cannot be trained")


def test_a_file_is_no_folder(model):
    refused(model / "model.safetensors", "is a file; give the folder")
