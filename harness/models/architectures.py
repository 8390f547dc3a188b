"""Which architecture a configuration describes, told from `config.json` alone: the command line never imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.errors import BenchError

# `model_type` of transformers' text models. A type that is not here is told by the class names in the configuration.
ENCODERS = frozenset(
    "albert bert big_bird camembert canine convbert data2vec-text deberta deberta-v2 distilbert electra ernie esm eurobert "
    "flaubert fnet funnel ibert longformer luke megatron-bert mobilebert modernbert mpnet mra nomic_bert nystromformer "
    "rembert roberta roberta-prelayernorm roc_bert roformer squeezebert xlm xlm-roberta xlm-roberta-xl xmod yoso".split()
)
DECODERS = frozenset(
    "biogpt bloom codegen cohere cohere2 falcon gemma gemma2 gemma3_text glm gpt2 gpt_bigcode gpt_neo gpt_neox gptj granite "
    "helium llama mamba mamba2 ministral mistral modernbert-decoder mpt nemotron olmo olmo2 olmo3 openai-gpt opt phi phi3 "
    "qwen2 qwen3 rwkv smollm3 stablelm starcoder2 xglm xlnet".split()
)
ENCODER_DECODERS = frozenset(
    "bart bigbird_pegasus blenderbot blenderbot-small encoder-decoder fsmt led longt5 m2m_100 marian mbart mt5 mvp "
    "nllb-moe pegasus pegasus_x plbart prophetnet switch_transformers t5 t5gemma umt5".split()
)
# Their tokenisers are sentence-piece models with a vocabulary for each side; no fast version exists.
SLOW_TOKENIZERS = frozenset(
    ["marian", "fsmt", "blenderbot-small", "prophetnet", "xlm", "flaubert", "biogpt", "canine", "esm"]
)

# Kinds of models that share a recipe, by `model_type`; the rules are in harness/recipes.yaml.
KINDS = {
    "BERT": "bert distilbert mobilebert squeezebert roformer ernie megatron-bert",
    "RoBERTa": "roberta xlm-roberta xlm-roberta-xl camembert xmod mpnet roberta-prelayernorm",
    "DeBERTa": "deberta deberta-v2",
    "ELECTRA": "electra",
    "ALBERT": "albert",
    "ModernBERT": "modernbert eurobert modernbert-decoder",
    "GPT-2": "gpt2 openai-gpt gpt_neo opt bloom biogpt xglm",
    "Llama": "llama mistral ministral qwen2 qwen3 smollm3 gemma gemma2 gemma3_text olmo olmo2 olmo3 granite phi phi3 gpt_neox falcon",
    "T5": "t5 mt5 umt5 longt5",
    "BART": "bart mbart pegasus blenderbot m2m_100",
    "Marian": "marian",
}

_SUFFIXES = {
    "ForMaskedLM": "encoder",
    "ForPreTraining": "encoder",
    "ForCausalLM": "decoder",
    "LMHeadModel": "decoder",
    "ForConditionalGeneration": "encoder-decoder",
}


def kind_of(model_type: str) -> str:
    """The kind of models that a `model_type` belongs to; empty where none is known."""
    return next((kind for kind, types in KINDS.items() if model_type in types.split()), "")


def architecture_of(config: Mapping[str, Any], name: str) -> str:
    """`encoder`, `decoder` or `encoder-decoder`.

    Args:
        config: the contents of `config.json`.
        name: the model's name, for the error.

    Raises:
        BenchError: the configuration is of no kind of text model known here.
    """
    kind = str(config.get("model_type", ""))
    for known, architecture in ((ENCODERS, "encoder"), (DECODERS, "decoder"), (ENCODER_DECODERS, "encoder-decoder")):
        if kind in known:
            return architecture
    if not any(key.startswith("vision") or key.startswith("audio") for key in config):
        for class_name in config.get("architectures") or []:
            for suffix, architecture in _SUFFIXES.items():
                if class_name.endswith(suffix):
                    return architecture
    raise BenchError(
        f"model {name!r}: model_type {kind!r} is no text encoder, decoder or encoder-decoder known to bench; "
        "register it with its architecture through the entry-point group 'bench.models' (see docs/extending.md)"
    )
