"""Whether a multilingual model knows the languages of a task, by its files, when a run is planned."""

import json

import pytest

from harness.errors import BenchError
from harness.models.language_codes import check_languages, codes_in

MBART = ["ar_AR", "cs_CZ", "de_DE", "en_XX"]
FILES = {
    "tokenizer_config.json": {"tokenizer_class": "MBartTokenizer", "extra_special_tokens": MBART},
    "special_tokens_map.json": {"additional_special_tokens": ["__de__", "__en__", "__fr__"]},
    "added_tokens.json": {"deu_Latn": 3, "eng_Latn": 4, "zho_Hans": 5},
    "vocab.json": {">>deu<<": 1, ">>fra<<": 2, ">>cmn_Hans<<": 3, "my_ID": 4, "no_GO": 5, "so_SO": 6},
    "tokenizer.json": {"model": {"vocab": {"is_IT": 0, "to_DO": 1, "be_ME": 2}}, "added_tokens": [{"content": code} for code in MBART]},
}
OPTIONS = {"source_language": "en", "target_language": "de"}


@pytest.fixture
def folder(tmp_path):
    def made(name):
        codes_in.cache_clear()
        (tmp_path / name).write_text(json.dumps(FILES[name]))
        return tmp_path

    return made


@pytest.mark.parametrize("name", list(FILES))
def test_languages_are_found_in_every_file_that_may_name_them(folder, name):
    found = codes_in(str(folder(name)))
    assert 3 <= len(found) <= 4 and not {"my_ID", "is_IT"} & set(found)
    check_languages(folder(name), OPTIONS, "mine")
    with pytest.raises(BenchError, match=r"model 'mine' does not know the target language 'ja' of the task; it knows .*; choose another model"):
        check_languages(folder(name), {"source_language": "en", "target_language": "ja"}, "mine")
    with pytest.raises(BenchError, match=r"has to be told the languages, and the task does not name them; add options"):
        check_languages(folder(name), {}, "mine")


def test_a_model_without_languages_is_not_checked(tmp_path):
    codes_in.cache_clear()
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"extra_special_tokens": ["<extra_id_0>", "en_XX"]}))
    (tmp_path / "vocab.json").write_text("no JSON")
    check_languages(tmp_path, {}, "mine")
    check_languages(tmp_path / "nowhere", {}, "mine")
