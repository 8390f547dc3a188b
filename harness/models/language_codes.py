"""The languages that a multilingual translation model knows, by their codes, and which of them a task's languages are. Told from files
alone where a plan asks; loads no torch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.errors import BenchError
from harness.languages import base_code, three_letters

# How a language is written: en_XX, deu_Latn; __de__, __en_XX__; in front of a source >>deu<<, >>cmn_Hans<<, <2de>.
CODE = re.compile(r"(?:__)?([a-z]{2,3})(?:_([A-Z]{2}|[A-Z][a-z]{3}))?(?:__)?")
TOKEN = re.compile(r"__[a-z]{2,3}(_[A-Z]{2})?__|[a-z]{2}_[A-Z]{2}|[a-z]{3}_[A-Z][a-z]{3}")
IN_FRONT = re.compile(r">>(\w+)<<|<2(\w+)>")
FEW = 3  # tokens that look like a language's; fewer are something else
SHOWN = 12  # languages in an error

# Codes of three letters that NLLB has for a language of two letters, beside those of the standard.
MORE = {"ff": ("fuv",), "no": ("nob",), "sq": ("als",)}
# Where a region decides which script is meant, and one is written without its script.
SCRIPTS = {"zh_tw": "Hant", "zh_hk": "Hant", "zh_mo": "Hant", "zh_cn": "Hans", "zh_sg": "Hans"}
# Where a tokeniser's files name its tokens of languages; the last ones are large, and are read only where the others name none.
FILES = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "tokenizer.json")


def check_languages(folder: str | Path, options: Mapping[str, Any], name: str) -> None:
    """Refuse a task whose languages a checkpoint's files say that it does not know.

    Args:
        folder: of the checkpoint.
        options: the task's, with `source_language` and `target_language`.
        name: the model's, for the errors.

    Raises:
        BenchError: the model has tokens of languages, and the task has none, or others.
    """
    tokens = codes_in(str(folder))
    front = {match[1] or match[2]: token for token in tokens if (match := IN_FRONT.fullmatch(token))}
    if len(front) >= FEW:
        find_code(front, options, "target", name)
    elif len(tokens) - len(front) >= FEW:
        for side in ("source", "target"):
            find_code({token: token for token in tokens if token not in front.values()}, options, side, name)


@lru_cache(maxsize=64)
def codes_in(folder: str) -> tuple[str, ...]:
    """The tokens of languages that a checkpoint's files name; none where they do not say."""
    for name in FILES:
        try:
            content = json.loads((Path(folder) / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        patterns = (IN_FRONT,) if name == "vocab.json" else (TOKEN, IN_FRONT)  # among many words, some look like a language and a country
        found = tuple(dict.fromkeys(text for text in _texts(content) if any(one.fullmatch(text) for one in patterns)))
        if len(found) >= FEW:
            return found
    return ()


def _texts(content: Any) -> Iterator[str]:
    """All texts of a JSON value, names of fields included; of a `tokenizer.json` only those that were added to its vocabulary."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        if "added_tokens" in content:
            content = {"added_tokens": content["added_tokens"]}
        for key, value in content.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts(value)


def find_code(codes: Mapping[str, str], options: Mapping[str, Any], side: str, name: str) -> str:
    """The code of a task's source or target language.

    Raises:
        BenchError: the task does not say the language, or the model has none such.
    """
    wanted = options.get(f"{side}_language")
    if not wanted:
        raise BenchError(
            f"model {name!r} has to be told the languages, and the task does not say them; add options: {{source_language: …, "
            f"target_language: …}} to the task (ISO 639-1; the model has {some_codes(codes)})"
        )
    exact = str(wanted).replace("-", "_").casefold()
    for code in codes:
        if code.strip("_").casefold() == exact:
            return code
    order = [base_code(wanted), *three_letters(base_code(wanted)), *MORE.get(base_code(wanted), ())]
    fits = sorted(code for code in codes if (match := CODE.fullmatch(code)) and match[1] in order)
    fits.sort(key=lambda code: order.index(CODE.fullmatch(code)[1]))
    part = SCRIPTS.get(exact, exact.partition("_")[2]).casefold()
    closer = [code for code in fits if part and code.casefold().strip("_").endswith(f"_{part}")]
    if not fits:
        raise BenchError(
            f"model {name!r} does not know the {side} language {wanted!r} of the task; it knows {some_codes(codes)}; choose another model"
        )
    return (closer or fits)[0]


def some_codes(codes: Iterable[str]) -> str:
    """Some of the codes, for a message."""
    shown = sorted({code.strip("_") for code in codes})
    more = len(shown) - SHOWN
    return ", ".join(shown[:SHOWN]) + (f" and {more} more" if more > 0 else "") if shown else "none"
