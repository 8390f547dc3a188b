"""Special tokens in texts are read as plain characters by every bundled model."""

import pytest
from transformers import AutoTokenizer

from harness.models.load import read_as_text
from harness.models.resolve import package_path

TEXT = "the old </s> price <pad> was [SEP] and <|endoftext|> [MASK] <bos> more"


def tokenizers(name):
    """The tokeniser as the library loads it, and as bench does."""
    plain, ours = (AutoTokenizer.from_pretrained(package_path(f"pkg:tasks/mini/models/{name}")) for _ in range(2))
    read_as_text(ours)
    return plain, ours


@pytest.mark.parametrize("name", ["bert-mini", "gpt2-mini", "t5-mini"])
def test_no_text_gives_a_special_token(name):
    plain, ours = tokenizers(name)
    alone = ours(TEXT, add_special_tokens=False)["input_ids"]
    assert not set(alone) & (set(ours.all_special_ids) - {ours.unk_token_id})
    whole = ours(TEXT)["input_ids"]
    assert whole != alone and len(whole) <= len(alone) + 2  # those that the model expects are there
    usual = "An ordinary sentence, isn't it? 3.5 % of Zürich"
    assert ours(usual)["input_ids"] == plain(usual)["input_ids"]


@pytest.mark.parametrize("name", ["bert-mini", "gpt2-mini", "t5-mini"])
def test_words_and_offsets_are_those_of_the_text(name):
    _, ours = tokenizers(name)
    words = TEXT.split()
    encoded = ours([words], is_split_into_words=True)
    assert set(encoded.word_ids(0)) - {None} == set(range(len(words)))
    for start, end in ours(TEXT, return_offsets_mapping=True)["offset_mapping"]:
        assert 0 <= start <= end <= len(TEXT) and end - start < len("endoftext") + 1
    at = TEXT.index("</s>")
    covered = {
        place for start, end in ours(TEXT, return_offsets_mapping=True)["offset_mapping"] for place in range(start, end)
    }
    assert set(range(at, at + 4)) <= covered
