"""Architectures and training objectives of the three bundled models; `OBJECTIVES` maps a kind to its own.

An objective has `tokenizer(texts)`, `model(tokenizer)`, `encode(document)`, `batch(examples, rng)` and `loss(model,
batch)`.
"""

import random
from itertools import chain

import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    BertConfig,
    BertForPreTraining,
    BertTokenizerFast,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2TokenizerFast,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from .corpus import Document
from .tokenisers import POSITIONS, SENTINELS, byte_pairs, unigram, word_piece

WIDTH, HEADS = 128, 4
SPREAD = 0.06  # standard deviation of the initial weights: near 1 / sqrt(WIDTH), else masked words are learned late
# Share of masked tokens. With the usual 15 % small models learn too little per step (Wettig et al. 2023, arXiv 2202.08005).
MASKED = 0.3
IGNORED = -100


def _pad(rows: list[list[int]], value: int) -> torch.Tensor:
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=value)


class Bert:
    """Masked language modelling and next-sentence prediction (Devlin et al. 2019, arXiv 1810.04805); half of the pairs are false."""

    name, title = "bert-mini", "masked language modelling and next-sentence prediction"
    tokenizer = staticmethod(word_piece)

    def model(self, tokenizer: BertTokenizerFast) -> BertForPreTraining:
        """Three post-norm encoder layers."""
        self.words = tokenizer
        return BertForPreTraining(
            BertConfig(vocab_size=len(tokenizer), hidden_size=WIDTH, num_hidden_layers=3, num_attention_heads=HEADS,
                       intermediate_size=4 * WIDTH, max_position_embeddings=POSITIONS, hidden_dropout_prob=0.0, initializer_range=SPREAD,
                       attention_probs_dropout_prob=0.0, pad_token_id=tokenizer.pad_token_id)
        )  # fmt: skip

    def encode(self, document: Document) -> tuple[str, list[list[int]]]:
        """The kind of the document and the ids of every sentence."""
        return document.kind, self.words(list(document), add_special_tokens=False)["input_ids"]

    def batch(self, examples: list[tuple[str, list[list[int]]]], rng: random.Random) -> dict[str, torch.Tensor]:
        """Pairs of segments with masked ids. Half of the second segments come from another document of the same kind.

        Segments of another kind would be recognised by style. So topics, opinions and events have to be compared.
        """
        cls, sep, mask = self.words.cls_token_id, self.words.sep_token_id, self.words.mask_token_id
        ids, segments, labels, following = [], [], [], []
        for kind, document in examples:
            cut = rng.randint(1, len(document) - 1) if len(document) > 1 else 1
            first, second, label = document[:cut], document[cut:], 0 if cut < len(document) else IGNORED
            if second and rng.random() < 0.5:
                strangers = [other for its, other in examples if its == kind and other is not document]
                second, label = rng.choice(strangers or [document]), int(bool(strangers))
                second = second[1:] or second
            one, two = [cls, *chain(*first), sep], [*chain(*second), sep] if second else []
            row = (one + two)[:POSITIONS]
            chosen = [token not in (cls, sep) and rng.random() < MASKED for token in row]
            labels.append([token if hide else IGNORED for token, hide in zip(row, chosen, strict=True)])
            ids.append(
                [self._hide(token, mask, rng) if hide else token for token, hide in zip(row, chosen, strict=True)]
            )
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
    """Causal language modelling (Radford et al. 2019) of one document at a time."""

    name, title = "gpt2-mini", "causal language modelling"
    tokenizer = staticmethod(byte_pairs)

    def model(self, tokenizer: GPT2TokenizerFast) -> GPT2LMHeadModel:
        """Three pre-norm decoder layers, tied embeddings."""
        self.words = tokenizer
        return GPT2LMHeadModel(
            GPT2Config(vocab_size=len(tokenizer), n_embd=WIDTH, n_layer=3, n_head=HEADS, n_positions=POSITIONS,
                       activation_function="gelu_pytorch_tanh", resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
                       initializer_range=SPREAD, bos_token_id=tokenizer.bos_token_id,
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
    """Span corruption for half of the documents, and for the other half reconstruction of the text from a part of its words.

    Both are objectives of Raffel et al. 2020 (arXiv 1910.10683, section 3.3). With span corruption only, a model of
    this size learns what its decoder can guess and ignores the encoder; reconstruction needs the encoder.
    """

    name = "t5-mini"
    title = "span corruption and, for half of the documents, rebuilding the text from 70 % of its words"
    tokenizer = staticmethod(unigram)

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
        """Incomplete texts, and the missing parts or the whole text as labels."""
        sources, targets = zip(*(rng.choice([self.corrupt, self.drop])(row, rng) for row in examples), strict=True)
        ids = _pad(list(sources), self.words.pad_token_id)
        return {
            "input_ids": ids,
            "attention_mask": (ids != self.words.pad_token_id).long(),
            "labels": _pad(list(targets), IGNORED),
        }

    def corrupt(self, row: list[int], rng: random.Random) -> tuple[list[int], list[int]]:
        """Replace spans of one to three tokens, a fifth of the row in total, each after at least one token that stays."""
        source, target, position, spans = [], [], 0, 0
        while position < len(row):
            if (rng.random() < 0.125 and spans < len(SENTINELS) - 1) or (not spans and position == len(row) - 1):
                length = rng.randint(1, 3)
                source.append(self.first_sentinel + spans)
                target += [self.first_sentinel + spans, *row[position : position + length]]
                position, spans = position + length, spans + 1
                if position >= len(row):
                    break
            source.append(row[position])
            position += 1
        return [*source, self.words.eos_token_id], [*target, self.words.eos_token_id]

    def drop(self, row: list[int], rng: random.Random) -> tuple[list[int], list[int]]:
        """Drop 30 % of the tokens; the target is the whole row."""
        kept = [token for token in row if rng.random() < 0.7]
        return [*kept, self.words.eos_token_id], [*row, self.words.eos_token_id]

    def loss(
        self, model: T5ForConditionalGeneration, batch: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The mean negative log-likelihood of the target tokens, twice."""
        loss = model(**batch).loss
        return loss, loss.detach()


OBJECTIVES = {"bert": Bert, "gpt2": Gpt2, "t5": T5}
