"""The parts of an estimate without side effects."""

import json
import struct
from dataclasses import replace

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from harness.estimate.formula import EVAL_TOKENS, WORTH, cell_cost
from harness.estimate.grid_estimate import makespan
from harness.estimate.machine import Speed
from harness.estimate.text_sizes import (
    SEPARATOR,
    SPANS,
    WINDOWS,
    WRITES,
    RowTexts,
    TaskTexts,
    TextSize,
    TokenCounter,
    length_statistics,
    sample_texts,
    text_sizes,
)
from harness.model import Checkpoint
from harness.models.resolve import resolve
from harness.models.shape import Shape, from_config, shape_of
from harness.recipe import Recipe
from harness.registry import models as registered

HEAD = "harness.heads.sequence:SequenceHead"
SHAPE = Shape(3, 0, 128, 600_000, 0, 1000, 750_000)
SIZE = TextSize(320, 6400.0, 150_000.0, 3200.0, 15)
ALL = {"train": SIZE, "validation": replace(SIZE, features=64), "test": replace(SIZE, features=64)}


def test_the_next_cell_goes_to_the_first_free_slot():
    assert makespan([4, 1, 1, 1, 3], 2) == 6.0
    assert makespan([4, 1], 1) == 5.0 and makespan([], 2) == 0.0
    assert makespan([3, 1], 2, running=[5.0]) == 5.0 and makespan([3, 3], 2, running=[5.0]) == 6.0
    assert makespan([1], 2, running=[5.0, 2.0]) == 5.0


# What is counted, each alone: layers run forward, forward and backward; operations and scores in both; weights updated.
READ, READ_FLOP, READ_SCORE, TRAIN, TRAIN_FLOP, TRAIN_SCORE, UPDATE = (Speed(*(float(place == one) for place in range(7))) for one in range(7))


def counted(speed, recipe, sizes=ALL, head=HEAD, shape=SHAPE, architecture="encoder", **more):
    """How much of the one thing that takes a second there is in a cell."""
    some, none = (cell_cost(shape, sizes, head, architecture, recipe, one, **more).seconds for one in (speed, Speed(*[0] * 7)))
    return round(some - none, 6)


def test_operations_are_counted_as_in_records():
    """320 rows of 20 tokens, two epochs: 6 operations a weight and token, and a score for each pair of tokens, layer and head."""
    recipe, shape = Recipe(epochs=2, batch_size=32), replace(SHAPE, heads=2)
    assert counted(TRAIN_FLOP, recipe, shape=shape) == 2 * 6 * 600_000 * 6400
    assert counted(TRAIN_SCORE, recipe, shape=shape) == 2 * 3 * 2 * 150_000
    assert counted(TRAIN_SCORE, recipe, shape=replace(shape, drops=False)) == pytest.approx(2 * 2 * 150_000)
    assert counted(TRAIN, recipe) == 20 * 3 and counted(UPDATE, recipe) == 20 * 750_000
    assert counted(READ_FLOP, recipe) == (2 + 1) * 2 * 600_000 * 6400
    assert counted(READ_SCORE, recipe, shape=shape) == (2 + 1) * 3 * 2 * 150_000


def test_unfused_layers_take_longer_and_more_memory():
    plain, rotates, relative = (counted(TRAIN, Recipe(), shape=replace(SHAPE, **more)) for more in ({}, {"rotates": True}, {"relative": True}))
    assert rotates == relative > plain
    kept = [cell_cost(replace(SHAPE, **more), ALL, HEAD, "encoder", Recipe(), READ).memory for more in ({}, {"unfused": True}, {"rotates": True})]
    assert kept[2] == kept[1] > kept[0]


def test_half_precision_stores_weights_twice():
    full, half = (cell_cost(SHAPE, ALL, HEAD, "encoder", Recipe(precision=name), READ).memory for name in ("fp32", "bf16"))
    assert half - full == pytest.approx(1.2e8 + 4 * 750_000)


def test_work_grows_with_epochs_up_to_max_steps():
    one, two = (Recipe(epochs=epochs) for epochs in (1, 2))
    for speed in (TRAIN, TRAIN_FLOP, UPDATE):
        assert counted(speed, two) == pytest.approx(2 * counted(speed, one))
    assert counted(READ, two) > counted(READ, one)
    cut = Recipe(epochs=2, max_steps=5)
    assert counted(TRAIN, cut) == 5 * 3 and counted(UPDATE, cut) == 5 * 750_000
    pieces = Recipe(epochs=1, micro_batch_size=8)
    assert counted(TRAIN, pieces) == 4 * counted(TRAIN, one) and counted(UPDATE, pieces) == counted(UPDATE, one)
    assert counted(TRAIN, two, budget=0.25) == counted(TRAIN, two) / 4
    no_test = {split: size for split, size in ALL.items() if split != "test"}
    assert counted(READ_FLOP, one, no_test) == counted(READ_FLOP, one) / 2, "a trial is not tested"


def test_training_fewer_weights_takes_less():
    def parts(method):
        return [counted(speed, Recipe(), method=method) for speed in (TRAIN_FLOP, UPDATE, READ_FLOP)]

    full, lora, frozen = (parts(method) for method in ("full", "lora", "frozen"))
    assert (full[0], lora[0]) == pytest.approx((3 * frozen[0], 2 * frozen[0]))
    assert full[1] > 0 == lora[1] == frozen[1] and full[2] == lora[2] == frozen[2]
    held = [cell_cost(SHAPE, ALL, HEAD, "encoder", Recipe(), READ, method).memory for method in ("full", "lora", "frozen")]
    assert held[0] > held[1] > held[2]


def test_generation_cost_grows_with_length_and_an_encoder_gets_a_decoder():
    def turns(most, evaluations):
        return counted(READ, Recipe(max_target_length=most, evaluations=evaluations), head=WRITES)

    assert turns(128, 1) > 1.5 * turns(16, 1) > 0
    # Only at the first validation does a model not know when to end.
    assert turns(128, 2) - turns(128, 1) == turns(128, 3) - turns(128, 2) < turns(128, 1)
    words = 1000 / (12 * 128)  # scoring words is as much as so many layers
    # An encoder's 3 layers and a decoder's, which attend twice.
    assert counted(TRAIN, Recipe(epochs=1), head=WRITES) == pytest.approx(10 * (9 + words), abs=1e-5)
    reads, writes = (cell_cost(SHAPE, ALL, head, "encoder", Recipe(), READ).memory for head in (HEAD, WRITES))
    assert writes > reads + 18 * 320 * 1000 / 10
    beams = [counted(READ_FLOP, Recipe(num_beams=beams), head=WRITES, architecture="decoder") for beams in (1, 2, 3)]
    assert beams[2] - beams[1] == pytest.approx(beams[1] - beams[0]) and beams[1] > beams[0]


def test_tagging_uses_only_the_encoder():
    two_sided = replace(SHAPE, decoder_layers=3, decoder_weights=800_000, parameters=1_550_000)
    both, alone = (counted(TRAIN, Recipe(epochs=1), head=head, shape=two_sided, architecture="encoder-decoder") for head in (HEAD, WINDOWS))
    assert (both, alone) == (10 * 9, 10 * 3)
    assert counted(UPDATE, Recipe(epochs=1), head=WINDOWS, shape=two_sided, architecture="encoder-decoder") == 10 * 750_000


def test_unused_embeddings_are_trained_only_for_generation():
    few = {split: replace(size, different=100) for split, size in ALL.items()}
    most = {split: replace(size, different=900) for split, size in ALL.items()}

    def updated(sizes, head):
        return counted(UPDATE, Recipe(epochs=1), sizes, head, architecture="decoder") / 10

    assert updated(few, HEAD) == 750_000 - 900 * 128 and updated(most, HEAD) == updated(ALL, HEAD) == 750_000
    assert updated(few, WRITES) == 750_000


def test_prompts_are_read_once_whatever_the_length_of_the_answers():
    once, longer = ({split: replace(size, written=times * size.written) for split, size in ALL.items()} for times in (1, 9))
    none = {split: replace(size, longest_written=0, written=0.0) for split, size in ALL.items()}
    recipe = Recipe(epochs=1, max_target_length=1)
    flops = [counted(READ_FLOP, recipe, sizes, WRITES, architecture="decoder") for sizes in (none, once, longer)]
    assert flops[2] - flops[1] > flops[1] - flops[0] > 0


def test_short_rows_are_evaluated_in_few_batches_and_long_ones_in_many():
    ones = {split: replace(size, features=64) for split, size in ALL.items()}
    long = {split: replace(size, tokens=64 * 512.0) for split, size in ones.items()}
    short, many = (counted(READ, Recipe(epochs=1), sizes) for sizes in (ones, long))
    assert (short, many) == (2 * 2 * 3, 2 * 8 * 3)


def test_copied_constants_equal_those_of_modules_that_import_torch():
    from harness.fast import vocabulary
    from harness.heads.text import PromptedTextHead
    from harness.training import evaluate

    assert (vocabulary.MAX_SHARE, PromptedTextHead.SEPARATOR, evaluate.CPU_TOKENS) == (WORTH, SEPARATOR, EVAL_TOKENS)


@pytest.mark.parametrize("name", ["bert-mini", "gpt2-mini", "t5-mini"])
def test_the_shape_of_a_bundled_model_matches_torch(name):
    from transformers import AutoModel

    checkpoint = resolve(name)
    shape = shape_of(checkpoint)
    model = AutoModel.from_pretrained(checkpoint.location)
    numbered = {
        key: value.numel()
        for key, value in model.named_parameters()
        if value.ndim == 2 and any(part.isdigit() for part in key.split("."))
    }
    assert shape.weights + shape.decoder_weights == sum(numbered.values())
    assert shape.decoder_weights == sum(count for key, count in numbered.items() if key.startswith("decoder"))
    assert shape.parameters == pytest.approx(sum(parameter.numel() for parameter in model.parameters()), rel=0.1)
    by_config = from_config(model.config.to_dict(), {}, None)
    assert by_config.weights + by_config.decoder_weights == pytest.approx(sum(numbered.values()), rel=0.01)
    assert by_config.width == 128 and by_config.layers == 3


def test_a_model_that_was_not_downloaded_has_no_shape(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert shape_of(Checkpoint("x", "a/b", "a/b", "0" * 40, None, "encoder", "0" * 40)) is None
    assert registered()["bert"].parameters == 110_000_000  # what stands in where only the configuration is there


def test_shared_layers_and_headers_of_safetensors(tmp_path):
    config = {"num_hidden_layers": 12, "num_hidden_groups": 1, "hidden_size": 8, "vocab_size": 10}
    tensors = {"embeddings.weight": [10, 8], "encoder.layer_groups.0.layers.0.ffn.weight": [8, 32]}
    header = json.dumps(
        {name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]} for name, shape in tensors.items()}
    )
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header.encode())
    (tmp_path / "config.json").write_text(json.dumps(config))
    shape = shape_of(Checkpoint("x", "./x", str(tmp_path), None, None, "encoder", "0"))
    assert shape.weights == 12 * 256 and shape.parameters == 336


@pytest.fixture
def counter(tmp_path):
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "?": 1}, "?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return TokenCounter(tmp_path / "tokenizer.json")


def test_rows_are_truncated_windowed_or_joined_with_their_targets(counter):
    rows = [RowTexts(("a " * 10,), "a a a"), RowTexts((" ".join(["a"] * 100),), "a")]
    told = TaskTexts({"train": 20}, {"train": rows})

    def size(head, recipe, one_sequence=False, limit=None):
        return text_sizes(told, counter, head, recipe, limit, one_sequence)["train"]

    recipe = Recipe(max_length=40, max_target_length=3, doc_stride=10)
    cut = size(HEAD, recipe)
    assert (cut.features, cut.tokens) == (20, 500.0) and cut.squares == 10 * (10**2 + 40**2)
    assert size(HEAD, recipe, limit=20).tokens == 10 * (10 + 20)
    spans = size(SPANS, recipe)
    assert spans.features == 40 and spans.tokens == 10 * (10 + 40 + 40 + 40)
    asked = TaskTexts({"train": 2}, {"train": [RowTexts(("a " * 8, "a " * 60))] * 2})
    repeated = text_sizes(asked, counter, SPANS, recipe, None, False)["train"]
    # 32 of the context, each 10 after the last one
    assert repeated.tokens == 2 * (40 + 40 + 24) and repeated.features == 6
    assert size(WINDOWS, recipe).features >= 40
    beside, joined = size(WRITES, recipe), size(WRITES, recipe, one_sequence=True)
    assert beside.written == 10 * (3 + 2) and beside.tokens == 500 and joined.tokens == 560  # with one token between
    assert beside.longest_written == 3
    test = text_sizes(TaskTexts({"test": 20}, {"test": rows}), counter, WRITES, recipe, None, True)["test"]
    assert test.tokens == 510 and test.written == 50  # what it is to write is not read


def test_recipe_needs_count_whole_rows_and_report_windows(counter):
    rows = [RowTexts(("a " * 8, "a " * 600), "a a a")]
    told = TaskTexts({"train": 9, "validation": 3}, {"train": rows, "validation": rows})
    assert [one["max_length"] for one in length_statistics(told, counter, SPANS, 64, False).tokens] == [[608], [608]]
    assert length_statistics(told, counter, SPANS, 64, False).windows and length_statistics(told, counter, SPANS, 64, False).rows == 9
    written = length_statistics(told, counter, WRITES, None, False)
    assert written.tokens[0] == {"max_length": [608], "max_target_length": [4]} and not written.windows


def test_a_sample_is_spread_over_the_whole_split():
    class Family:
        head, inputs = HEAD, ("text",)

        def texts(self, row):
            return {"text": row}

    some = sample_texts({"train": [str(number) for number in range(300)]}, Family()).sample["train"]
    numbers = [int(row.joined) for row in some]
    assert len(numbers) == len(set(numbers)) == 200 and numbers[0] == 0 and numbers[-1] >= 298


def test_targets_are_not_read():
    class Family:
        head, inputs = WRITES, ("text",)

        def texts(self, row):
            return row

    told = sample_texts({"train": [{"text": ["a", "b"], "target": "c"}]}, Family())
    assert told.sample["train"] == [RowTexts(("a b",), "c")] and told.rows == {"train": 1}
    Family.head = HEAD
    assert sample_texts({"train": [{"text": ["a", "b"], "target": "c"}]}, Family()).sample["train"] == [RowTexts(("a b", "c"))]


def test_distinct_tokens_grow_with_the_square_root_of_the_text(tmp_path):
    tokenizer = Tokenizer(models.WordLevel({str(number): number for number in range(1000)}, "0"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    counter = TokenCounter(tmp_path / "tokenizer.json")
    new = [f"{number}" for number in range(100)]
    assert counter.different(new, 1.0) == 100 and counter.different(new, 9.0) == 300
    assert counter.different(new, 500.0) == 1000 and counter.different(["1 2 3"] * 100, 4.0) == 6
    assert TokenCounter(None).different(new, 1.0) is None


def test_without_a_tokenizer_characters_are_counted():
    counter = TokenCounter(None)
    assert counter.count(["abcd efgh"]) == [3] and counter.count(["这是一个没有空格的句子也很长很长"])[0] > 9
