"""Fast tokenizers of the three bundled models, trained on the pre-training text. Each has all English letters."""

import json
import string
from collections.abc import Iterator

from tokenizers import BertWordPieceTokenizer, ByteLevelBPETokenizer, SentencePieceUnigramTokenizer
from tokenizers.processors import ByteLevel, Sequence, TemplateProcessing
from transformers import BertTokenizerFast, GPT2TokenizerFast, PreTrainedTokenizerFast

VOCABULARY, POSITIONS = 3400, 256
SENTINELS = [f"<extra_id_{number}>" for number in range(24)]
ALPHABET = [*string.ascii_letters, *string.digits, *string.punctuation, *"äöüÄÖÜß"]


def word_piece(texts: Iterator[str]) -> BertTokenizerFast:
    """A cased WordPiece vocabulary."""
    trained = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    trained.train_from_iterator(
        texts, vocab_size=VOCABULARY, min_frequency=2, initial_alphabet=ALPHABET, show_progress=False
    )
    vocabulary = dict(sorted(trained.get_vocab().items(), key=lambda pair: pair[1]))
    return BertTokenizerFast(vocab=vocabulary, do_lower_case=False, strip_accents=False, model_max_length=POSITIONS)


def byte_pairs(texts: Iterator[str]) -> GPT2TokenizerFast:
    """Byte-level BPE. Every word starts with a blank, also the first, and every text with `<bos>`."""
    trained = ByteLevelBPETokenizer(add_prefix_space=True)
    special = ["<pad>", "<bos>", "<eos>", "<sep>"]
    trained.train_from_iterator(
        texts, vocab_size=VOCABULARY, min_frequency=2, special_tokens=special, show_progress=False
    )
    model = json.loads(trained.to_str())["model"]
    fast = GPT2TokenizerFast(
        vocab=model["vocab"], merges=[tuple(pair) for pair in model["merges"]], add_prefix_space=True, pad_token="<pad>",
        bos_token="<bos>", eos_token="<eos>", unk_token="<eos>", sep_token="<sep>", model_max_length=POSITIONS,
    )  # fmt: skip
    begin = TemplateProcessing("<bos> $A", "<bos> $A $B", [("<bos>", fast.bos_token_id)])
    fast.backend_tokenizer.post_processor = Sequence([ByteLevel(trim_offsets=True), begin])
    return fast


def unigram(texts: Iterator[str]) -> PreTrainedTokenizerFast:
    """A unigram vocabulary with sentinels `<extra_id_0>`, …. Every text ends with an end token."""
    trained = SentencePieceUnigramTokenizer()
    trained.train_from_iterator(texts, vocab_size=VOCABULARY, show_progress=False, unk_token="<unk>", initial_alphabet=ALPHABET,
                                special_tokens=["<pad>", "</s>", "<unk>", *SENTINELS])  # fmt: skip
    trained._tokenizer.post_processor = TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=trained._tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>",
        additional_special_tokens=SENTINELS, model_max_length=POSITIONS,
    )  # fmt: skip
