"""The parts of fast training, each by itself."""

import itertools
import math
import random

import pytest
import torch
from torch import nn
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    T5Config,
    T5ForSequenceClassification,
)

from harness.fast.dropout import Dropout, dropout, install, random_mask
from harness.fast.layout import (
    BF16_ROUNDING,
    CACHED_SCORES,
    FP32_ROUNDING,
    NO_ROUNDING,
    Layout,
    PackTokens,
    PadTokens,
    Rounding,
    group_rows,
    partition,
)
from harness.fast.vocabulary import UsedEmbedding, cut_to_used

CPU = torch.device("cpu")
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}


@pytest.mark.parametrize("p", [0.0, 0.001, 0.1, 0.5, 0.9, 1.0])
def test_dropout_drops_as_often_as_it_should_and_keeps_the_mean(p):
    torch.manual_seed(0)
    dropped, rates, means = 0, [], []
    for _ in range(400):
        mask, scale = random_mask((100, 101), p, torch.float32)
        assert set(mask.unique().tolist()) <= {0.0, 1.0}
        dropped += int((mask == 0).sum())
        rates.append(1 - 1 / scale if p < 1 else 1.0)
        means.append(float(mask.mean()) * scale)
    assert dropped / (400 * 10_100) == pytest.approx(p, abs=0.0015)  # four standard deviations, of bytes and of rates
    assert {round(rate * 256, 3) for rate in rates} <= {math.floor(256 * p), math.ceil(256 * p)}
    if p < 1:
        assert sum(means) / len(means) == pytest.approx(1, abs=0.006)


def test_dropout_draws_independent_numbers():
    """Neighbours, which share a 64-bit number, drop together no more often than others."""
    torch.manual_seed(0)
    mask = random_mask((4, 500_000), 0.5, torch.float32)[0].flatten() > 0
    for distance in (*range(1, 9), 64, 500_000):
        together = float((mask[:-distance] & mask[distance:]).float().mean())
        assert together == pytest.approx(0.25, abs=0.002)


def test_dropout_is_decided_by_the_seed_and_keeps_the_kind_of_number():
    drawn = []
    for _ in range(2):
        torch.manual_seed(5)
        drawn.append(dropout(torch.ones(33, dtype=torch.bfloat16), 0.3))
    assert torch.equal(*drawn) and drawn[0].dtype == torch.bfloat16
    assert not torch.equal(drawn[0], dropout(torch.ones(33, dtype=torch.bfloat16), 0.3))


def test_dropout_has_the_gradient_of_what_it_computes():
    states = torch.randn(50, dtype=torch.float64, requires_grad=True)

    def drop(states):
        torch.manual_seed(3)
        return dropout(states, 0.4)

    assert torch.autograd.gradcheck(drop, (states,))
    torch.manual_seed(3)
    mask, scale = random_mask((50,), 0.4, torch.float64)
    torch.testing.assert_close(drop(states), states * mask * scale)


def test_every_plain_dropout_of_a_model_is_exchanged():
    model = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.2)), nn.Dropout1d(0.5))
    install(model)
    assert [type(module) for module in model.modules() if hasattr(module, "p")] == [Dropout, Dropout, nn.Dropout1d]
    ones = torch.ones(1000)
    assert torch.equal(model[0].eval()(ones), ones) and (model[0].train()(ones) == 0).any()


def test_partition_finds_the_cheapest_cut():
    generator = random.Random(3)
    for _ in range(20):
        lengths = [generator.randint(1, 30) for _ in range(8)]

        def cost(rows, width):
            return rows * width + 17

        def total(cuts, lengths=lengths):
            return sum(cost(last - first, max(lengths[first:last])) for first, last in cuts)

        every = [
            list(itertools.pairwise((0, *inner, 8)))
            for n in range(8)
            for inner in itertools.combinations(range(1, 8), n)
        ]
        assert total(partition(lengths, cost)) == min(map(total, every))


def test_partition_of_many_rows_covers_each_once():
    parts = partition(sorted((n % 50 + 1 for n in range(1000)), reverse=True), lambda rows, width: rows * width + 5)
    assert [row for first, last in parts for row in range(first, last)] == list(range(1000))


def test_a_layout_knows_where_each_token_is():
    lengths = [5, 3, 3, 1]
    layout = Layout(lengths, 6, CPU)
    padded = torch.arange(24).view(4, 6)
    packed = padded.flatten()[layout.index]
    assert packed.tolist() == [0, 1, 2, 3, 4, 6, 7, 8, 12, 13, 14, 18]
    back = packed[layout.inverse].view(4, 6)
    for row, length in enumerate(lengths):
        assert torch.equal(back[row, :length], padded[row, :length])
    groups = layout.groups(((0, 1), (1, 4)))
    assert [(group.begin, group.end, group.rows, group.width) for group in groups] == [(0, 5, 1, 5), (5, 12, 3, 3)]
    assert groups[0].real is None and groups[1].real.sum(1).tolist() == [3, 3, 1]


def test_sizes_are_rounded_up_and_what_belongs_to_no_row_is_zero():
    layout = Layout([5, 3], 6, CPU, Rounding(tokens=3, width=4))
    assert (layout.tokens, layout.size, layout.longest, layout.widest) == (8, 9, 5, (8, 8))
    (group,) = layout.groups(((0, 2),))
    assert (group.begin, group.end, group.width) == (0, 8, 8) and group.real.sum(1).tolist() == [5, 3]
    packed = PackTokens.apply(torch.ones(12, 1), layout.index, layout.size)
    assert packed.flatten().tolist() == [1] * 8 + [0]


@pytest.mark.parametrize(
    ("longest", "wanted"), [(1, 32), (31, 32), (32, 32), (33, 36), (36, 36), (37, 64), (63, 64), (97, 100), (101, 128)]
)
def test_a_row_of_scores_leaves_little_over_behind_whole_vectors(longest, wanted):
    assert BF16_ROUNDING.key_width(longest) == wanted
    assert FP32_ROUNDING.key_width(longest) == max(16, longest) and NO_ROUNDING.key_width(longest) == longest
    layout = Layout([longest, 1], longest, CPU, BF16_ROUNDING)
    (group,), (read,) = (layout.groups(((0, 2),), read) for read in (False, True))
    assert group.width == -(-longest // 4) * 4 and read.width == wanted
    assert read.real.sum(1).tolist() == [longest, 1]


@pytest.mark.parametrize("rounding", [NO_ROUNDING, Rounding(tokens=3, width=2)], ids=["fine", "coarse"])
def test_moves_have_the_right_gradients(rounding):
    layout = Layout([3, 1], 3, CPU, rounding)
    tokens = torch.randn(layout.size, 2, dtype=torch.float64, requires_grad=True)
    places = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda states: PackTokens.apply(states, layout.index, layout.size), (places,))
    real = torch.zeros(6, 1, dtype=torch.float64).index_fill_(0, layout.index, 1.0)
    assert torch.autograd.gradcheck(lambda states: PadTokens.apply(states, layout.inverse, layout.index) * real, (tokens,))


def trained(model, used, ids):
    """Logits after three steps of AdamW with weight decay and clipping."""
    table = None if used is None else cut_to_used(model, used)[0]
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    model.eval()
    for step in range(3):
        model(input_ids=ids[step : step + 2], labels=torch.tensor([0, 1])).loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimiser.step()
        optimiser.zero_grad()
    return table, model(input_ids=ids).logits


@pytest.mark.parametrize("kind", ["bert", "t5"])
def test_a_smaller_table_trains_the_same(kind):
    """Also words that no training step reads, but evaluation does: they only decay, on both sides."""
    ids = torch.tensor([[2, 9, 17, 1], [3, 9, 5, 1], [2, 30, 31, 1], [4, 5, 9, 1], [40, 41, 42, 1]])
    logits = []
    for used in (None, {0, *ids.flatten().tolist()}):
        torch.manual_seed(0)
        if kind == "bert":
            model = BertForSequenceClassification(BertConfig(vocab_size=50, **SMALL))
        else:
            config = T5Config(
                vocab_size=50, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, decoder_start_token_id=0
            )
            model = T5ForSequenceClassification(config)
        table, made = trained(model, used, ids)
        assert table == (None if used is None else len(used))
        logits.append(made)
    torch.testing.assert_close(*logits, atol=1e-5, rtol=1e-4)


def test_a_word_outside_the_smaller_table_is_an_error():
    table = UsedEmbedding(nn.Embedding(10, 4, padding_idx=0), torch.tensor([0, 3, 7]))
    assert table(torch.tensor([3, 7])).shape == (2, 4)
    with pytest.raises(IndexError):
        table(torch.tensor([5]))


def test_a_table_that_scores_words_stays_whole():
    tied = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=16, n_layer=1, n_head=2))
    assert cut_to_used(tied, {1, 2, 3}) == (None, None) and tied.get_input_embeddings().num_embeddings == 50


def test_a_table_of_which_most_is_used_stays_whole():
    model = BertForSequenceClassification(BertConfig(vocab_size=50, **SMALL))
    assert cut_to_used(model, range(45)) == (None, None)


@pytest.mark.parametrize("rounding", [FP32_ROUNDING, BF16_ROUNDING])
def test_long_rows_are_computed_a_few_at_a_time(rounding):
    """Scores that leave the caches cost more than the calls of another group; a row is never cut."""
    groups = group_rows([256] * 16, rounding)
    assert {last - first for first, last in groups} <= {2, 3} and CACHED_SCORES >= 2 * 256**2
    assert group_rows([600] * 4, rounding) == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert group_rows([40] * 32, rounding) == [(0, 32)]
