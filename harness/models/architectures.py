"""The architecture of a model, from its `config.json` alone: the command line never imports torch.

Models that cannot do text tasks are refused here by name; training them would end in an error far from the cause, or in a
meaningless score.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.errors import BenchError

# `model_type` of transformers' text models. For other types, the class names in the configuration decide.
# XLNet is an encoder: without the masks of its pre-training, each state sees the words after it, those to be generated too.
ENCODERS = frozenset(
    "albert bert bert-generation big_bird camembert canine convbert data2vec-text deberta deberta-v2 distilbert electra ernie "
    "esm esmc eurobert flaubert fnet funnel gte ibert jina_embeddings_v3 layoutlm lilt longformer luke megatron-bert mobilebert "
    "modernbert mpnet nomic_bert nystromformer openai_privacy_filter rembert roberta roberta-prelayernorm roc_bert roformer "
    "splinter squeezebert ultrabert xlm xlm-roberta xlm-roberta-xl xlnet xmod yoso".split()
)
DECODERS = frozenset(
    "afmoe apertus arcee aria_text axk1 axk2 bailing_hybrid bamba beam biogpt bitnet bloom codegen cohere cohere2 cohere2_moe "
    "cohere_compass_text ctrl cwm dbrx deepseek_v2 deepseek_v3 deepseek_v32 deepseek_v4 diffllama doge dots1 dots3_note_text "
    "ernie4_5 ernie4_5_moe exaone4 exaone_moe falcon falcon_h1 falcon_mamba flex_olmo flint gemma gemma2 gemma3_text "
    "gemma3n_text gemma4_text gemma4_unified_text glm glm4 glm4_moe glm4_moe_lite glm_moe_dsa gpt-sw3 gpt2 gpt_bigcode gpt_neo "
    "gpt_neox gpt_neox_japanese gpt_oss gptj granite granite_swa granitemoe granitemoe_swa granitemoehybrid granitemoeshared "
    "helium hrm_text hunyuan_v1_dense hunyuan_v1_moe hy_v3 hy_v4 hyperclovax inkling2_text inkling_text internlm3 iquestcoder "
    "jais2 jamba jetmoe kimi_linear kolibri1 laguna lfm2 lfm2_moe lfm3 llama llama4_text longcat_flash mamba mamba2 mellum "
    "mimo_v2_flash minicpm3 minimax minimax_m2 minimax_m3_vl_text ministral ministral3 mistral mixtral modernbert-decoder mpt "
    "nanochat nemotron nemotron_h olmo olmo2 olmo3 olmo_hybrid olmoe openai-gpt opt persimmon phi phi3 phimoe qwen2 qwen2_moe "
    "qwen3 qwen3_5_moe_text qwen3_5_text qwen3_moe qwen3_next qwen4_exp_text recurrent_gemma rwkv seed_oss smollm3 solar_open "
    "stablelm starcoder2 vaultgemma xglm xlstm youtu zamba zamba2 zaya".split()
)
ENCODER_DECODERS = frozenset(
    "bart bigbird_pegasus blenderbot blenderbot-small encoder-decoder fsmt led longt5 m2m_100 marian mbart mt5 mvp "
    "nllb-moe pegasus pegasus_x plbart prophetnet switch_transformers t5 t5gemma umt5".split()
)

# Types that look like text models in transformers, and why they are none.
SOUND, IMAGES, PAGES = "reads or writes sound", "reads images", "reads the places of words on a page, beside the words"
PROMPTS = "writes from the states of a larger model"
NO_TEXT = {
    **dict.fromkeys(
        "canary clvp cohere_asr csm dia gradium_phonon_tts higgs_audio_v2 kyutai_speech_to_text moonshine moonshine_streaming moshi "
        "musicgen musicgen_melody pocket_tts pop2piano seamless_m4t seamless_m4t_v2 speech_to_text speecht5 "
        "unispeech unispeech-sat wav2vec2 wav2vec2-conformer whisper".split(),
        SOUND,
    ),
    **dict.fromkeys(
        "chameleon emu3 flava fuyu hiera lxmert neomme pi0 t5gemma2 trocr videomae visual_bert vit_mae".split(), IMAGES
    ),
    **dict.fromkeys("bros layoutlmv2 layoutlmv3 layoutxlm markuplm tapas udop".split(), PAGES),
    **dict.fromkeys("gemma4_assistant gemma4_unified_assistant".split(), PROMPTS),
    "blt": "reads bytes that a second model has cut into pieces",
    "cpmant": "puts a prompt of its own before each text, so that its states are no longer those of the text's tokens",
    "dpr": "gives one vector for a text and no states of its tokens",
    "mistral4": "has no class in transformers that writes text",
    "mra": "computes its attention by a kernel for CUDA; without it, transformers gives zeros and no error",
    "perceiver": "gives the states of its latent vectors, not those of the text's tokens",
}
# Configurations inside that of a model with several parts, one of which may be a text model.
_PART = re.compile(r"(vision|audio|image|speech|vq|vlm|thinker|text)_config")

# Kinds of models that share a recipe: `model_type`s of each; the rules are in harness/recipes.yaml.
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
    """The kind that a `model_type` belongs to; empty if unknown."""
    return next((kind for kind, types in KINDS.items() if model_type in types.split()), "")


def architecture_of(config: Mapping[str, Any], name: str) -> str:
    """`encoder`, `decoder` or `encoder-decoder`, from the contents of `config.json`.

    Raises:
        BenchError: it is no known text model.
    """
    model_type = str(config.get("model_type", ""))
    if reason := _why_unfit(config, model_type):
        raise BenchError(
            f"model {name!r}: model_type {model_type!r} is no text model for bench: it {reason}; choose another model"
        )
    if model_type == "reformer":  # one type for two architectures
        return "decoder" if config.get("is_decoder") else "encoder"
    for types, architecture in ((ENCODERS, "encoder"), (DECODERS, "decoder"), (ENCODER_DECODERS, "encoder-decoder")):
        if model_type in types:
            return architecture
    for class_name in config.get("architectures") or []:
        for suffix, architecture in _SUFFIXES.items():
            if str(class_name).endswith(suffix):
                return architecture
    raise BenchError(
        f"model {name!r}: model_type {model_type!r} is no text encoder, decoder or encoder-decoder known to bench; "
        "register it with its architecture through the entry-point group 'bench.models' (see docs/extending.md)"
    )


def _why_unfit(config: Mapping[str, Any], model_type: str) -> str:
    """Why a model cannot do text tasks, as the end of a sentence; empty if no reason is known."""
    if model_type in NO_TEXT:
        return NO_TEXT[model_type]
    if model_type == "xmod" and not config.get("default_language"):
        return (
            "has layers for each language, and its config.json does not say which to use (set default_language to one of "
            f"{', '.join(map(str, config.get('languages') or ['en_XX']))})"
        )
    parts = [key for key, value in config.items() if _PART.fullmatch(key) and isinstance(value, Mapping)]
    if not parts or model_type in ENCODERS | DECODERS | ENCODER_DECODERS:
        return ""
    text_config = config.get("text_config")
    text_type = text_config.get("model_type") if isinstance(text_config, Mapping) else None
    hint = f"; its text part alone would be of model_type {text_type!r}" if text_type else ""
    return f"is made of several models, for images or sound beside text ({', '.join(parts)}){hint}"
