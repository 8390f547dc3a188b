"""Models assembled here because transformers has no class for them.

Small heads on a backbone (BART's tokens; all heads of Marian), and an encoder-decoder warm-started from an encoder (Rothe et
al. 2020, Leveraging Pre-trained Checkpoints for Sequence Generation Tasks).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    BertConfig,
    BertLMHeadModel,
    EncoderDecoderModel,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.modeling_outputs import ModelOutput

from harness.heads.base import IGNORE, accepted, label_names
from harness.heads.library_errors import LibraryError, library_errors
from harness.models.load import Pretrained, word_embeddings

PROBE_TOKENS = 16
NEW_DECODER_LAYERS = 6


class BackboneHead(nn.Module):
    """Dropout and a linear layer on a backbone's hidden states.

    Of an encoder-decoder, only the encoder is used: each of its states sees the whole text, at half the cost.

    Args:
        pretrained: the checkpoint.
        outputs: output size of the linear layer.
        pool: None for one output per token; "mean" over all real tokens, "last" for the last real token.
    """

    base_model_prefix = "backbone"  # transformers and PEFT read this

    def __init__(self, pretrained: Pretrained, outputs: int, pool: str | None = None):
        super().__init__()
        # A model that combines an encoder and a decoder (EncoderDecoderModel) can only be loaded whole.
        encoder_decoder = pretrained.architecture == "encoder-decoder"
        auto_class = AutoModel if pretrained.has(AutoModel) or not encoder_decoder else AutoModelForSeq2SeqLM
        backbone = pretrained.load(auto_class, pretrained.configure())
        self.backbone = backbone.get_encoder() if encoder_decoder else backbone
        self.config = backbone.config
        self.pool = pool
        self.dropout = nn.Dropout(0.1)
        self.linear = nn.Linear(_hidden_size(self.backbone), outputs)
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def logits(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """[rows, tokens, outputs], or [rows, outputs] when pooled."""
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        if token_type_ids is not None:
            inputs["token_type_ids"] = token_type_ids
        states = self.backbone(**accepted(self.backbone, inputs)).last_hidden_state
        if self.pool == "mean":
            mask = attention_mask.unsqueeze(-1).to(states.dtype)
            states = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
        elif self.pool == "last":
            last = attention_mask.size(1) - 1 - attention_mask.flip(1).argmax(1)
            states = states[torch.arange(len(states), device=states.device), last]
        return self.linear(self.dropout(states))


class ClassifierOnBackbone(BackboneHead):
    """Classifies texts (pooled) or tokens (not pooled) with cross-entropy loss."""

    def __init__(self, pretrained: Pretrained, labels: Sequence[str], pool: str | None = None):
        super().__init__(pretrained, len(labels), pool)
        self.config.update(label_names(labels))

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> ModelOutput:
        logits = self.logits(input_ids, attention_mask, token_type_ids)
        output = ModelOutput(logits=logits)
        if labels is not None:
            output["loss"] = nn.functional.cross_entropy(
                logits.flatten(0, -2).float(), labels.flatten(), ignore_index=IGNORE
            )
        return output


class SpansOnBackbone(BackboneHead):
    """Scores each token as the start and as the end of an answer."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> ModelOutput:
        start, end = self.logits(input_ids, attention_mask, token_type_ids).float().unbind(-1)
        return ModelOutput(start_logits=start, end_logits=end)


@torch.no_grad()
def _hidden_size(backbone: PreTrainedModel) -> int:
    """The width of a backbone's output states, found by a forward pass: configurations do not agree on its name (OPT-350m)."""
    training = backbone.training
    backbone.eval()
    try:
        device = next(backbone.parameters()).device
        with library_errors():
            states = backbone(input_ids=torch.zeros(1, PROBE_TOKENS, dtype=torch.long, device=device)).last_hidden_state
        return states.shape[-1]
    except LibraryError:  # it needs more than tokens, or more of them
        config = backbone.config.get_text_config()
        return getattr(config, "d_model", None) or config.hidden_size
    finally:
        backbone.train(training)


def warm_started(pretrained: Pretrained, tokenizer: PreTrainedTokenizerBase, max_written: int) -> EncoderDecoderModel:
    """Combine the encoder with a decoder that starts from as many of its weights as possible.

    Where transformers has a causal class for the encoder's type, that is the decoder and only its cross-attention is new
    (BERT2BERT). Otherwise (DistilBERT, ModernBERT, DeBERTa…) the decoder is a plain post-norm Transformer of the encoder's
    width that takes over its word embeddings only.

    Args:
        max_written: the most tokens that the decoder will generate.
    """
    encoder = pretrained.load(AutoModel, pretrained.configure())
    decoder = _causal_decoder(pretrained, encoder) or _new_decoder(encoder, tokenizer, max_written)
    model = EncoderDecoderModel(encoder=encoder, decoder=decoder)
    model.config.decoder_start_token_id = _first_token_id(tokenizer, "cls", "bos", "pad")
    model.config.eos_token_id = _first_token_id(tokenizer, "eos", "sep", "pad")
    model.config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.decoder_start_token_id = model.config.decoder_start_token_id
    return model


def _causal_decoder(pretrained: Pretrained, encoder: PreTrainedModel) -> PreTrainedModel | None:
    """The same weights as a causal decoder with new cross-attention; None if transformers has no class that works."""
    if not pretrained.has(AutoModelForCausalLM):
        return None
    decoder = pretrained.load(AutoModelForCausalLM, pretrained.configure(is_decoder=True, add_cross_attention=True))
    return decoder if _attends_to_encoder(decoder, _hidden_size(encoder)) else None


@torch.no_grad()
def _attends_to_encoder(decoder: PreTrainedModel, width: int) -> bool:
    """Whether the encoder's states change the decoder's output: some causal classes take the argument and ignore it."""
    training = decoder.training
    decoder.eval()
    try:
        tokens = torch.zeros(1, 4, dtype=torch.long)
        states = (torch.zeros(1, 3, width), torch.ones(1, 3, width))
        with library_errors():
            first, second = (decoder(input_ids=tokens, encoder_hidden_states=each).logits for each in states)
        return not torch.equal(first, second)
    except LibraryError:
        return False  # it does not take the argument, or has no layers for it
    finally:
        decoder.train(training)


def _new_decoder(encoder: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_written: int) -> BertLMHeadModel:
    table = word_embeddings(encoder)
    embeddings = torch.empty(len(tokenizer), 0) if table is None else table.weight
    width = _hidden_size(encoder)
    heads = next(count for count in (width // 64, 8, 4, 2, 1) if count and width % count == 0)
    config = BertConfig(
        vocab_size=embeddings.shape[0],
        hidden_size=width,
        num_hidden_layers=min(NEW_DECODER_LAYERS, encoder.config.num_hidden_layers),
        num_attention_heads=heads,
        intermediate_size=4 * width,
        max_position_embeddings=max(512, max_written),
        is_decoder=True,
        add_cross_attention=True,
        pad_token_id=tokenizer.pad_token_id,
    )
    decoder = BertLMHeadModel(config)
    if embeddings.shape[1] == width:
        with torch.no_grad():
            decoder.get_input_embeddings().weight.copy_(embeddings)
    return decoder


def _first_token_id(tokenizer: PreTrainedTokenizerBase, *names: str) -> int:
    """The id of the first of these special tokens that the tokeniser has."""
    return next(value for name in names if (value := getattr(tokenizer, f"{name}_token_id")) is not None)
