"""The languages of multilingual translation models, which have a token for each (mBART, mBART-50, M2M100, NLLB, Marian models of
several targets, MADLAD).

`check_languages` reads a checkpoint's files when a run is planned and loads no torch; `set_languages` sets up a tokeniser. By
default, a tokeniser assumes English as source, and no target, or its source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import BenchError
from harness.languages import base_code, three_letters

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Forms of codes: en_XX, deu_Latn; __de__, __en_XX__; before a source >>deu<<, >>cmn_Hans<<, <2de>.
CODE = re.compile(r"(?:__)?([a-z]{2,3})(?:_([A-Z]{2}|[A-Z][a-z]{3}))?(?:__)?")
TOKEN = re.compile(r"__[a-z]{2,3}(_[A-Z]{2})?__|[a-z]{2}_[A-Z]{2}|[a-z]{3}_[A-Z][a-z]{3}")
PREFIX = re.compile(r">>(\w+)<<|<2(\w+)>")
MIN_TOKENS = 3  # fewer tokens that look like languages are something else
MAX_SHOWN = 12  # languages in a message

# NLLB's three-letter codes for two-letter languages, in addition to those of the standard.
NLLB_CODES = {"ff": ("fuv",), "no": ("nob",), "sq": ("als",)}
# The script that a region implies for a language with several.
SCRIPTS = {"zh_tw": "Hant", "zh_hk": "Hant", "zh_mo": "Hant", "zh_cn": "Hans", "zh_sg": "Hans"}
# Files that name language tokens; the last two are large, and read only if the others name none.
FILES = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "tokenizer.json")


def check_languages(folder: str | Path, options: Mapping[str, Any], name: str) -> None:
    """Check from a checkpoint's files that it knows the `source_language` and `target_language` of a task's options.

    Raises:
        BenchError: the model has language tokens, and the task names no languages, or others.
    """
    tokens = codes_in(str(folder))
    prefixes = _prefix_tokens(tokens)
    if len(prefixes) >= MIN_TOKENS:
        find_code(prefixes, options, "target", name)
    elif len(tokens) - len(prefixes) >= MIN_TOKENS:
        codes = {token: token for token in tokens if token not in prefixes.values()}
        for side in ("source", "target"):
            find_code(codes, options, side, name)


def _prefix_tokens(tokens: Iterable[str]) -> dict[str, str]:
    """Code → token, of the tokens that stand before a source."""
    return {match[1] or match[2]: token for token in tokens if (match := PREFIX.fullmatch(token))}


@lru_cache(maxsize=64)
def codes_in(folder: str) -> tuple[str, ...]:
    """The language tokens that a checkpoint's files name; empty if they name none."""
    for name in FILES:
        try:
            content = json.loads((Path(folder) / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        # Among many words, some look like a language and a country.
        patterns = (PREFIX,) if name == "vocab.json" else (TOKEN, PREFIX)
        strings = (text for text in _strings(content) if any(pattern.fullmatch(text) for pattern in patterns))
        tokens = tuple(dict.fromkeys(strings))
        if len(tokens) >= MIN_TOKENS:
            return tokens
    return ()


def _strings(content: Any) -> Iterator[str]:
    """All strings of a JSON value, keys included; of a `tokenizer.json`, only its added tokens."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        if "added_tokens" in content:
            content = {"added_tokens": content["added_tokens"]}
        for key, value in content.items():
            yield str(key)
            yield from _strings(value)
    elif isinstance(content, list):
        for value in content:
            yield from _strings(value)


def find_code(codes: Mapping[str, str], options: Mapping[str, Any], side: str, name: str) -> str:
    """The model's code for a task's language on one side, `source` or `target`.

    Raises:
        BenchError: the task does not name the language, or the model does not know it.
    """
    language = options.get(f"{side}_language")
    if not language:
        raise BenchError(
            f"model {name!r} has to be told the languages, and the task does not name them; add options: {{source_language: …, "
            f"target_language: …}} to the task (ISO 639-1; the model has {_some(codes)})"
        )
    exact = str(language).replace("-", "_").casefold()
    for code in codes:
        if code.strip("_").casefold() == exact:
            return code
    order = [base_code(language), *three_letters(base_code(language)), *NLLB_CODES.get(base_code(language), ())]
    matches = sorted(code for code in codes if (match := CODE.fullmatch(code)) and match[1] in order)
    matches.sort(key=lambda code: order.index(CODE.fullmatch(code)[1]))
    if not matches:
        raise BenchError(
            f"model {name!r} does not know the {side} language {language!r} of the task; it knows {_some(codes)}; choose another model"
        )
    variant = SCRIPTS.get(exact, exact.partition("_")[2]).casefold()
    exact_matches = [code for code in matches if variant and code.casefold().strip("_").endswith(f"_{variant}")]
    return (exact_matches or matches)[0]


def _some(codes: Iterable[str]) -> str:
    """Some of the codes, for a message."""
    shown = sorted({code.strip("_") for code in codes})
    more = len(shown) - MAX_SHOWN
    return ", ".join(shown[:MAX_SHOWN]) + (f" and {more} more" if more > 0 else "") if shown else "none"


@dataclass(frozen=True)
class LanguageTokens:
    """How a model is told the languages.

    Attributes:
        target_token: id of the target language's token, which begins or ends the target; None: there is none.
        prefix: text before each source.
    """

    target_token: int | None = None
    prefix: str = ""


def set_languages(
    tokenizer: PreTrainedTokenizerBase, options: Mapping[str, Any], name: str, vocabulary: int | None
) -> LanguageTokens:
    """Set the languages of an encoder-decoder's tokeniser to the `source_language` and `target_language` of a task's options.

    A tokeniser that knows no languages, as most do, stays as it is.

    Args:
        vocabulary: number of rows of the model's table of word embeddings, if known.

    Raises:
        BenchError: the model needs the languages, and the task names none, or others.
    """
    prefixes = _prefix_tokens(tokenizer.get_vocab())
    if len(prefixes) >= MIN_TOKENS:
        token = prefixes[find_code(prefixes, options, "target", name)]
        if tokenizer.convert_tokens_to_ids(token) not in tokenizer(f"{token} a")["input_ids"]:
            raise BenchError(
                f"model {name!r}: its tokeniser splits {token}, the name of a language, into pieces; choose another model"
            )
        return LanguageTokens(prefix=f"{token} ")
    tokens = _language_tokens(tokenizer)
    settable = hasattr(type(tokenizer), "src_lang")
    if len(tokens) < MIN_TOKENS and not settable:
        return LanguageTokens()
    if not settable:
        raise BenchError(
            f"model {name!r}: its tokeniser has tokens of languages ({_some(tokens)}), but is of the class {type(tokenizer).__name__}, "
            "which cannot set them; name the model's own class as tokenizer_class in tokenizer_config.json"
        )
    source, target = (find_code(tokens, options, side, name) for side in ("source", "target"))
    target_id = tokenizer.convert_tokens_to_ids(tokens[target])
    if vocabulary is not None and max(target_id, tokenizer.convert_tokens_to_ids(tokens[source])) >= vocabulary:
        raise BenchError(
            f"model {name!r}: its tokeniser's token {tokens[target]} has the number {target_id}, but the model has {vocabulary} rows; "
            "its tokeniser and its weights do not belong together"
        )
    tokenizer.src_lang, tokenizer.tgt_lang = source, target
    _make_special(tokenizer, tokens.values())
    return LanguageTokens(target_token=target_id)


def _language_tokens(tokenizer: PreTrainedTokenizerBase) -> dict[str, str]:
    """A tokeniser's own code of a language → its token, for tokens in the vocabulary."""
    tokens = getattr(tokenizer, "lang_code_to_token", None)
    if tokens is None:
        codes = [*(getattr(tokenizer, "lang_code_to_id", None) or {}), *tokenizer.all_special_tokens]
        tokens = {code: code for code in codes if TOKEN.fullmatch(code)}
    ids = {code: tokenizer.convert_tokens_to_ids(token) for code, token in tokens.items()}
    return {code: tokens[code] for code, number in ids.items() if number is not None and number != tokenizer.unk_token_id}


def _make_special(tokenizer: PreTrainedTokenizerBase, tokens: Iterable[str]) -> None:
    """Make language tokens special where they are not, so that they are left out of decoded texts."""
    from tokenizers import AddedToken

    ordinary = [
        token
        for token in tokens
        if token in tokenizer.decode([tokenizer.convert_tokens_to_ids(token)], skip_special_tokens=True)
    ]
    if ordinary:
        tokenizer.extra_special_tokens = [*tokenizer.extra_special_tokens, *ordinary]
        if tokenizer.is_fast:
            tokenizer.add_tokens([AddedToken(token, special=True) for token in ordinary], special_tokens=True)
