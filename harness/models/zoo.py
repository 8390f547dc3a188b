"""Names for well-known checkpoints on the Hugging Face Hub, with the facts that their files lack.

Sizes are those of model cards or papers. Models that were trained in bf16 may overflow in fp16, as T5's and mT5's feed-forward
layers do (transformers#4586, #9295); so does DeBERTa v3. Where a repository has pickled weights only, the revision is the one in
which the Hub's own bot offers them as safetensors.
"""

from __future__ import annotations

from functools import partial

from harness.model import Model

ENCODER, DECODER, ENCODER_DECODER = "encoder", "decoder", "encoder-decoder"
NO_FP16 = ("fp16",)
T5_PREFIX = "translate {source} to {target}: "  # T5 (Raffel et al. 2020, appendix D) and models made from it

_bert = partial(Model, architecture=ENCODER, kind="BERT", max_length=512)
_roberta = partial(Model, architecture=ENCODER, kind="RoBERTa", max_length=512)
_encoder = partial(Model, architecture=ENCODER, max_length=512)
_gpt2 = partial(Model, architecture=DECODER, kind="GPT-2", max_length=1024)
_smollm2 = partial(Model, architecture=DECODER, kind="SmolLM2", max_length=8192, avoid=NO_FP16)
_t5 = partial(Model, architecture=ENCODER_DECODER, kind="T5", max_length=512, avoid=NO_FP16, prefix=T5_PREFIX)

MODELS = [
    _bert("bert", "google-bert/bert-base-uncased", parameters=110_000_000, description="BERT base, English, uncased"),
    _bert("bert-cased", "google-bert/bert-base-cased", parameters=108_000_000,
        description="BERT base, English, cased: for names"),
    _bert("bert-large", "google-bert/bert-large-uncased", parameters=336_000_000,
        description="BERT large, English, uncased"),
    _bert("bert-chinese", "google-bert/bert-base-chinese", parameters=102_000_000,
        description="BERT base, Chinese, by character"),
    _bert("mbert", "google-bert/bert-base-multilingual-cased", parameters=178_000_000,
        description="BERT base, 104 languages, cased"),
    _bert("distilbert", "distilbert/distilbert-base-uncased", parameters=66_000_000,
        description="DistilBERT base, English, uncased"),
    _roberta("roberta", "FacebookAI/roberta-base", parameters=125_000_000, description="RoBERTa base, English"),
    _roberta("xlm-roberta", "FacebookAI/xlm-roberta-base", parameters=278_000_000,
        description="XLM-R base, 100 languages"),
    _encoder("deberta-v3", "microsoft/deberta-v3-base@refs/pr/4", kind="DeBERTa", parameters=184_000_000, avoid=NO_FP16,
        description="DeBERTa v3 base, English"),
    _encoder("electra-small", "google/electra-small-discriminator@refs/pr/2", kind="ELECTRA-small",
        parameters=14_000_000, description="ELECTRA small, English, uncased"),
    _encoder("electra-base", "google/electra-base-discriminator@refs/pr/4", kind="ELECTRA", parameters=110_000_000,
        description="ELECTRA base, English, uncased"),
    _encoder("albert", "albert/albert-base-v2", kind="ALBERT", parameters=12_000_000,
        description="ALBERT base v2, English, uncased: 12 layers share weights"),
    Model("modernbert", "answerdotai/ModernBERT-base", ENCODER, kind="ModernBERT", parameters=149_000_000,
        max_length=8192, description="ModernBERT base, English and code"),
    _gpt2("gpt2", "openai-community/gpt2", parameters=124_000_000, description="GPT-2 small, English"),
    _gpt2("gpt2-medium", "openai-community/gpt2-medium", parameters=355_000_000, description="GPT-2 medium, English"),
    _gpt2("distilgpt2", "distilbert/distilgpt2", parameters=82_000_000, description="DistilGPT2, English"),
    _smollm2("smollm2-135m", "HuggingFaceTB/SmolLM2-135M", parameters=135_000_000, description="SmolLM2 135M, English"),
    _smollm2("smollm2-360m", "HuggingFaceTB/SmolLM2-360M", parameters=362_000_000, description="SmolLM2 360M, English"),
    Model("qwen3-0.6b", "Qwen/Qwen3-0.6B-Base", DECODER, kind="Qwen3", parameters=596_000_000, max_length=32768,
        avoid=NO_FP16, description="Qwen3 0.6B base, 119 languages"),
    _t5("t5", "google-t5/t5-small", parameters=60_000_000, description="another name for t5-small"),
    _t5("t5-small", "google-t5/t5-small", parameters=60_000_000,
        description="T5 small, English; German, French and Romanian as targets"),
    _t5("t5-base", "google-t5/t5-base", parameters=223_000_000,
        description="T5 base, English; German, French and Romanian as targets"),
    _t5("flan-t5-base", "google/flan-t5-base", parameters=248_000_000,
        description="T5 base after instructions, mostly English"),
    Model("mt5-small", "google/mt5-small@6f9238ffa7de159b1245f899909bac7f40de53ae", ENCODER_DECODER, kind="T5",
        parameters=300_000_000, max_length=1024, avoid=NO_FP16, description="mT5 small, 101 languages; knows no prefix"),
    Model("bart-base", "facebook/bart-base", ENCODER_DECODER, kind="BART", parameters=139_000_000, max_length=1024,
        description="BART base, English"),
    Model("marian", "Helsinki-NLP/opus-mt-en-de", ENCODER_DECODER, kind="Marian", parameters=74_000_000, max_length=512,
        families=("translation",), description="Marian, English to German only; opus-mt-SOURCE-TARGET for other pairs"),
]  # fmt: skip
