"""Which tokeniser a checkpoint has, told from its JSON files and the names of the others: whether it is a fast one, and whether all
that it needs is there.

What `AutoTokenizer` of transformers decides, without importing it. Of a folder without a vocabulary it makes an empty one that
reads every word as unknown, and says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.util import find_spec
from typing import Any

from harness.errors import BenchError

GENERIC = "TokenizersBackend"  # what reads any tokenizer.json
MISTRAL = "MistralCommonBackend"  # takes its place for these types where the package mistral-common is installed
MISTRALS = frozenset("ministral ministral3 mistral mixtral".split())

# `model_type` -> the class that transformers has for it; a type that is not here has the generic one.
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
# Types whose files often name a wrong class, so that the type decides.
OVERRULED = frozenset(
    "ernie4_5 ernie4_5_moe hyperclovax internlm3 iquestcoder jamba minicpm3 minimax_m2 modernbert modernbert-decoder nemotron "
    "phi3 phimoe qwen2 qwen3_5_moe_text".split()
)
# Class -> the files of its vocabulary. The fast ones read tokenizer.json as well.
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
# Files that stand in for the vocabulary of any fast class.
ANY = ("tokenizer.json", "tokenizer.model", "tekken.json", "tiktoken.model")

# Class -> what it imports, by the name that pip knows it by.
PACKAGES = {
    **dict.fromkeys(["BioGptTokenizer", "FSMTTokenizer", "FlaubertTokenizer", "XLMTokenizer"], ("sacremoses",)),
    **dict.fromkeys(["CpmAntTokenizer", "CpmTokenizer", "RoFormerTokenizer"], ("rjieba",)),
    MISTRAL: ("mistral-common",),
}
JAPANESE = {"mecab": ("fugashi",), "sudachi": ("sudachipy",), "jumanpp": ("rhoknp",)}
DICTIONARIES = {"ipadic": "ipadic", "unidic": "unidic", "unidic_lite": "unidic-lite"}
MODULES = {"protobuf": "google.protobuf", "mistral-common": "mistral_common", "unidic-lite": "unidic_lite"}


class NoVocabulary(BenchError):
    """A checkpoint whose tokeniser has none of its files."""


def class_of(config: Mapping[str, Any], told: Mapping[str, Any], files: Collection[str] = ()) -> str:
    """The name of the tokeniser's class.

    Args:
        config: the contents of `config.json`.
        told: those of `tokenizer_config.json`; empty where there is none.
        files: the names of all files.
    """
    kind = str(config.get("model_type", ""))
    named = told.get("tokenizer_class") or config.get("tokenizer_class")
    declared = str(named).removesuffix("Fast") if named else None
    if kind == "encoder-decoder" and not declared:
        kind = str((config.get("encoder") or {}).get("model_type", ""))
    default = DEFAULTS.get(kind)
    mistral = kind in MISTRALS and "tekken.json" in files and installed("mistral-common")
    if declared and default and declared != default:
        chosen = default if kind in OVERRULED else declared
        if default != GENERIC and _known(chosen):
            return chosen
        return MISTRAL if mistral else GENERIC
    if declared:
        return declared if _known(declared) else GENERIC
    return MISTRAL if mistral else default or GENERIC


def check_tokenizer(
    config: Mapping[str, Any], told: Mapping[str, Any], files: Collection[str], name: str, trusted: bool = False
) -> bool:
    """Make sure that a checkpoint's tokeniser can be made of what is there.

    Args:
        config, told, files: as in `class_of`; without names of files, none is looked for.
        name: the model's, for the errors.
        trusted: whether code from the model's repository is run, which may bring a tokeniser of its own.

    Returns:
        Whether it is a fast one, which can tell the place of a token in the text.

    Raises:
        NoVocabulary: its files are not there.
        BenchError: a package is missing.
    """
    code = (told.get("auto_map") or {}) if trusted else {}
    own = code.get("AutoTokenizer") if isinstance(code, Mapping) else code
    if own:
        return not isinstance(own, list) or len(own) < 2 or own[1] is not None
    kind = class_of(config, told, files)
    fast = kind not in SLOW
    needed = (SLOW if kind in SLOW else FAST)[kind]
    if kind == "BertJapaneseTokenizer" and told.get("subword_tokenizer_type") == "sentencepiece":
        needed = ("spiece.model",)
    if files and needed + ANY * fast and not _readable(needed, files, fast):
        wanted = " and ".join(needed)
        wanted = (f"tokenizer.json, or {wanted}" if wanted else "tokenizer.json") if fast else wanted
        raise NoVocabulary(
            f"model {name!r}: no tokeniser in its folder ({kind} needs {wanted}); save it there with "
            "tokenizer.save_pretrained(folder), or choose a model that has one"
        )
    _check_packages(kind, told, files, name)
    return fast


def installed(package: str) -> bool:
    """Whether a package can be imported; nothing is."""
    try:
        return find_spec(MODULES.get(package, package)) is not None
    except ModuleNotFoundError:
        return False


def _readable(needed: tuple[str, ...], files: Collection[str], fast: bool) -> bool:
    if fast and any(file in files for file in ANY):
        return True
    return bool(needed) and all(file in files for file in needed)


def _check_packages(kind: str, told: Mapping[str, Any], files: Collection[str], name: str) -> None:
    packages = list(PACKAGES.get(kind, ()))
    needed = FAST.get(kind) or SLOW.get(kind) or ()
    pieces = [file for file in needed if file.endswith((".model", ".spm")) and (file in files or not files)]
    if pieces and (kind in SLOW or "tokenizer.json" not in files):
        # Marian's and its like read such a file as it is; the fast ones make a vocabulary of it.
        packages += ["sentencepiece", *(["protobuf"] if kind in FAST else [])]
    if kind in FAST and "tiktoken.model" in files and not any(file in files for file in ("tokenizer.json", *needed)):
        packages.append("tiktoken")
    if kind == "BertJapaneseTokenizer":
        words = str(told.get("word_tokenizer_type", "basic"))
        packages += JAPANESE.get(words, ())
        if words == "mecab":
            given = (told.get("mecab_kwargs") or {}).get("mecab_dic", "unidic_lite")
            packages += [DICTIONARIES[given]] if given in DICTIONARIES else []
    missing = [package for package in packages if not installed(package)]
    if missing:
        raise BenchError(
            f"model {name!r}: its tokeniser ({kind}) needs {' and '.join(missing)}, not installed here; run: "
            f"pip install {' '.join(missing)}"
        )


def _known(name: str) -> bool:
    return name in FAST or name in SLOW
