"""Tokenisers, architectures and training objectives of the three bundled models; `OBJECTIVES` maps a kind to its own.

An objective has `tokenizer(texts)`, `model(tokenizer)`, `encode(document)`, `batch(examples, rng)` and `loss(model, batch)`.
"""

import random
from collections.abc import Iterator

import torch
from tokenizers import ByteLevelBPETokenizer, BertWordPieceTokenizer, SentencePieceUnigramTokenizer
from tokenizers.processors import TemplateProcessing
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    BertConfig, BertForPreTraining, BertTokenizerFast, GPT2Config, GPT2LMHeadModel, GPT2TokenizerFast,
    PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration,
)  # fmt: skip

VOCABULARY, WIDTH, HEADS, POSITIONS = 2600, 128, 4, 256
IGNORED = -100
Document = list[str]


def _pad(rows: list[list[int]], value: int) -> torch.Tensor:
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=value)


class Bert:
    """Masked words and next sentence (Devlin et al. 2019, arXiv 1810.04805); 20 % masked, a third of the pairs false."""

    name, title = "bert-mini", "masked language modelling and next-sentence prediction"

    def tokenizer(self, texts: Iterator[str]) -> BertTokenizerFast:
        """A cased WordPiece vocabulary."""
        trained = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
        trained.train_from_iterator(texts, vocab_size=VOCABULARY, min_frequency=2, show_progress=False)
        vocabulary = dict(sorted(trained.get_vocab().items(), key=lambda pair: pair[1]))
        return BertTokenizerFast(vocab=vocabulary, do_lower_case=False, strip_accents=False, model_max_length=POSITIONS)

    def model(self, tokenizer: BertTokenizerFast) -> BertForPreTraining:
        """Three post-norm encoder layers."""
        self.words = tokenizer
        return BertForPreTraining(
            BertConfig(vocab_size=len(tokenizer), hidden_size=WIDTH, num_hidden_layers=3, num_attention_heads=HEADS,
                       intermediate_size=4 * WIDTH, max_position_embeddings=POSITIONS, hidden_dropout_prob=0.0,
                       attention_probs_dropout_prob=0.0, pad_token_id=tokenizer.pad_token_id)
        )  # fmt: skip

    def encode(self, document: Document) -> list[list[int]]:
        """The ids of every sentence."""
        return self.words(document, add_special_tokens=False)["input_ids"]

    def batch(self, examples: list[list[list[int]]], rng: random.Random) -> dict[str, torch.Tensor]:
        """Pairs of segments with masked ids; the second segment comes from another document in a third of them."""
        cls, sep, mask = self.words.cls_token_id, self.words.sep_token_id, self.words.mask_token_id
        ids, segments, labels, following = [], [], [], []
        for document in examples:
            cut = rng.randint(1, len(document) - 1) if len(document) > 1 else 1
            first, second, label = document[:cut], document[cut:], 0 if cut < len(document) else IGNORED
            if second and rng.random() < 0.33:
                second, label = rng.choice(examples), 1
                second = second[1:] or second
            one, two = [cls, *sum(first, []), sep], [*sum(second, []), sep] if second else []
            row = (one + two)[:POSITIONS]
            chosen = [token not in (cls, sep) and rng.random() < 0.2 for token in row]
            labels.append([token if hide else IGNORED for token, hide in zip(row, chosen)])
            ids.append([self._hide(token, mask, rng) if hide else token for token, hide in zip(row, chosen)])
            segments.append(([0] * len(one) + [1] * len(two))[:POSITIONS])
            following.append(label)
        padded = _pad(ids, self.words.pad_token_id)
        return {"input_ids": padded, "token_type_ids": _pad(segments, 0), "attention_mask": (padded != self.words.pad_token_id).long(),
                "labels": _pad(labels, IGNORED), "following": torch.tensor(following)}  # fmt: skip

    def _hide(self, token: int, mask: int, rng: random.Random) -> int:
        chance = rng.random()
        return mask if chance < 0.8 else rng.randrange(5, len(self.words)) if chance < 0.9 else token

    def loss(self, model: BertForPreTraining, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss to train on and the mean negative log-likelihood of the masked words."""
        labels, following = batch.pop("labels"), batch.pop("following")
        states = model.bert(**batch)
        chosen = labels != IGNORED
        words = cross_entropy(model.cls.predictions(states.last_hidden_state[chosen]), labels[chosen])
        pairs = cross_entropy(model.cls.seq_relationship(states.pooler_output), following, ignore_index=IGNORED)
        return words + torch.nan_to_num(pairs), words.detach()


class Gpt2:
    """Next words (Radford et al. 2019) over one document at a time."""

    name, title = "gpt2-mini", "causal language modelling"

    def tokenizer(self, texts: Iterator[str]) -> GPT2TokenizerFast:
        """Byte-level BPE; every word begins with a blank, the first too."""
        trained = ByteLevelBPETokenizer(add_prefix_space=True)
        special = ["<pad>", "<bos>", "<eos>", "<sep>"]
        trained.train_from_iterator(
            texts, vocab_size=VOCABULARY, min_frequency=2, special_tokens=special, show_progress=False
        )
        vocabulary, merges = _parts(trained)
        return GPT2TokenizerFast(vocab=vocabulary, merges=merges, add_prefix_space=True, pad_token="<pad>", bos_token="<bos>",
                                 eos_token="<eos>", unk_token="<eos>", sep_token="<sep>", model_max_length=POSITIONS)  # fmt: skip

    def model(self, tokenizer: GPT2TokenizerFast) -> GPT2LMHeadModel:
        """Three pre-norm decoder layers, tied embeddings."""
        self.words = tokenizer
        return GPT2LMHeadModel(
            GPT2Config(vocab_size=len(tokenizer), n_embd=WIDTH, n_layer=3, n_head=HEADS, n_positions=POSITIONS,
                       activation_function="gelu_pytorch_tanh", resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=tokenizer.bos_token_id,
                       eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
        )  # fmt: skip

    def encode(self, document: Document) -> list[int]:
        """The ids of the document between the tokens for beginning and end."""
        ids = self.words(" ".join(document), add_special_tokens=False)["input_ids"]
        return [self.words.bos_token_id, *ids, self.words.eos_token_id][:POSITIONS]

    def batch(self, examples: list[list[int]], rng: random.Random) -> dict[str, torch.Tensor]:
        """Padded ids and the labels that follow them."""
        padded = _pad(examples, self.words.pad_token_id)
        return {"input_ids": padded[:, :-1], "labels": _pad(examples, IGNORED)[:, 1:]}

    def loss(self, model: GPT2LMHeadModel, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """The mean negative log-likelihood of the next word, twice."""
        chosen = batch["labels"] != IGNORED  # padding is on the right, where a causal model cannot see it
        states = model.transformer(input_ids=batch["input_ids"]).last_hidden_state
        loss = cross_entropy(model.lm_head(states[chosen]), batch["labels"][chosen])
        return loss, loss.detach()


class T5:
    """Span corruption (Raffel et al. 2020, arXiv 1910.10683): 20 % of the words, spans of two on average."""

    name, title, sentinels = "t5-mini", "span corruption", 24

    def tokenizer(self, texts: Iterator[str]) -> PreTrainedTokenizerFast:
        """A unigram vocabulary with sentinels `<extra_id_0>`, ...; an end token closes every text."""
        trained = SentencePieceUnigramTokenizer()
        extra = [f"<extra_id_{number}>" for number in range(self.sentinels)]
        trained.train_from_iterator(texts, vocab_size=VOCABULARY, show_progress=False, unk_token="<unk>",
                                    special_tokens=["<pad>", "</s>", "<unk>", *extra])  # fmt: skip
        trained._tokenizer.post_processor = TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 1)])
        return PreTrainedTokenizerFast(tokenizer_object=trained._tokenizer, pad_token="<pad>", eos_token="</s>",
                                       unk_token="<unk>", additional_special_tokens=extra, model_max_length=POSITIONS)  # fmt: skip

    def model(self, tokenizer: PreTrainedTokenizerFast) -> T5ForConditionalGeneration:
        """Three encoder and two decoder layers, relu, tied embeddings."""
        self.words = tokenizer
        self.first_sentinel = tokenizer.convert_tokens_to_ids("<extra_id_0>")
        return T5ForConditionalGeneration(
            T5Config(vocab_size=len(tokenizer), d_model=WIDTH, d_kv=WIDTH // HEADS, d_ff=4 * WIDTH, num_layers=3,
                     num_decoder_layers=2, num_heads=HEADS, dropout_rate=0.0, pad_token_id=tokenizer.pad_token_id,
                     eos_token_id=tokenizer.eos_token_id, decoder_start_token_id=tokenizer.pad_token_id)
        )  # fmt: skip

    def encode(self, document: Document) -> list[int]:
        """The ids of the document without the end token."""
        return self.words(" ".join(document), add_special_tokens=False)["input_ids"][: POSITIONS - 1]

    def batch(self, examples: list[list[int]], rng: random.Random) -> dict[str, torch.Tensor]:
        """Texts with spans replaced by sentinels, and the spans behind their sentinels."""
        sources, targets = zip(*(self.corrupt(row, rng) for row in examples))
        ids = _pad(list(sources), self.words.pad_token_id)
        return {
            "input_ids": ids,
            "attention_mask": (ids != self.words.pad_token_id).long(),
            "labels": _pad(list(targets), IGNORED),
        }

    def corrupt(self, row: list[int], rng: random.Random) -> tuple[list[int], list[int]]:
        """Cut spans of one to three tokens, a fifth of the row in all, each behind at least one token that stays."""
        source, target, position, spans = [], [], 0, 0
        while position < len(row):
            if rng.random() < 0.125 and spans < self.sentinels - 1 or (not spans and position == len(row) - 1):
                length = rng.randint(1, 3)
                source.append(self.first_sentinel + spans)
                target += [self.first_sentinel + spans, *row[position : position + length]]
                position, spans = position + length, spans + 1
                if position >= len(row):
                    break
            source.append(row[position])
            position += 1
        return [*source, self.words.eos_token_id], [*target, self.words.eos_token_id]

    def loss(
        self, model: T5ForConditionalGeneration, batch: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The mean negative log-likelihood of the target tokens, twice."""
        loss = model(**batch).loss
        return loss, loss.detach()


def _parts(trained: ByteLevelBPETokenizer) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary and merges of a trained byte-level BPE."""
    import json

    model = json.loads(trained.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


OBJECTIVES = {"bert": Bert, "gpt2": Gpt2, "t5": T5}
