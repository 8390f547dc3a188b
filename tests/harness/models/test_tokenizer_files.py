"""Which tokeniser a checkpoint has: the tables agree with the installed transformers, and incomplete tokenisers are refused."""

import json
import shutil
from pathlib import Path

import pytest

from harness.errors import BenchError
from harness.models import tokenizer_files
from harness.models.architectures import DECODERS, ENCODER_DECODERS, ENCODERS
from harness.models.resolve import resolve
from harness.models.tokenizer_files import (
    ANY,
    DEFAULTS,
    FAST,
    GENERIC,
    MISTRAL,
    OVERRULED,
    SLOW,
    check_tokenizer,
    tokenizer_class,
)

OURS = ENCODERS | DECODERS | ENCODER_DECODERS | {"reformer"}
DECLARED = [None, "BertTokenizer", "BertJapaneseTokenizer", "PhobertTokenizer", "ByT5Tokenizer", "LlamaTokenizerFast",
            "PreTrainedTokenizerFast", "TokenizersBackend", "NllbTokenizerFast", "ElectraTokenizerFast", "NoSuchTokenizer"]  # fmt: skip


def library_class(name):
    from transformers.models.auto.tokenization_auto import tokenizer_class_from_name

    return tokenizer_class_from_name(name)


def test_each_type_has_the_class_that_the_library_has_for_it():
    from transformers.models.auto import tokenization_auto as auto

    expected = {kind: name for kind, name in auto.TOKENIZER_MAPPING_NAMES.items() if kind in OURS}
    assert {kind: GENERIC if name == MISTRAL else name for kind, name in expected.items()} == DEFAULTS
    assert OVERRULED == auto.MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS & OURS


def test_each_class_has_the_files_and_the_speed_of_the_library():
    from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES
    from transformers.tokenization_utils_tokenizers import TokenizersBackend

    assert {name for kind, name in TOKENIZER_MAPPING_NAMES.items() if kind in OURS and name} <= {*FAST, *SLOW, MISTRAL}
    for table, fast in ((FAST, True), (SLOW, False)):
        for name, files in table.items():
            if name == MISTRAL:
                continue
            found = library_class(name)
            assert issubclass(found, TokenizersBackend) == fast, name
            assert set(files) <= set(found.vocab_files_names.values()), name


def test_no_slow_class_counts_as_fast():
    import transformers
    from transformers.tokenization_python import PreTrainedTokenizer
    from transformers.tokenization_utils_tokenizers import TokenizersBackend

    for name in (name for name in dir(transformers) if name.endswith("Tokenizer")):
        found = library_class(name)
        if isinstance(found, type) and issubclass(found, PreTrainedTokenizer) and found is not PreTrainedTokenizer:
            assert (
                issubclass(found, TokenizersBackend) or name in SLOW or "pretty_midi" in getattr(found, "_backends", ())
            ), name


@pytest.mark.parametrize("kind", sorted((OURS & set(DEFAULTS)) - {"gpt-sw3"}) + ["llama", "granite_swa", "falcon"])
def test_the_class_is_the_one_that_the_library_chooses(kind, tmp_path, monkeypatch):
    import transformers
    from transformers.tokenization_utils_base import PreTrainedTokenizerBase

    monkeypatch.setattr(PreTrainedTokenizerBase, "from_pretrained", classmethod(lambda cls, *_, **__: cls))
    if kind not in transformers.CONFIG_MAPPING:
        pytest.skip("a tokeniser's name and no model's")
    for declared in DECLARED:
        config, told = {"model_type": kind}, {"tokenizer_class": declared} if declared else {}
        (tmp_path / "config.json").write_text(json.dumps(config))
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(told))
        expected = transformers.AutoTokenizer.from_pretrained(str(tmp_path))
        actual = tokenizer_class(config, told)
        assert library_class(actual) is expected, (declared, actual, expected)


@pytest.fixture
def model(checkpoints, tmp_path):
    return Path(shutil.copytree(checkpoints("bert"), tmp_path / "m"))


def test_a_folder_without_a_vocabulary_is_refused(model):
    """The library would make a tokeniser of five special tokens, with which each word is unknown, and the training would be `ok`."""
    (model / "tokenizer.json").unlink()
    with pytest.raises(
        BenchError, match=r"no tokeniser in its folder \(TokenizersBackend needs tokenizer.json, or tokenizer.model\)"
    ):
        resolve(str(model))
    (model / "tokenizer_config.json").unlink()
    with pytest.raises(BenchError, match=r"\(BertTokenizer needs tokenizer.json, or vocab.txt\)"):
        resolve(str(model))
    (model / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n")
    assert resolve(str(model)).fast_tokenizer


@pytest.mark.parametrize(("kind", "declared"), [("t5", "ByT5Tokenizer"), ("canine", None)])
def test_some_tokenisers_need_no_file(kind, declared):
    told = {"tokenizer_class": declared} if declared else {}
    assert check_tokenizer({"model_type": kind}, told, {"config.json", "model.safetensors"}, "m") is False


@pytest.mark.parametrize(
    ("kind", "declared", "files", "fast"),
    [
        ("bert", "BertJapaneseTokenizer", {"vocab.txt"}, False),
        ("roberta", "PhobertTokenizer", {"vocab.txt", "bpe.codes"}, False),
        ("xlm-roberta", "XLMRobertaTokenizer", {"sentencepiece.bpe.model"}, True),
        ("marian", None, {"vocab.json", "source.spm", "target.spm"}, False),
        ("marian", "TokenizersBackend", {"tokenizer.json"}, True),
        ("esm", None, {"vocab.txt"}, False),
        ("glm", "BertJapaneseTokenizer", {"tokenizer.json"}, True),
        ("gpt2", None, {"vocab.json", "merges.txt"}, True),
    ],
)
def test_whether_a_tokeniser_is_fast(kind, declared, files, fast):
    told = {"tokenizer_class": declared} if declared else {}
    assert check_tokenizer({"model_type": kind}, told, files, "m") is fast


def test_an_incomplete_vocabulary_is_refused():
    with pytest.raises(BenchError, match=r"needs tokenizer\.json, or vocab\.json and merges\.txt"):
        check_tokenizer({"model_type": "gpt2"}, {}, {"vocab.json"}, "m")


def test_unknown_files_are_not_checked():
    assert check_tokenizer({"model_type": "gpt2"}, {}, set(), "m")


@pytest.mark.parametrize(
    ("config", "told", "files", "missing"),
    [
        ({"model_type": "deberta-v2"}, {}, {"spm.model"}, "sentencepiece protobuf"),
        ({"model_type": "marian"}, {}, {"vocab.json", "source.spm", "target.spm"}, "sentencepiece"),
        ({"model_type": "flaubert"}, {}, {"vocab.json", "merges.txt"}, "sacremoses"),
        ({"model_type": "roformer"}, {}, {"vocab.txt"}, "rjieba"),
        ({"model_type": "llama"}, {}, {"tiktoken.model"}, "tiktoken"),
        (
            {"model_type": "bert"},
            {"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "mecab"},
            {"vocab.txt"},
            "fugashi unidic-lite",
        ),
    ],
)
def test_missing_packages_have_their_names_on_pypi(monkeypatch, config, told, files, missing):
    monkeypatch.setattr(tokenizer_files, "is_installed", lambda package: False)
    with pytest.raises(BenchError, match=f"; run: pip install {missing}$"):
        check_tokenizer(config, told, files, "m")
    monkeypatch.setattr(tokenizer_files, "is_installed", lambda package: True)
    check_tokenizer(config, told, files, "m")


def test_packages_for_sentencepiece_are_installed():
    """Many checkpoints have no tokenizer.json; transformers reads their vocabulary with these two."""
    assert tokenizer_files.is_installed("sentencepiece") and tokenizer_files.is_installed("protobuf")
    assert not tokenizer_files.is_installed("no_such_package") and not tokenizer_files.is_installed("no_such.package")


def test_the_files_that_any_fast_class_reads(checkpoints):
    assert set(ANY) & {file.name for file in checkpoints("llama").iterdir()} == {"tokenizer.json"}
