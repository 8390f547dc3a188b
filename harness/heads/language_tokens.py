"""Tokens that name a language, as multilingual translation models read and write them (mBART, mBART-50, M2M100, NLLB, Marian of
several targets, MADLAD): found by the languages of a task, set, and checked.

Left alone, a tokeniser takes English for its source and nothing, or its source, for its target.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import AddedToken
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from harness.errors import BenchError
from harness.models.language_codes import FEW, IN_FRONT, TOKEN, find_code, some_codes


@dataclass(frozen=True)
class Languages:
    """What a model is told of the languages.

    Attributes:
        token: the id of the target's token, which begins or ends what is written; None: there is none.
        prefix: what is written in front of a source.
    """

    token: int | None = None
    prefix: str = ""


def set_languages(tokenizer: PreTrainedTokenizerBase, options: Mapping[str, Any], name: str, rows: int | None) -> Languages:
    """Set a tokeniser's source and target language to those of a task.

    Args:
        tokenizer: of a model with an encoder and a decoder; of most such models it knows no languages, and stays as it is.
        options: the task's, with `source_language` and `target_language`.
        name: the model's, for the errors.
        rows: of the model's table of word embeddings, where it is known.

    Raises:
        BenchError: the model must be told the languages, and the task has none, or others.
    """
    front = {match[1] or match[2]: token for token in tokenizer.get_vocab() if (match := IN_FRONT.fullmatch(token))}
    if len(front) >= FEW:
        token = front[find_code(front, options, "target", name)]
        number = tokenizer.convert_tokens_to_ids(token)
        if number not in tokenizer(f"{token} a")["input_ids"]:
            raise BenchError(
                f"model {name!r}: its tokeniser takes {token}, the name of a language, apart; choose another model"
            )
        return Languages(prefix=f"{token} ")
    codes = _codes(tokenizer)
    if len(codes) < FEW and not hasattr(type(tokenizer), "src_lang"):
        return Languages()
    if not hasattr(type(tokenizer), "src_lang"):
        raise BenchError(
            f"model {name!r}: its tokeniser has tokens of languages ({some_codes(codes)}), but is of the class {type(tokenizer).__name__}, "
            "which cannot set them; name the model's own class as tokenizer_class in tokenizer_config.json"
        )
    source, target = (find_code(codes, options, side, name) for side in ("source", "target"))
    number = tokenizer.convert_tokens_to_ids(codes[target])
    if rows is not None and max(number, tokenizer.convert_tokens_to_ids(codes[source])) >= rows:
        raise BenchError(
            f"model {name!r}: its tokeniser's token {codes[target]} has the number {number}, but the model has {rows} rows; "
            "its tokeniser and its weights do not belong together"
        )
    tokenizer.src_lang, tokenizer.tgt_lang = source, target
    _hide(tokenizer, codes.values())
    return Languages(token=number)


def begin_alike(model: PreTrainedModel, config: GenerationConfig, labels: list[int], language: int | None) -> None:
    """Have generation begin as the labels of training do, whatever the checkpoint's own configuration says.

    Args:
        model: its way to shift labels says what the decoder starts from.
        config: of the generation; changed in place.
        labels: of any text.
        language: the token of the target language, if there is one. It, or a token that the checkpoint forces, is forced where the
            labels begin with it.
    """
    if not labels:
        return
    if hasattr(model, "prepare_decoder_input_ids_from_labels"):
        config.decoder_start_token_id = int(model.prepare_decoder_input_ids_from_labels(torch.tensor([labels]))[0, 0])
    forced = config.forced_bos_token_id if language is None else language
    config.forced_bos_token_id = forced if forced == labels[0] else None


def _hide(tokenizer: PreTrainedTokenizerBase, tokens: Iterable[str]) -> None:
    """Have the tokens of languages left out of what is written, as other special tokens are."""
    shown = [
        token
        for token in tokens
        if token in tokenizer.decode([tokenizer.convert_tokens_to_ids(token)], skip_special_tokens=True)
    ]
    if shown:
        tokenizer.extra_special_tokens = [*tokenizer.extra_special_tokens, *shown]
        if tokenizer.is_fast:
            tokenizer.add_tokens([AddedToken(token, special=True) for token in shown], special_tokens=True)


def _codes(tokenizer: PreTrainedTokenizerBase) -> dict[str, str]:
    """A tokeniser's own code of a language -> its token; only those that the vocabulary has."""
    told = getattr(tokenizer, "lang_code_to_token", None)
    if told is None:
        given = getattr(tokenizer, "lang_code_to_id", None) or {}
        told = {code: code for code in [*given, *tokenizer.all_special_tokens] if TOKEN.fullmatch(code)}
    known = {code: tokenizer.convert_tokens_to_ids(token) for code, token in told.items()}
    return {
        code: told[code] for code, number in known.items() if number is not None and number != tokenizer.unk_token_id
    }
