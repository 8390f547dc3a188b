"""Multilingual translation models: generation starts as training does, in the languages of the task."""

import io
import json
import shutil

import pytest
import sentencepiece
import tiny
import torch
import transformers
from tokenizers import AddedToken

from harness.errors import BenchError
from harness.heads.text import TextHead
from harness.methods import METHODS
from harness.models.language_codes import _language_tokens, find_code
from harness.models.load import Pretrained
from harness.models.resolve import resolve
from harness.recipe import Recipe

ENGLISH_TO_GERMAN = {"source_language": "en", "target_language": "de"}
SIZE = {**tiny.BART, "decoder_start_token_id": 2, "max_length": 40}
NLLB = ["ace_Latn", "eng_Latn", "deu_Latn", "zho_Hans", "zho_Hant", "nob_Latn"]


def unigram(name, specials, more=()):
    letters = sorted({letter for word in tiny.WORDS for letter in word} | set("abcdefghijklmnopqrstuvwxyz"))
    pieces = list(dict.fromkeys([*specials, *("\u2581" + word for word in tiny.WORDS), "\u2581", *letters, *more]))
    vocabulary = [(piece, 0.0 if piece in specials else -3.0 - len(piece) / 100) for piece in pieces]
    kwargs = {"extra_special_tokens": [AddedToken(code, special=True) for code in more]} if more else {}
    return getattr(transformers, name)(vocab=vocabulary, **kwargs)


def nllb():
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *tiny.WORDS, *"abcdefghijklmnopqrstuvwxyz", "\u2581", *NLLB]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    return transformers.NllbTokenizer(vocab=vocabulary, merges=[], extra_special_tokens=NLLB)


def pieces_of(folder, *files):
    """Write a SentencePiece vocabulary into these files; return its pieces."""
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(tiny.TEXTS), model_writer=out, vocab_size=90, hard_vocab_limit=False, minloglevel=2
    )
    for file in files:
        (folder / file).write_bytes(out.getvalue())
    pieces = sentencepiece.SentencePieceProcessor(model_proto=out.getvalue())
    return [pieces.id_to_piece(number) for number in range(3, len(pieces))]


def marian(folder):
    names = ["</s>", "<unk>", *pieces_of(folder, "source.spm", "target.spm"), ">>deu<<", ">>nld<<", ">>swe<<", "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({name: number for number, name in enumerate(names)}))
    return transformers.MarianTokenizer(*(str(folder / file) for file in ("source.spm", "target.spm", "vocab.json")))


def m2m(folder):
    names = ["<s>", "<pad>", "</s>", "<unk>", *pieces_of(folder, "sentencepiece.bpe.model")]
    (folder / "vocab.json").write_text(json.dumps({name: number for number, name in enumerate(names)}))
    return transformers.M2M100Tokenizer(str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model"))


KINDS = {
    "mbart": ("mbart", lambda folder: unigram("MBartTokenizer", ["<s>", "<pad>", "</s>", "<unk>"])),
    "mbart50": ("mbart", lambda folder: unigram("MBart50Tokenizer", ["<s>", "<pad>", "</s>", "<unk>"])),
    "nllb": ("m2m_100", lambda folder: nllb()),
    "m2m100": ("m2m_100", m2m),
}


ALL = {**KINDS, "marian": ("marian", marian)}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}

    def folder(kind):
        if kind not in made:
            place = tmp_path_factory.mktemp(kind)
            model_type, tokeniser = ALL[kind]
            tokenizer = tokeniser(place)
            codes = _language_tokens(tokenizer).values()  # M2M100 counts them behind all that it calls its vocabulary
            rows = max(*tokenizer.get_vocab().values(), *map(tokenizer.convert_tokens_to_ids, codes), 0) + 1
            torch.manual_seed(1)
            config = transformers.AutoConfig.for_model(model_type, vocab_size=max(rows, len(tokenizer)), **SIZE)
            transformers.AutoModelForSeq2SeqLM.from_config(config).save_pretrained(place)
            tokenizer.save_pretrained(place)
            made[kind] = place
        return made[kind]

    return folder


def head(folder, options=ENGLISH_TO_GERMAN, **recipe):
    pretrained = Pretrained(resolve(str(folder)), METHODS["full"])
    return TextHead(pretrained, Recipe(**{"max_length": 32, "max_target_length": 12, **recipe}), None, options)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_generation_starts_as_training_does(kind, folders):
    one = head(folders(kind))
    model = one.build().eval()
    examples = [{"source": "the cat", "target": "die katze"}, {"source": "a dog is good", "target": "der hund"}]
    features = one.encode(examples, training=True)
    code = next(code for code in _language_tokens(one.tokenizer) if code.startswith("de"))
    german = one.tokenizer.convert_tokens_to_ids(_language_tokens(one.tokenizer)[code])
    assert german != one.tokenizer.unk_token_id
    batch = one.collate(features)
    labels = batch.pop("labels")
    taught, _ = one._teacher_forcing(model, batch, labels)
    asked = one.encode(examples, training=False)
    written = model.generate(**one.collate(asked))
    assert (written[:, 0] == taught["decoder_input_ids"][:, 0]).all()
    if kind == "mbart":  # starts from the language; the others write it first
        assert (written[:, 0] == german).all() and (labels[:, 0] != german).all()
        assert model.generation_config.forced_bos_token_id is None
    else:
        assert (written[:, 1] == german).all() and (labels[:, 0] == german).all()
    english = {
        one.tokenizer.convert_tokens_to_ids(token)
        for name, token in _language_tokens(one.tokenizer).items()
        if name.startswith("en")
    }
    assert all(english & set(feature.inputs["input_ids"]) for feature in asked)
    tokens = [one.tokenizer.convert_tokens_to_ids(token) for token in _language_tokens(one.tokenizer).values()]
    assert one.tokenizer.decode(tokens, skip_special_tokens=True).strip() == ""


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_loop_and_library_generate_the_same(kind, folders):
    one = head(folders(kind))
    model = one.build().eval()
    batch = one.collate(one.encode([{"source": "the cat"}, {"source": "a very good dog"}], training=False))
    assert one.loop
    ours, one.loop = one.predict(model, batch), False
    assert one.predict(model, batch) == ours


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"source_language": "en", "target_language": "tlh"},
            "does not know the target language 'tlh' of the task; it knows",
        ),
        ({"source_language": "tlh", "target_language": "de"}, "does not know the source language 'tlh'"),
        ({"target_language": "de"}, "has to be told the languages, and the task does not name them; add options"),
        ({}, "has to be told the languages"),
    ],
)
def test_errors_of_languages_are_one_line(kind, options, words, folders):
    with pytest.raises(BenchError, match=words) as found:
        head(folders(kind), options)
    assert "\n" not in str(found.value)


def test_a_token_without_an_embedding_is_refused(folders, tmp_path):
    place = shutil.copytree(folders("nllb"), tmp_path / "m")
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps({**config, "vocab_size": 40}))
    with pytest.raises(BenchError, match="but the model has 40 rows"):
        head(place)


def test_a_language_before_the_source_is_a_token(folders):
    one = head(folders("marian"))
    assert one._prefix() == ">>deu<< "
    features = one.encode([{"source": "the cat", "target": "die katze"}], training=True)
    german = one.tokenizer.convert_tokens_to_ids(">>deu<<")
    assert features[0].inputs["input_ids"][0] == german and german not in features[0].inputs["labels"]
    with pytest.raises(BenchError, match="does not know the target language 'fr' of the task; it knows deu, nld, swe"):
        head(folders("marian"), {"source_language": "en", "target_language": "fr"})


@pytest.mark.parametrize(
    ("codes", "wanted", "found"),
    [
        (NLLB, "de", "deu_Latn"),
        (NLLB, "zh", "zho_Hans"),
        (NLLB, "zh-TW", "zho_Hant"),
        (NLLB, "zh-Hant", "zho_Hant"),
        (NLLB, "zho_Hant", "zho_Hant"),
        (NLLB, "no", "nob_Latn"),
        (["en_XX", "pt_XX", "zh_CN"], "pt-BR", "pt_XX"),
        (["en", "zh"], "zh-TW", "zh"),
        (["fr", "fr_CA", "de"], "fr_CA", "fr_CA"),
    ],
)
def test_a_language_is_found_by_its_code(codes, wanted, found):
    assert find_code({code: code for code in codes}, {"target_language": wanted}, "target", "m") == found


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_models_without_language_tokens_need_no_languages(kind, checkpoints):
    one = head(checkpoints(kind), {})
    assert one.languages.target_token is None and one._prefix() == ""


@torch.no_grad()
@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_wrong_start_settings_of_a_checkpoint_are_corrected(kind, checkpoints, tmp_path):
    """Some have a start token or a forced first token that does not fit the labels that they are trained on."""
    place = shutil.copytree(checkpoints(kind), tmp_path / "m")
    given = {"decoder_start_token_id": 7, "forced_bos_token_id": 9, "eos_token_id": 1}
    (place / "generation_config.json").write_text(json.dumps(given))
    one = head(place, {})
    model = one.build().eval()
    labels = torch.tensor(one._target_ids(["the cat"]))
    start = int(model.prepare_decoder_input_ids_from_labels(labels)[0, 0])
    assert model.generation_config.decoder_start_token_id == start != 7
    assert model.generation_config.forced_bos_token_id is None


@torch.no_grad()
def test_a_forced_first_token_that_the_labels_have_stays(checkpoints, tmp_path):
    place = shutil.copytree(checkpoints("bart"), tmp_path / "m")
    (place / "generation_config.json").write_text('{"decoder_start_token_id": 2, "forced_bos_token_id": 0}')
    assert head(place, {}).build().generation_config.forced_bos_token_id == 0
