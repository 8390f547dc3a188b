"""Tiny checkpoints of many model types with random weights, made on the spot: real folders, as `save_pretrained` writes them."""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    PreTrainedTokenizerFast,
)

WORDS = "the a cat dog house garden lisbon anna sees likes loves hates was is not very good bad where who in . , ? das ein der katze".split()
TEXTS = [" ".join(WORDS[offset:] + WORDS[:offset]) for offset in range(len(WORDS))] + list(string.ascii_letters)
SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def wordpiece() -> PreTrainedTokenizerFast:
    """BERT's."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(TEXTS, trainers.WordPieceTrainer(vocab_size=200, special_tokens=special))
    ids = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", ids)
    tokenizer.decoder = decoders.WordPiece()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def byte_bpe(pair: bool) -> PreTrainedTokenizerFast:
    """GPT-2's (no padding token, nothing around a text), or with `pair` RoBERTa's and BART's."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"] if pair else ["<|endoftext|>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    )
    if not pair:
        return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>", bos_token="<|endoftext|>")
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>",
        pad_token="<pad>", unk_token="<unk>", mask_token="<mask>",
    )  # fmt: skip


def unigram() -> PreTrainedTokenizerFast:
    """T5's: only an end token behind each text."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    tokenizer.train_from_iterator(
        TEXTS, trainers.UnigramTrainer(vocab_size=150, special_tokens=special, unk_token="<unk>")
    )
    tokenizer.post_processor = processors.TemplateProcessing("$A </s>", "$A </s> $B:1 </s>:1", [("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", pad_token="<pad>", unk_token="<unk>")


def sentencepiece_bos() -> PreTrainedTokenizerFast:
    """Llama's: a begin token in front, no padding token."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=200, special_tokens=["<unk>", "<s>", "</s>"]))
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", "<s> $A <s> $B:1", [("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


MASKED, CAUSAL, SEQ2SEQ = AutoModelForMaskedLM, AutoModelForCausalLM, AutoModelForSeq2SeqLM
DISTIL = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}
BART = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2,
    "decoder_start_token_id": 2, "forced_eos_token_id": 2, "max_position_embeddings": 128,
}  # fmt: skip
T5 = {
    "d_model": 32,
    "d_kv": 16,
    "d_ff": 64,
    "num_layers": 2,
    "num_heads": 2,
    "decoder_start_token_id": 0,
    "pad_token_id": 0,
    "eos_token_id": 1,
}
ROBERTA = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "max_position_embeddings": 130}

# model type -> (architecture, tokeniser, auto class, configuration)
KINDS: dict[str, tuple[str, Callable[[], PreTrainedTokenizerFast], type, dict]] = {
    "bert": ("encoder", wordpiece, MASKED, {**SIZE, "max_position_embeddings": 128}),
    "distilbert": ("encoder", wordpiece, MASKED, {**DISTIL, "max_position_embeddings": 128}),
    "roberta": ("encoder", lambda: byte_bpe(True), MASKED, {**SIZE, **ROBERTA}),
    "deberta-v2": ("encoder", wordpiece, MASKED, {**SIZE, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]}),
    "electra": ("encoder", wordpiece, MASKED, {**SIZE, "embedding_size": 16, "max_position_embeddings": 128}),
    "modernbert": ("encoder", wordpiece, MASKED, {**SIZE, "pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3}),
    "gpt2": ("decoder", lambda: byte_bpe(False), CAUSAL, {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 128, "bos_token_id": 0, "eos_token_id": 0}),
    "llama": ("decoder", sentencepiece_bos, CAUSAL, {**SIZE, "num_key_value_heads": 1, "max_position_embeddings": 128, "pad_token_id": None}),
    "qwen3": ("decoder", lambda: byte_bpe(False), CAUSAL, {**SIZE, "num_key_value_heads": 1, "head_dim": 16}),
    "granite": ("decoder", lambda: byte_bpe(False), CAUSAL, {**SIZE, "num_key_value_heads": 1}),
    "t5": ("encoder-decoder", unigram, SEQ2SEQ, T5),
    "bart": ("encoder-decoder", lambda: byte_bpe(True), SEQ2SEQ, BART),
}  # fmt: skip


def make(kind: str, folder: Path) -> Path:
    """A checkpoint folder of the model type `kind`."""
    import torch

    _, tokenizer, auto, values = KINDS[kind]
    made = tokenizer()
    torch.manual_seed(1234)
    model = auto.from_config(AutoConfig.for_model(kind, vocab_size=len(made), **values))
    model.save_pretrained(folder)
    made.save_pretrained(folder)
    return folder
