"""Names for well-known checkpoints on the Hugging Face Hub."""

from __future__ import annotations

from harness.model import Model

MODELS = [
    Model("bert", "google-bert/bert-base-uncased", "encoder", description="BERT base, uncased, 110M"),
    Model("distilbert", "distilbert/distilbert-base-uncased", "encoder", description="DistilBERT base, uncased, 66M"),
    Model("roberta", "FacebookAI/roberta-base", "encoder", description="RoBERTa base, 125M"),
    Model("gpt2", "openai-community/gpt2", "decoder", description="GPT-2 small, 124M"),
    Model("t5", "google-t5/t5-small", "encoder-decoder", description="T5 small, 60M"),
]
