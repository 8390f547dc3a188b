"""An encoder-decoder from an encoder alone.

Rothe et al. 2020, Leveraging Pre-trained Checkpoints for Sequence Generation Tasks.
"""

from __future__ import annotations

import torch
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    BertConfig,
    BertLMHeadModel,
    EncoderDecoderModel,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from harness.models.load import Pretrained

PLAIN_DECODER_LAYERS = 6


def warm_started(pretrained: Pretrained, tokenizer: PreTrainedTokenizerBase) -> EncoderDecoderModel:
    """The encoder with a decoder that starts from the same weights where it can.

    Where the encoder has a causal sibling, that is the decoder and only its cross-attention is new (BERT2BERT). Otherwise
    (DistilBERT, ModernBERT, DeBERTa…) a plain post-norm Transformer decoder of the encoder's width reads its states; only
    the word embeddings are taken over.
    """
    encoder = pretrained.load(AutoModel, pretrained.configure())
    model = EncoderDecoderModel(encoder=encoder, decoder=_sibling(pretrained) or _plain(encoder, tokenizer))
    model.config.decoder_start_token_id = _first_known(tokenizer, "cls", "bos", "pad")
    model.config.eos_token_id = _first_known(tokenizer, "eos", "sep", "pad")
    model.config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.decoder_start_token_id = model.config.decoder_start_token_id
    return model


def _sibling(pretrained: Pretrained) -> PreTrainedModel | None:
    """The same weights as a causal decoder with fresh cross-attention, or None where the library has no such class."""
    if not pretrained.has(AutoModelForCausalLM):
        return None
    decoder = pretrained.load(AutoModelForCausalLM, pretrained.configure(is_decoder=True, add_cross_attention=True))
    crosses = any("cross" in name.lower() for name, _ in decoder.named_modules())
    return decoder if crosses else None


def _plain(encoder: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> BertLMHeadModel:
    embeddings = encoder.get_input_embeddings().weight
    width = encoder.config.hidden_size
    heads = next(count for count in (width // 64, 8, 4, 2, 1) if count and width % count == 0)
    config = BertConfig(
        vocab_size=embeddings.shape[0],
        hidden_size=width,
        num_hidden_layers=min(PLAIN_DECODER_LAYERS, encoder.config.num_hidden_layers),
        num_attention_heads=heads,
        intermediate_size=4 * width,
        is_decoder=True,
        add_cross_attention=True,
        pad_token_id=tokenizer.pad_token_id,
    )
    decoder = BertLMHeadModel(config)
    if embeddings.shape[1] == width:
        with torch.no_grad():
            decoder.get_input_embeddings().weight.copy_(embeddings)
    return decoder


def _first_known(tokenizer: PreTrainedTokenizerBase, *kinds: str) -> int:
    """The id of the first of these special tokens that the tokeniser has."""
    return next(value for kind in kinds if (value := getattr(tokenizer, f"{kind}_token_id")) is not None)
