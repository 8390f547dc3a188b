"""BLEU's tokenisers by name. Imports nothing heavy, so that a plan can check a name before anything is loaded."""

from __future__ import annotations

from harness.languages import SINITIC, UNSPACED, base_code

# sacrebleu's other tokenisers download their models.
TOKENIZERS = ("13a", "intl", "zh", "ja-mecab", "ko-mecab", "char", "none")
MODULES = {"ja-mecab": "MeCab", "ko-mecab": "mecab_ko"}  # what they import, and sacrebleu does not bring along
_BY_LANGUAGE = {**dict.fromkeys(SINITIC, "zh"), "ja": "ja-mecab", "ko": "ko-mecab"}


def usual_tokenizer(language: object) -> str:
    """The tokeniser that suits a target language (ISO 639-1), whose words may have no blanks between them."""
    language = base_code(language)
    return _BY_LANGUAGE.get(language, "char" if language in UNSPACED else "13a")


def cure(tokenizer: str) -> str:
    """What makes a tokeniser work that needs MeCab."""
    return f"BLEU tokeniser {tokenizer!r} needs MeCab; install it with: pip install 'sacrebleu[{tokenizer[:2]}]'"
