"""Which tokeniser a checkpoint has, whether it is fast, and whether its files and packages are there.

Makes the choice of transformers' `AutoTokenizer` from JSON files and the names of other files, without importing it. For a
folder without a vocabulary, `AutoTokenizer` silently makes an empty one that reads every word as unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.util import find_spec
from typing import Any

from harness.errors import BenchError

GENERIC = "TokenizersBackend"  # reads any tokenizer.json
MISTRAL = "MistralCommonBackend"  # replaces it for these types if the package mistral-common is installed
MISTRALS = frozenset("ministral ministral3 mistral mixtral".split())

# `model_type` -> the class in transformers; other types have the generic class.
DEFAULTS = {
    kind: name
    for name, kinds in {
        "AlbertTokenizer": "albert yoso",
        "BertGenerationTokenizer": "bert-generation",
        "BertTokenizer": "bert convbert distilbert electra ernie layoutlm megatron-bert nomic_bert squeezebert",
        "BigBirdTokenizer": "big_bird",
        "BioGptTokenizer": "biogpt",
        "BlenderbotSmallTokenizer": "blenderbot-small",
        "BlenderbotTokenizer": "blenderbot",
        "CTRLTokenizer": "ctrl",
        "CamembertTokenizer": "camembert",
        "CanineTokenizer": "canine",
        "CohereTokenizer": "cohere cohere2",
        "DebertaTokenizer": "deberta",
        "DebertaV2Tokenizer": "deberta-v2",
        "EsmTokenizer": "esm",
        "EsmcTokenizer": "esmc",
        "FNetTokenizer": "fnet",
        "FSMTTokenizer": "fsmt",
        "FlaubertTokenizer": "flaubert",
        "FunnelTokenizer": "funnel",
        "GPT2Tokenizer": "codegen dbrx gpt2 gpt_neo gptj jais2 opt phi starcoder2",
        "GPTNeoXJapaneseTokenizer": "gpt_neox_japanese",
        "GPTNeoXTokenizer": "falcon_mamba gpt_neox mamba mamba2 mpt olmo olmoe rwkv xlstm",
        "GPTSw3Tokenizer": "gpt-sw3",
        "GemmaTokenizer": "gemma gemma2 gemma3_text gemma3n_text recurrent_gemma t5gemma zaya",
        "LEDTokenizer": "led",
        "LukeTokenizer": "luke",
        "M2M100Tokenizer": "m2m_100",
        "MBartTokenizer": "mbart",
        "MPNetTokenizer": "mpnet",
        "MarianTokenizer": "marian",
        "MobileBertTokenizer": "mobilebert",
        "MvpTokenizer": "mvp",
        "NllbTokenizer": "nllb-moe",
        "OpenAIGPTTokenizer": "openai-gpt",
        "PLBartTokenizer": "plbart",
        "PegasusTokenizer": "pegasus",
        "ProphetNetTokenizer": "prophetnet",
        "Qwen2Tokenizer": "qwen2 qwen2_moe qwen3 qwen3_moe qwen3_next",
        "Qwen3_5Tokenizer": "qwen3_5_moe_text qwen3_5_text",
        "ReformerTokenizer": "reformer",
        "RemBertTokenizer": "rembert",
        "RoCBertTokenizer": "roc_bert",
        "RoFormerTokenizer": "roformer",
        "RobertaTokenizer": "bart data2vec-text ibert lilt longformer roberta roberta-prelayernorm",
        "SplinterTokenizer": "splinter",
        "T5Tokenizer": "mt5 switch_transformers t5",
        "TokenizersBackend": "beam bigbird_pegasus ernie4_5 ernie4_5_moe flex_olmo glm glm4 glm4_moe glm4_moe_lite gpt_bigcode "
        "granite granitemoe granitemoehybrid granitemoeshared hyperclovax internlm3 iquestcoder jamba kimi_linear mimo_v2_flash "
        "minicpm3 minimax_m2 ministral ministral3 mistral mixtral modernbert modernbert-decoder nemotron nystromformer olmo2 "
        "olmo3 olmo_hybrid pegasus_x persimmon phi3 phimoe stablelm umt5 xlm-roberta-xl",
        "XGLMTokenizer": "xglm",
        "XLMRobertaTokenizer": "gte jina_embeddings_v3 xlm-roberta xmod",
        "XLMTokenizer": "xlm",
        "XLNetTokenizer": "xlnet",
    }.items()
    for kind in kinds.split()
}
# Types whose files often name a wrong class, so that the type takes precedence.
OVERRULED = frozenset(
    "ernie4_5 ernie4_5_moe hyperclovax internlm3 iquestcoder jamba minicpm3 minimax_m2 modernbert modernbert-decoder nemotron "
    "phi3 phimoe qwen2 qwen3_5_moe_text".split()
)
# Class -> the files of its vocabulary. Fast classes read tokenizer.json as well.
FAST = {
    name: tuple(files.split())
    for files, names in {
        "": "Esmc Gemma Siglip2 XGLM",
        "vocab.txt": "Bert ConvBert DPRContextEncoder DPRQuestionEncoder DPRReader DistilBert Electra Funnel LayoutLM Lxmert MPNet "
        "MobileBert RoFormer Splinter SqueezeBert",
        "vocab.json merges.txt": "Bart Blenderbot CLIP CodeGen Cohere Deberta GPT2 GPTNeoX Herbert LED Longformer Luke Mvp Nougat "
        "OpenAIGPT Qwen2 Roberta Whisper",
        "spiece.model": "Albert BigBird FNet Lasr Pegasus Reformer T5 Udop VideoPrism XLNet",
        "sentencepiece.bpe.model": "Barthez Camembert MBart MBart50 MLuke Nllb SeamlessM4T XLMRoberta",
        "spm.model": "DebertaV2",
        "sentencepiece.model": "RemBert",
        "tokenizer.model": "CodeLlama Llama Parakeet Phi3 Qwen3_5 Tipsv2",
    }.items()
    for name in (f"{short}Tokenizer" for short in names.split())
} | {GENERIC: ("tokenizer.model",)}
SLOW = {
    name: tuple(files.split())
    for files, names in {
        "": "ByT5 Canine Dia Perceiver",
        "vocab.txt": "BertJapanese CpmAnt Esm Tapas",
        "vocab.txt bpe.codes": "Bertweet Phobert",
        "vocab.txt emoji.json": "GPTNeoXJapanese",
        "vocab.txt word_shape.json word_pronunciation.json": "RoCBert",
        "vocab.json": "FastSpeech2Conformer Mgpstr Vits Wav2Vec2CTC Wav2Vec2PhonemeCTC",
        "vocab.json merges.txt": "BioGpt BlenderbotSmall CTRL Clvp Flaubert XLM",
        "vocab-src.json vocab-tgt.json merges.txt": "FSMT",
        "vocab.json sentencepiece.bpe.model": "M2M100 Speech2Text",
        "vocab.json source.spm target.spm": "Marian",
        "byte_maps.json": "MyT5",
        "sentencepiece.bpe.model": "PLBart",
        "sentencepiece.bpe.model dict.txt": "Bartpho",
        "spiece.model": "BertGeneration Cpm GPTSw3 Siglip",
        "spm_char.model": "SpeechT5",
        "prophetnet.tokenizer": "ProphetNet",
    }.items()
    for name in (f"{short}Tokenizer" for short in names.split())
} | {MISTRAL: ("tekken.json",)}
# Files that replace the vocabulary of any fast class.
ANY = ("tokenizer.json", "tokenizer.model", "tekken.json", "tiktoken.model")

# Class -> the packages that it imports, by their names on PyPI.
PACKAGES = {
    **dict.fromkeys(["BioGptTokenizer", "FSMTTokenizer", "FlaubertTokenizer", "XLMTokenizer"], ("sacremoses",)),
    **dict.fromkeys(["CpmAntTokenizer", "CpmTokenizer", "RoFormerTokenizer"], ("rjieba",)),
    MISTRAL: ("mistral-common",),
}
JAPANESE = {"mecab": ("fugashi",), "sudachi": ("sudachipy",), "jumanpp": ("rhoknp",)}
DICTIONARIES = {"ipadic": "ipadic", "unidic": "unidic", "unidic_lite": "unidic-lite"}
MODULES = {"protobuf": "google.protobuf", "mistral-common": "mistral_common", "unidic-lite": "unidic_lite"}


class NoVocabulary(BenchError):
    """A checkpoint has none of its tokeniser's files."""


def tokenizer_class(
    config: Mapping[str, Any], tokenizer_config: Mapping[str, Any], files: Collection[str] = ()
) -> str:
    """The name of the tokeniser's class.

    Args:
        config: contents of `config.json`.
        tokenizer_config: contents of `tokenizer_config.json`; empty if there is none.
        files: names of all files.
    """
    model_type = str(config.get("model_type", ""))
    name = tokenizer_config.get("tokenizer_class") or config.get("tokenizer_class")
    declared = str(name).removesuffix("Fast") if name else None
    if model_type == "encoder-decoder" and not declared:
        model_type = str((config.get("encoder") or {}).get("model_type", ""))
    default = DEFAULTS.get(model_type)
    mistral = model_type in MISTRALS and "tekken.json" in files and is_installed("mistral-common")
    if declared and default and declared != default:
        chosen = default if model_type in OVERRULED else declared
        if default != GENERIC and _is_known(chosen):
            return chosen
        return MISTRAL if mistral else GENERIC
    if declared:
        return declared if _is_known(declared) else GENERIC
    return MISTRAL if mistral else default or GENERIC


def check_tokenizer(
    config: Mapping[str, Any],
    tokenizer_config: Mapping[str, Any],
    files: Collection[str],
    name: str,
    trusted: bool = False,
) -> bool:
    """Check that a checkpoint's tokeniser can be loaded.

    Args:
        config, tokenizer_config, files: as in `tokenizer_class`; without names of files, none is checked.
        trusted: whether code from the model's repository is run, which may bring a tokeniser of its own.

    Returns:
        Whether it is a fast tokeniser, which can map tokens to the text.

    Raises:
        NoVocabulary: its files are missing.
        BenchError: a package is missing.
    """
    code = (tokenizer_config.get("auto_map") or {}) if trusted else {}
    custom = code.get("AutoTokenizer") if isinstance(code, Mapping) else code
    if custom:
        return not isinstance(custom, list) or len(custom) < 2 or custom[1] is not None
    kind = tokenizer_class(config, tokenizer_config, files)
    fast = kind not in SLOW
    vocabulary = (FAST if fast else SLOW)[kind]
    if kind == "BertJapaneseTokenizer" and tokenizer_config.get("subword_tokenizer_type") == "sentencepiece":
        vocabulary = ("spiece.model",)
    complete = bool(vocabulary) and all(file in files for file in vocabulary)
    complete = complete or (fast and any(file in files for file in ANY))
    if files and (vocabulary or fast) and not complete:
        needed = " and ".join(vocabulary)
        needed = (f"tokenizer.json, or {needed}" if needed else "tokenizer.json") if fast else needed
        raise NoVocabulary(
            f"model {name!r}: no tokeniser in its folder ({kind} needs {needed}); save it there with "
            "tokenizer.save_pretrained(folder), or choose a model that has one"
        )
    _check_packages(kind, tokenizer_config, files, name)
    return fast


def _check_packages(kind: str, tokenizer_config: Mapping[str, Any], files: Collection[str], name: str) -> None:
    packages = list(PACKAGES.get(kind, ()))
    vocabulary = FAST.get(kind) or SLOW.get(kind) or ()
    pieces = [file for file in vocabulary if file.endswith((".model", ".spm")) and (file in files or not files)]
    if pieces and (kind in SLOW or "tokenizer.json" not in files):
        # Slow tokenisers such as Marian's use such a file as it is; fast ones convert it into a vocabulary.
        packages += ["sentencepiece", *(["protobuf"] if kind in FAST else [])]
    if kind in FAST and "tiktoken.model" in files and not any(file in files for file in ("tokenizer.json", *vocabulary)):
        packages.append("tiktoken")
    if kind == "BertJapaneseTokenizer":
        splitter = str(tokenizer_config.get("word_tokenizer_type", "basic"))
        packages += JAPANESE.get(splitter, ())
        if splitter == "mecab":
            dictionary = (tokenizer_config.get("mecab_kwargs") or {}).get("mecab_dic", "unidic_lite")
            packages += [DICTIONARIES[dictionary]] if dictionary in DICTIONARIES else []
    missing = [package for package in packages if not is_installed(package)]
    if missing:
        raise BenchError(
            f"model {name!r}: its tokeniser ({kind}) needs {' and '.join(missing)}, not installed here; run: "
            f"pip install {' '.join(missing)}"
        )


def is_installed(package: str) -> bool:
    """Whether a package can be imported, without importing it."""
    try:
        return find_spec(MODULES.get(package, package)) is not None
    except ModuleNotFoundError:
        return False


def _is_known(name: str) -> bool:
    return name in FAST or name in SLOW
