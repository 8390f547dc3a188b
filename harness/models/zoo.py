"""Names for well-known checkpoints on the Hugging Face Hub, with what must be known of each. Data only.

Sizes are those of the checkpoints' cards or papers. What was trained in bf16 may overflow in fp16, as T5's and mT5's
feed-forward layers do (transformers#4586, #9295); so does DeBERTa v3. Where a repository has weights in pickled form only,
the revision is the one in which the Hub's own bot offers them as safetensors.
"""

from __future__ import annotations

from harness.model import Model

ENCODER, DECODER, BOTH = "encoder", "decoder", "encoder-decoder"
NO_HALF = ("fp16",)
ASKS = "translate {source} to {target}: "  # T5 (Raffel et al. 2020, appendix D) and those made from it

MODELS = [
    Model(
        "bert", "google-bert/bert-base-uncased", ENCODER, kind="BERT", parameters=110_000_000, max_length=512,
        description="BERT base, English, uncased",
    ),
    Model(
        "bert-cased", "google-bert/bert-base-cased", ENCODER, kind="BERT", parameters=108_000_000, max_length=512,
        description="BERT base, English, cased: for names",
    ),
    Model(
        "bert-large", "google-bert/bert-large-uncased", ENCODER, kind="BERT", parameters=336_000_000, max_length=512,
        description="BERT large, English, uncased",
    ),
    Model(
        "bert-chinese", "google-bert/bert-base-chinese", ENCODER, kind="BERT", parameters=102_000_000, max_length=512,
        description="BERT base, Chinese, by character",
    ),
    Model(
        "mbert", "google-bert/bert-base-multilingual-cased", ENCODER, kind="BERT", parameters=178_000_000, max_length=512,
        description="BERT base, 104 languages, cased",
    ),
    Model(
        "distilbert", "distilbert/distilbert-base-uncased", ENCODER, kind="BERT", parameters=66_000_000, max_length=512,
        description="DistilBERT base, English, uncased",
    ),
    Model(
        "roberta", "FacebookAI/roberta-base", ENCODER, kind="RoBERTa", parameters=125_000_000, max_length=512,
        description="RoBERTa base, English",
    ),
    Model(
        "xlm-roberta", "FacebookAI/xlm-roberta-base", ENCODER, kind="RoBERTa", parameters=278_000_000, max_length=512,
        description="XLM-R base, 100 languages",
    ),
    Model(
        "deberta-v3", "microsoft/deberta-v3-base@refs/pr/4", ENCODER, kind="DeBERTa", parameters=184_000_000,
        max_length=512, avoid=NO_HALF, description="DeBERTa v3 base, English",
    ),
    Model(
        "electra-small", "google/electra-small-discriminator@refs/pr/2", ENCODER, kind="ELECTRA-small",
        parameters=14_000_000, max_length=512, description="ELECTRA small, English, uncased",
    ),
    Model(
        "electra-base", "google/electra-base-discriminator@refs/pr/4", ENCODER, kind="ELECTRA", parameters=110_000_000,
        max_length=512, description="ELECTRA base, English, uncased",
    ),
    Model(
        "albert", "albert/albert-base-v2", ENCODER, kind="ALBERT", parameters=12_000_000, max_length=512,
        description="ALBERT base v2, English, uncased: 12 layers share weights",
    ),
    Model(
        "modernbert", "answerdotai/ModernBERT-base", ENCODER, kind="ModernBERT", parameters=149_000_000, max_length=8192,
        description="ModernBERT base, English and code",
    ),
    Model(
        "gpt2", "openai-community/gpt2", DECODER, kind="GPT-2", parameters=124_000_000, max_length=1024,
        description="GPT-2 small, English",
    ),
    Model(
        "gpt2-medium", "openai-community/gpt2-medium", DECODER, kind="GPT-2", parameters=355_000_000, max_length=1024,
        description="GPT-2 medium, English",
    ),
    Model(
        "distilgpt2", "distilbert/distilgpt2", DECODER, kind="GPT-2", parameters=82_000_000, max_length=1024,
        description="DistilGPT2, English",
    ),
    Model(
        "smollm2-135m", "HuggingFaceTB/SmolLM2-135M", DECODER, kind="SmolLM2", parameters=135_000_000, max_length=8192,
        avoid=NO_HALF, description="SmolLM2 135M, English",
    ),
    Model(
        "smollm2-360m", "HuggingFaceTB/SmolLM2-360M", DECODER, kind="SmolLM2", parameters=362_000_000, max_length=8192,
        avoid=NO_HALF, description="SmolLM2 360M, English",
    ),
    Model(
        "qwen3-0.6b", "Qwen/Qwen3-0.6B-Base", DECODER, kind="Qwen3", parameters=596_000_000, max_length=32768,
        avoid=NO_HALF, description="Qwen3 0.6B base, 119 languages",
    ),
    Model(
        "t5", "google-t5/t5-small", BOTH, kind="T5", parameters=60_000_000, max_length=512, avoid=NO_HALF, prefix=ASKS,
        description="another name for t5-small",
    ),
    Model(
        "t5-small", "google-t5/t5-small", BOTH, kind="T5", parameters=60_000_000, max_length=512, avoid=NO_HALF, prefix=ASKS,
        description="T5 small, English; German, French and Romanian as targets",
    ),
    Model(
        "t5-base", "google-t5/t5-base", BOTH, kind="T5", parameters=223_000_000, max_length=512, avoid=NO_HALF, prefix=ASKS,
        description="T5 base, English; German, French and Romanian as targets",
    ),
    Model(
        "flan-t5-base", "google/flan-t5-base", BOTH, kind="T5", parameters=248_000_000, max_length=512, avoid=NO_HALF,
        prefix=ASKS, description="T5 base after instructions, mostly English",
    ),
    Model(
        "mt5-small", "google/mt5-small@6f9238ffa7de159b1245f899909bac7f40de53ae", BOTH, kind="T5", parameters=300_000_000,
        max_length=1024, avoid=NO_HALF, description="mT5 small, 101 languages; knows no prefix",
    ),
    Model(
        "bart-base", "facebook/bart-base", BOTH, kind="BART", parameters=139_000_000, max_length=1024,
        description="BART base, English",
    ),
    Model(
        "marian", "Helsinki-NLP/opus-mt-en-de", BOTH, families=("translation",), kind="Marian", parameters=74_000_000,
        max_length=512, description="Marian, English to German only; opus-mt-SOURCE-TARGET for other pairs",
    ),
]  # fmt: skip
