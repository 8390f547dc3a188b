"""One small head of our own for backbones that the library has none for (BART's tokens; all three for Marian)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoModelForSeq2SeqLM, PreTrainedModel
from transformers.modeling_outputs import ModelOutput

from harness.heads.base import IGNORE, accepted, label_names
from harness.heads.unable import Unable, computing
from harness.models.load import Pretrained

PROBE = 16  # tokens


class BackboneHead(nn.Module):
    """Dropout and a linear layer on a backbone's hidden states.

    Encoder-decoders lend their encoder: every one of its states sees the whole text, and it costs half.

    Args:
        pretrained: the checkpoint.
        outputs: the size of the linear layer's output.
        pool: None to keep one output a token; "mean" over real tokens, "last" for the last real token.
    """

    base_model_prefix = "backbone"  # as transformers and PEFT ask it of models of their own

    def __init__(self, pretrained: Pretrained, outputs: int, pool: str | None = None):
        super().__init__()
        # A model that was put together of an encoder and a decoder (EncoderDecoderModel) can only be loaded whole.
        kind = AutoModel if pretrained.has(AutoModel) or pretrained.architecture != "encoder-decoder" else AutoModelForSeq2SeqLM
        backbone = pretrained.load(kind, pretrained.configure())
        self.backbone = backbone.get_encoder() if pretrained.architecture == "encoder-decoder" else backbone
        self.config = backbone.config
        self.pool = pool
        self.dropout = nn.Dropout(0.1)
        self.linear = nn.Linear(states_width(self.backbone), outputs)
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def logits(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """[rows, tokens, outputs], or [rows, outputs] when pooled."""
        given = {"input_ids": input_ids, "attention_mask": attention_mask}
        if token_type_ids is not None:
            given["token_type_ids"] = token_type_ids
        states = self.backbone(**accepted(self.backbone, given)).last_hidden_state
        if self.pool == "mean":
            mask = attention_mask.unsqueeze(-1).to(states.dtype)
            states = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
        elif self.pool == "last":
            last = attention_mask.size(1) - 1 - attention_mask.flip(1).argmax(1)
            states = states[torch.arange(len(states), device=states.device), last]
        return self.linear(self.dropout(states))


class ClassifierOnBackbone(BackboneHead):
    """For whole texts (pooled) or for tokens (not pooled): cross-entropy over classes, whose names its configuration keeps."""

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
    """Scores for the start and the end of an answer."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> ModelOutput:
        start, end = self.logits(input_ids, attention_mask, token_type_ids).float().unbind(-1)
        return ModelOutput(start_logits=start, end_logits=end)


@torch.no_grad()
def states_width(backbone: PreTrainedModel) -> int:
    """The size of the states that a backbone gives: asked of it, because configurations differ in what they call it (OPT-350m)."""
    mode = backbone.training
    backbone.eval()
    try:
        device = next(backbone.parameters()).device
        with computing():
            states = backbone(input_ids=torch.zeros(1, PROBE, dtype=torch.long, device=device)).last_hidden_state
        return states.shape[-1]
    except Unable:  # it needs more than tokens, or more of them
        config = backbone.config.get_text_config()
        return getattr(config, "d_model", None) or config.hidden_size
    finally:
        backbone.train(mode)
