"""Load a resolved checkpoint in a worker: configuration, tokeniser, weights."""

from __future__ import annotations

import copy
import re
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
from harness.models.old_head import check_shapes, reset_head
from harness.models.shape import RELATIVE, tensor_sizes
from harness.models.unpack import dequantise_options, unpacked

MAX_MISSING = 0.6  # share of a model's weights
WITHOUT_HEAD = (AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM)
# Names in configurations for the maximum input length.
POSITIONS = ("max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len", "max_seq_length", "seq_length")
POSITION_TABLE = re.compile(r"(^|[._])(position_embeddings?|positions?_embed(ding)?s?|embed_positions|wpe)\.weight$")
# Model types that count positions from the padding token's id + 1, so that their tables have that many more rows.
OFFSET_POSITIONS = frozenset(
    "roberta xlm-roberta xlm-roberta-xl camembert xmod mpnet roberta-prelayernorm longformer ibert data2vec-text esm lilt luke "
    "mluke layoutlmv3".split()
)


class Pretrained:
    """A checkpoint for heads. With a method that starts from random weights, `load` returns the same layers untrained.

    Attributes:
        taken: parameters, of everything that was loaded, with the checkpoint's weights; all others are new.
        left_out: a note for the user on a head of the checkpoint that was not used; empty if it has none.
    """

    def __init__(self, checkpoint: Checkpoint, method: Method):
        self.checkpoint = checkpoint
        self.method = method
        self.taken = WeakIdKeyDictionary()  # weak, because parts of what is loaded are thrown away
        self.left_out = ""
        # Load a model of the Hub from a folder, too: only fetching retries, and loading needs no network.
        location = str(fetch_checkpoint(checkpoint)) if checkpoint.revision else checkpoint.location
        folder = unpacked(checkpoint) if checkpoint.gguf else None
        self.location: dict[str, Any] = {
            "pretrained_model_name_or_path": str(folder or location),
            "trust_remote_code": bool(checkpoint.remote_code),  # only for a checkpoint that needs its code
        }
        self.weight_options: dict[str, Any] = {"use_safetensors": True}
        if checkpoint.gguf and not folder:
            self.location["gguf_file"] = checkpoint.gguf
            self.weight_options = dequantise_options()

    @property
    def architecture(self) -> str:
        """encoder, decoder or encoder-decoder."""
        return self.checkpoint.architecture

    @cached_property
    def config(self) -> PretrainedConfig:
        """The checkpoint's configuration; do not change it, use `configure(...)`."""
        return AutoConfig.from_pretrained(**self.location)

    def configure(self, **changes: Any) -> PretrainedConfig:
        """A copy of the configuration with `changes`, without settings that make a row depend on others or on earlier rows."""
        config = copy.deepcopy(self.config)
        config.update(changes)
        if getattr(config, "attention_type", None) == "block_sparse":
            # BigBird switches to full attention at the first short batch, for all later batches.
            config.attention_type = "original_full"
        config.use_cache = False  # only generation needs it, and asks for it
        return config

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokeniser, with a padding token, padding on the right.

        Byte-level BPE gets `add_prefix_space`, so that a word has the same tokens at the start of a text, inside it and in a
        list of words (transformers#18632).
        """
        try:
            tokenizer = AutoTokenizer.from_pretrained(**self.location)
        except ValueError as error:
            if "trust_remote_code" not in str(error):
                raise
            raise BenchError(
                f"model {self.checkpoint.name!r}: its tokeniser needs Python code from its repository, which bench does not run "
                "for a model that transformers knows; choose another"
            ) from error
        if _is_byte_level(tokenizer):
            tokenizer = AutoTokenizer.from_pretrained(**self.location, add_prefix_space=True)
        if tokenizer.pad_token is None or not self._has_embedding(tokenizer.pad_token_id):
            # Padding is always masked, so any token will do; a new one would change the vocabulary's size.
            others = (tokenizer.eos_token, tokenizer.unk_token, tokenizer.bos_token, tokenizer.sep_token)
            usable = (token for token in others if token and self._has_embedding(tokenizer.convert_tokens_to_ids(token)))
            tokenizer.pad_token = next(usable, None)
        if tokenizer.pad_token is None:
            raise BenchError(
                f"model {self.checkpoint.name!r}: its tokeniser has no padding, end or unknown token that the model has an "
                "embedding for; add one to it"
            )
        tokenizer.padding_side = "right"
        tokenizer.truncation_side = "right"
        read_as_text(tokenizer)
        return tokenizer

    def _has_embedding(self, token_id: int) -> bool:
        """Whether the table of word embeddings has a row for a token; True if its size is unknown."""
        rows = getattr(self.config.get_text_config(), "vocab_size", None)
        return not isinstance(rows, int) or 0 <= token_id < rows

    @cached_property
    def max_positions(self) -> int | None:
        """The maximum input length in tokens, or None if the model sets no limit.

        The least of the configuration's limit, the size of the tables of position embeddings, and the registry's limit.
        """
        config = self.config.get_text_config()
        limits = [getattr(config, name, None) for name in POSITIONS]
        if self.config.model_type in RELATIVE:
            limits = []  # their n_positions is only the length that they were trained with
        limits = [limit for limit in limits if isinstance(limit, int) and limit > 0]
        padding = getattr(config, "pad_token_id", None)
        first = (1 if padding is None else padding) + 1 if self.config.model_type in OFFSET_POSITIONS else 0
        limits = [limit - first for limit in limits + self._position_table_rows()]
        limits += [self.checkpoint.max_length] if self.checkpoint.max_length else []
        return min((limit for limit in limits if limit > 0), default=None)

    def _position_table_rows(self) -> list[int]:
        """Rows of the tables of absolute position embeddings, from the headers of the weight files."""
        files = sorted(Path(str(self.location["pretrained_model_name_or_path"])).glob("*.safetensors"))
        shapes = {name: shape for file in files for name, shape in tensor_sizes(file).items()}
        return [shape[0] for name, shape in shapes.items() if len(shape) == 2 and POSITION_TABLE.search(name)]

    def has(self, auto_class: Any) -> bool:
        """Whether transformers has this kind of head for the model type, and it takes the checkpoint's weights.

        A head that calls its backbone by another name than the backbone's own class would silently start from random
        weights: so does question answering for Llama, Qwen and similar models in transformers 5.23.
        """
        head, backbone = self.class_of(auto_class), self.class_of(AutoModel)
        return head is not None and (backbone is None or head.base_model_prefix == backbone.base_model_prefix)

    def class_of(self, auto_class: Any) -> type[PreTrainedModel] | None:
        """The class that an auto class builds for the checkpoint's configuration; of several, the first."""
        # Not `in ….keys()`: the keys of this lazy mapping import every model there is, which takes seconds for each cell.
        classes = auto_class._model_mapping.get(type(self.config), None)
        return classes[0] if isinstance(classes, list | tuple) else classes

    def load(self, auto_class: Any, config: PretrainedConfig | None = None) -> PreTrainedModel:
        """Load the weights in float32 with an auto class; layers that the checkpoint lacks are initialised randomly.

        Raises:
            BenchError: the weights are not safetensors, or do not belong to the configuration.
        """
        config = config or self.configure()
        if not self.method.pretrained:
            return auto_class.from_config(
                config, dtype=torch.float32, trust_remote_code=self.location["trust_remote_code"]
            )
        try:
            model, loading = auto_class.from_pretrained(
                **self.location,
                config=config,
                **self.weight_options,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # allowed for a head; any other raises below
            )
        except OSError as error:
            if "safetensors" not in str(error):
                raise
            raise BenchError(
                f"model {self.checkpoint.name!r} has no safetensors weights; convert it with model.save_pretrained, or choose another"
            ) from error
        new = set(loading["missing_keys"])
        self._check_share(model, new)
        if auto_class not in WITHOUT_HEAD:
            reset, self.left_out = reset_head(self, model, new, loading["mismatched_keys"])
            new |= reset
        else:
            check_shapes(self, (), loading["mismatched_keys"])
        for name, parameter in model.named_parameters():
            if name not in new:
                self.taken[parameter] = name
        return model

    def _check_share(self, model: PreTrainedModel, missing: set[str]) -> None:
        """Refuse a model most of whose weights are missing: a head and cross-attention may be new, but no more."""
        sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
        share = sum(sizes.get(name, 0) for name in missing) / max(1, sum(sizes.values()))
        if share > MAX_MISSING:
            raise BenchError(
                f"model {self.checkpoint.name!r}: {share:.0%} of the weights of {type(model).__name__} are not in the checkpoint; "
                "check that its config.json and its weights belong together"
            )


def word_embeddings(model: PreTrainedModel) -> nn.Module | None:
    """The table of word embeddings; None if a model has none: CANINE hashes characters, and raises NotImplementedError."""
    try:
        return model.get_input_embeddings()
    except NotImplementedError:
        return None


def read_as_text(tokenizer: PreTrainedTokenizerBase) -> None:
    """Make a tokeniser read special tokens in a text, such as `</s>` or `[SEP]`, as plain characters.

    A text with an end token would be cut there, or break a head that looks for the end. Some vocabularies (Unigram) hold the
    special tokens as ordinary pieces too, so these are split after their first character.
    """
    tokenizer.split_special_tokens = True
    backend = getattr(tokenizer, "backend_tokenizer", None)
    special = dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True))
    pieces = [
        token
        for token, token_id in special.items()
        if len(token) > 1
        and token_id != tokenizer.unk_token_id
        and token_id in tokenizer(f"a {token} b", add_special_tokens=False)["input_ids"]
    ]
    if backend is not None and pieces:
        from tokenizers import pre_tokenizers

        splits = [pre_tokenizers.Split(token[1:], "isolated") for token in pieces]
        existing = [backend.pre_tokenizer] if backend.pre_tokenizer is not None else []
        backend.pre_tokenizer = pre_tokenizers.Sequence([*splits, *existing])


def _is_byte_level(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether a fast tokeniser is a byte-level BPE, in which a word's tokens depend on the blank before it."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    return backend is not None and "ByteLevel" in repr(backend.pre_tokenizer)
