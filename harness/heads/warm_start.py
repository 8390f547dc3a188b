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

from harness.heads.backbone import states_width
from harness.heads.unable import Unable, computing
from harness.models.load import Pretrained, word_embeddings

PLAIN_DECODER_LAYERS = 6


def warm_started(pretrained: Pretrained, tokenizer: PreTrainedTokenizerBase, written: int) -> EncoderDecoderModel:
    """The encoder with a decoder that starts from the same weights where it can.

    Where the encoder has a causal sibling, that is the decoder and only its cross-attention is new (BERT2BERT). Otherwise
    (DistilBERT, ModernBERT, DeBERTa…) a plain post-norm Transformer decoder of the encoder's width reads its states; only
    the word embeddings are taken over.

    Args:
        written: the most tokens that it will write.
    """
    encoder = pretrained.load(AutoModel, pretrained.configure())
    model = EncoderDecoderModel(encoder=encoder, decoder=_sibling(pretrained, encoder) or _plain(encoder, tokenizer, written))
    model.config.decoder_start_token_id = _first_known(tokenizer, "cls", "bos", "pad")
    model.config.eos_token_id = _first_known(tokenizer, "eos", "sep", "pad")
    model.config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.decoder_start_token_id = model.config.decoder_start_token_id
    return model


def _sibling(pretrained: Pretrained, encoder: PreTrainedModel) -> PreTrainedModel | None:
    """The same weights as a causal decoder with fresh cross-attention, or None where the library has no such class."""
    if not pretrained.has(AutoModelForCausalLM):
        return None
    decoder = pretrained.load(AutoModelForCausalLM, pretrained.configure(is_decoder=True, add_cross_attention=True))
    return decoder if _reads(decoder, states_width(encoder)) else None


@torch.no_grad()
def _reads(decoder: PreTrainedModel, width: int) -> bool:
    """Whether what an encoder made changes what a decoder writes: some causal siblings take the argument and ignore it."""
    mode = decoder.training
    decoder.eval()
    try:
        tokens = torch.zeros(1, 4, dtype=torch.long)
        states = (torch.zeros(1, 3, width), torch.ones(1, 3, width))
        with computing():
            one, other = (decoder(input_ids=tokens, encoder_hidden_states=each).logits for each in states)
        return not torch.equal(one, other)
    except Unable:
        return False  # it has no such argument, or no layers for it
    finally:
        decoder.train(mode)


def _plain(encoder: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, written: int) -> BertLMHeadModel:
    table = word_embeddings(encoder)
    embeddings = torch.empty(len(tokenizer), 0) if table is None else table.weight
    width = states_width(encoder)
    heads = next(count for count in (width // 64, 8, 4, 2, 1) if count and width % count == 0)
    config = BertConfig(
        vocab_size=embeddings.shape[0],
        hidden_size=width,
        num_hidden_layers=min(PLAIN_DECODER_LAYERS, encoder.config.num_hidden_layers),
        num_attention_heads=heads,
        intermediate_size=4 * width,
        max_position_embeddings=max(512, written),
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
