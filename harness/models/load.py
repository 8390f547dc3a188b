"""Loads a resolved checkpoint: configuration, tokeniser, weights. Worker side: imports torch and transformers."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.weak import WeakIdKeyDictionary
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from harness.errors import BenchError
from harness.methods import Method
from harness.model import Checkpoint
from harness.models.hub_checkpoints import fetch_checkpoint
from harness.models.old_head import check_sizes, own_head
from harness.models.shape import RELATIVE, tensor_sizes
from harness.models.unpack import dense, unpacked

MOST = 0.6  # share of a model's weights
WITHOUT_HEAD = (AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM)
# What configurations call the most tokens that they read.
POSITIONS = ("max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len", "max_seq_length", "seq_length")
POSITION_TABLE = re.compile(r"(^|[._])(position_embeddings?|positions?_embed(ding)?s?|embed_positions|wpe)\.weight$")
# Model types that count positions from the padding token's number + 1.
BEHIND_PADDING = frozenset(
    "roberta xlm-roberta xlm-roberta-xl camembert xmod mpnet roberta-prelayernorm longformer ibert data2vec-text esm lilt luke "
    "mluke layoutlmv3".split()
)


class Pretrained:
    """A checkpoint as the heads use it. With a method that starts from random weights, `load` gives the same layers untrained.

    Attributes:
        taken: the parameters of all that was loaded which hold the checkpoint's weights; whatever else a model has is new.
        left_out: what is reported of a head of the checkpoint that was not taken over; empty where it has none.
    """

    def __init__(self, checkpoint: Checkpoint, method: Method):
        self.checkpoint = checkpoint
        self.method = method
        self.taken = WeakIdKeyDictionary()  # weak, because parts of what is loaded are thrown away
        self.left_out = ""
        # From a folder even where the model is the Hub's: fetching is patient, and loading asks nobody.
        location = str(fetch_checkpoint(checkpoint)) if checkpoint.revision else checkpoint.location
        folder = unpacked(checkpoint) if checkpoint.gguf else None
        # Code from a repository is run for the checkpoints that cannot do without, not for all where it is allowed.
        trusted = bool(checkpoint.remote_code)
        self.where: dict[str, Any] = {
            "pretrained_model_name_or_path": str(folder or location),
            "trust_remote_code": trusted,
        }
        self.weights: dict[str, Any] = {"use_safetensors": True}
        if checkpoint.gguf and not folder:
            self.where["gguf_file"] = checkpoint.gguf
            self.weights = dense()

    @property
    def architecture(self) -> str:
        """encoder, decoder or encoder-decoder."""
        return self.checkpoint.architecture

    @cached_property
    def config(self) -> PretrainedConfig:
        """The checkpoint's configuration; never changed in place: a head works on `configure(...)`."""
        return AutoConfig.from_pretrained(**self.where)

    def configure(self, **changes: Any) -> PretrainedConfig:
        """A copy of the configuration with `changes`; what makes a row depend on others or on earlier rows is switched off."""
        config = copy.deepcopy(self.config)
        config.update(changes)
        if getattr(config, "attention_type", None) == "block_sparse":
            # BigBird turns to full attention at the first short batch, and stays there for all that follow.
            config.attention_type = "original_full"
        config.use_cache = False  # nothing is remembered from token to token but in generation, which asks for it
        return config

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokeniser, with a padding token, padding on the right.

        Byte-level BPE gets `add_prefix_space`, so that a word has the same tokens at the start of a text, inside it and in a
        list of words (transformers#18632).
        """
        try:
            tokenizer = AutoTokenizer.from_pretrained(**self.where)
        except ValueError as error:
            if "trust_remote_code" not in str(error):
                raise
            raise BenchError(
                f"model {self.checkpoint.name!r}: its tokeniser needs Python code from its repository, which bench does not run "
                "for a model that transformers knows; choose another"
            ) from error
        if is_byte_level(tokenizer):
            tokenizer = AutoTokenizer.from_pretrained(**self.where, add_prefix_space=True)
        if tokenizer.pad_token is None or not self._has_row(tokenizer.pad_token_id):
            # Padding is always masked, so the token itself never matters; a new one would change the vocabulary's size.
            others = (tokenizer.eos_token, tokenizer.unk_token, tokenizer.bos_token, tokenizer.sep_token)
            known = (token for token in others if token and self._has_row(tokenizer.convert_tokens_to_ids(token)))
            tokenizer.pad_token = next(known, None)
        if tokenizer.pad_token is None:
            raise BenchError(
                f"model {self.checkpoint.name!r}: its tokeniser has no padding, end or unknown token that the model has an "
                "embedding for; add one to it"
            )
        tokenizer.padding_side = "right"
        tokenizer.truncation_side = "right"
        read_as_text(tokenizer)
        return tokenizer

    def _has_row(self, number: int) -> bool:
        """Whether the model's table of word embeddings has a row for a token; True where its size is not known."""
        rows = getattr(self.config.get_text_config(), "vocab_size", None)
        return not isinstance(rows, int) or 0 <= number < rows

    @cached_property
    def max_positions(self) -> int | None:
        """The most tokens that the model can read, or None where it sets no limit.

        Told by the configuration, and by the tables of position embeddings among the weights, which win where they are smaller.
        """
        config = self.config.get_text_config()
        limits = [getattr(config, name, None) for name in POSITIONS]
        if self.config.model_type in RELATIVE:
            limits = []  # their n_positions is only the length that they were trained with
        limits = [limit for limit in limits if isinstance(limit, int) and limit > 0]
        # These number positions from the padding token's number + 1, so their tables hold that many rows more.
        padding = getattr(config, "pad_token_id", None)
        first = (1 if padding is None else padding) + 1 if self.config.model_type in BEHIND_PADDING else 0
        limits = [limit - first for limit in limits] + [rows - first for rows in self._position_tables()]
        limits += [self.checkpoint.max_length] if self.checkpoint.max_length else []
        return min((limit for limit in limits if limit > 0), default=None)

    def _position_tables(self) -> list[int]:
        """Rows of the tables of absolute position embeddings, by the headers of the files of weights."""
        files = sorted(Path(str(self.where["pretrained_model_name_or_path"])).glob("*.safetensors"))
        sizes = {name: size for file in files for name, size in tensor_sizes(file).items()}
        return [size[0] for name, size in sizes.items() if len(size) == 2 and POSITION_TABLE.search(name)]

    def has(self, auto_class: Any) -> bool:
        """Whether the library ships this kind of head for the checkpoint's model type, and it takes the checkpoint's weights.

        A head that calls its backbone by another name than the backbone's own class does would silently start from random
        weights: so does question answering for Llama, Qwen and their kin in transformers 5.23.
        """
        head, backbone = self.class_of(auto_class), self.class_of(AutoModel)
        return head is not None and (backbone is None or head.base_model_prefix == backbone.base_model_prefix)

    def class_of(self, auto_class: Any) -> type[PreTrainedModel] | None:
        """What an auto class would build for the checkpoint's configuration; some types name several classes, the first is meant."""
        # Not `in ….keys()`: the keys of this lazy mapping are made by importing every model there is, seconds a cell.
        found = auto_class._model_mapping.get(type(self.config), None)
        return found[0] if isinstance(found, list | tuple) else found

    def load(self, auto_class: Any, config: PretrainedConfig | None = None) -> PreTrainedModel:
        """Weights in float32 under the given auto class; layers that the checkpoint lacks are freshly initialised."""
        config = config or self.configure()
        if not self.method.pretrained:
            return auto_class.from_config(
                config, dtype=torch.float32, trust_remote_code=self.where["trust_remote_code"]
            )
        try:
            model, loading = auto_class.from_pretrained(
                **self.where,
                config=config,
                **self.weights,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # of a head; any other is an error below
            )
        except OSError as error:
            if "safetensors" not in str(error):
                raise
            raise BenchError(
                f"model {self.checkpoint.name!r} has no safetensors weights; convert it with model.save_pretrained, or choose another"
            ) from error
        missing = set(loading["missing_keys"])
        self._check_loaded(model, missing)
        if auto_class not in WITHOUT_HEAD:
            new, self.left_out = own_head(self, model, missing, loading["mismatched_keys"])
            missing |= new
        else:
            check_sizes(self, (), loading["mismatched_keys"])
        self._remember(model, missing)
        return model

    def _remember(self, model: nn.Module, missing: Iterable[str]) -> None:
        fresh = set(missing)
        for name, parameter in model.named_parameters():
            if name not in fresh:
                self.taken[parameter] = name

    def _check_loaded(self, model: PreTrainedModel, missing: Iterable[str]) -> None:
        """A head and cross-attention may be new; where most of the weights are, nothing pretrained would be fine-tuned."""
        sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
        share = sum(sizes.get(name, 0) for name in missing) / max(1, sum(sizes.values()))
        if share > MOST:
            raise BenchError(
                f"model {self.checkpoint.name!r}: {share:.0%} of the weights of {type(model).__name__} are not in the checkpoint; "
                "check that its config.json and its weights belong together"
            )


def word_embeddings(model: PreTrainedModel) -> nn.Module | None:
    """The table of word embeddings; None where a model has none: CANINE hashes characters, and says that this is not implemented."""
    try:
        return model.get_input_embeddings()
    except NotImplementedError:
        return None


def read_as_text(tokenizer: PreTrainedTokenizerBase) -> None:
    """Have a tokeniser read special tokens that stand in a text, such as `</s>` or `[SEP]`, as the characters that they are.

    A text that holds an end token would be cut there, or break a head that looks for the one end. Some vocabularies (Unigram) hold the
    special tokens as pieces like any other, so these are taken apart behind their first character.
    """
    tokenizer.split_special_tokens = True
    backend = getattr(tokenizer, "backend_tokenizer", None)
    special = dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True))
    pieces = [
        token
        for token, number in special.items()
        if len(token) > 1
        and number != tokenizer.unk_token_id
        and number in tokenizer(f"a {token} b", add_special_tokens=False)["input_ids"]
    ]
    if backend is not None and pieces:
        from tokenizers import pre_tokenizers

        apart = [pre_tokenizers.Split(token[1:], "isolated") for token in pieces]
        after = [backend.pre_tokenizer] if backend.pre_tokenizer is not None else []
        backend.pre_tokenizer = pre_tokenizers.Sequence([*apart, *after])


def is_byte_level(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether a fast tokeniser is a byte-level BPE, in which a word's tokens depend on the blank before it."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    return backend is not None and "ByteLevel" in repr(backend.pre_tokenizer)
