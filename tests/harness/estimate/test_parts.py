"""The pure parts of an estimate."""

import json
import struct
from dataclasses import replace

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from harness.estimate.counter import Counter
from harness.estimate.estimate import makespan
from harness.estimate.machine import is_here, names, precision
from harness.estimate.memory import HELD, held
from harness.estimate.sizes import SEPARATOR, SPANS, WINDOWS, WRITES, Content, Size, content, sizes
from harness.estimate.speed import fit
from harness.estimate.stack import WORTH, stack
from harness.estimate.work import AT_ONCE, IDLE, PARTS, work
from harness.model import Checkpoint
from harness.models.resolve import resolve
from harness.models.shape import Shape, from_config, shape_of
from harness.recipe import Recipe
from harness.registry import models as registered
from harness.training.steps import planned

HEAD = "harness.heads.sequence:SequenceHead"
SHAPE = Shape(3, 0, 128, 600_000, 0, 1000, 750_000)
SIZE = Size(320, 6400.0, 150_000.0, 30, 3200.0, 15, 25_000.0)
ALL = {"train": SIZE, "validation": replace(SIZE, features=64), "test": replace(SIZE, features=64)}


def test_cells_go_to_the_slot_that_is_free_first():
    assert makespan([4, 1, 1, 1, 3], 2) == 6.0
    assert makespan([4, 1], 1) == 5.0 and makespan([], 2) == 0.0
    assert makespan([3, 1], 2, running=[5.0]) == 5.0 and makespan([3, 3], 2, running=[5.0]) == 6.0
    assert makespan([1], 2, running=[5.0, 2.0]) == 5.0


def test_a_fit_finds_the_seconds_that_made_the_measurements():
    seconds = (2e-3, 3e-11, 0.0, 0.0, 1e-8, 0.0, 0.0, 5e-9)
    measured = []
    for steps, flops, states, scores, words, weights in (
        (12, 8e9, 9e5, 2e5, 0.0, 3e6),
        (9, 7e10, 2e6, 9e6, 0.0, 2e7),
        (9, 1e9, 2e5, 1e5, 1e6, 2e7),
        (30, 1e10, 5e5, 7e6, 2e6, 1e6),
        (6, 3e10, 8e6, 4e6, 0.0, 4e6),
        (50, 5e9, 7e5, 3e7, 9e5, 9e7),
    ):
        amounts = (steps, flops, states, 0.0, scores, 0.0, words, weights)
        took = sum(each * amount for each, amount in zip(seconds, amounts, strict=True))
        measured.append(
            ({**{part: (0.0,) * len(names) for part, names in PARTS.items()}, "train": amounts}, {"train": took})
        )
    peaks = [((1.0, weights), 1e8 + 16 * weights) for weights in (1e5, 3e7, 9e6)]
    speed = fit(measured, peaks)
    assert speed.seconds["train"] == pytest.approx(seconds, rel=1e-6, abs=1e-15)
    assert speed.seconds["generate"] == (0.0,) * 5 and speed.base_bytes == pytest.approx(1e8)
    assert speed.memory((1.0, 5e6)) == pytest.approx(1.8e8)


def test_a_fit_gives_nothing_below_zero():
    rows = [((1.0, 10.0, 3.0, 0.0, 1.0), 5.0), ((1.0, 20.0, 1.0, 0.0, 4.0), 4.0), ((1.0, 30.0, 9.0, 0.0, 9.0), 3.0)]
    empty = {part: (0.0,) * len(terms) for part, terms in PARTS.items()}
    speed = fit([({**empty, "evaluate": amounts}, {"evaluate": took}) for amounts, took in rows])
    assert min(speed.seconds["evaluate"]) >= 0 and sum(speed.seconds["evaluate"]) > 0


def test_the_products_of_writing_are_as_fast_as_those_of_an_evaluation():
    empty = {part: (0.0,) * len(terms) for part, terms in PARTS.items()}
    measured = [
        ({**empty, "evaluate": (0.0, flops, 0.0, 0.0, 0.0)}, {"evaluate": 2e-11 * flops}) for flops in (1e9, 2e10)
    ] + [
        ({**empty, "generate": (runs, flops, 0.0, 0.0, 0.0)}, {"generate": 3e-3 * runs + 2e-11 * flops})
        for runs, flops in ((60, 1e9), (200, 3e9))
    ]
    assert fit(measured).seconds["generate"] == pytest.approx((3e-3, 2e-11, 0.0, 0.0, 0.0))


def test_work_grows_with_epochs_and_stops_at_the_most_steps():
    one, two = (work(SHAPE, ALL, HEAD, "encoder", Recipe(epochs=epochs, max_length=64)) for epochs in (1, 2))
    assert two["train"] == pytest.approx([2 * amount for amount in one["train"]])
    assert two["evaluate"][1] > one["evaluate"][1] and one["generate"] == (0.0,) * 5
    cut = work(SHAPE, ALL, HEAD, "encoder", Recipe(epochs=2, max_steps=5, max_length=64))
    assert cut["train"][0] == 5 * 3 and planned(SIZE.features, Recipe(epochs=2, max_steps=5)) == (5, 1)
    pieces = work(SHAPE, ALL, HEAD, "encoder", Recipe(epochs=1, micro_batch_size=8, max_length=64))
    assert pieces["train"][0] == 4 * one["train"][0] and pieces["train"][7] == one["train"][7]


def test_less_is_done_where_less_is_trained():
    full, lora, frozen = (
        work(SHAPE, ALL, HEAD, "encoder", Recipe(max_length=64), method=method) for method in ("full", "lora", "frozen")
    )
    assert (full["train"][1], lora["train"][1]) == pytest.approx((3 * frozen["train"][1], 2 * frozen["train"][1]))
    assert full["train"][7] > 0 == lora["train"][7] == frozen["train"][7]
    assert full["evaluate"] == lora["evaluate"] == frozen["evaluate"]
    memory = [
        dict(zip(HELD, held(SHAPE, ALL, HEAD, "encoder", Recipe(), method), strict=True))
        for method in ("full", "lora", "frozen")
    ]
    assert [one["trained weights"] > 0 for one in memory] == [True, False, False]
    assert [one["states"] > 0 for one in memory] == [True, True, False]


def test_padding_counts_as_far_as_the_loop_computes_it():
    padded = {**ALL, "train": replace(SIZE, padding=2.0)}
    none, half, all_ = (
        work(SHAPE, padded, HEAD, "encoder", Recipe(max_length=64), None, pads)["train"] for pads in (0.0, 0.5, 1.0)
    )
    assert none == work(SHAPE, ALL, HEAD, "encoder", Recipe(max_length=64))["train"]
    assert half[1] == pytest.approx(1.5 * none[1]) and all_[1] == pytest.approx(2 * none[1]) and all_[7] == none[7]


def test_writing_costs_more_the_more_may_be_written_and_an_encoder_gets_a_decoder():
    short, long = (
        work(SHAPE, ALL, WRITES, "encoder", Recipe(max_target_length=most, evaluations=1)) for most in (16, 128)
    )
    assert long["generate"][0] > 2 * short["generate"][0] > 0
    # Only at the first validation does a model not know when to end.
    three, four = (
        work(SHAPE, ALL, WRITES, "encoder", Recipe(max_target_length=128, evaluations=times))["generate"][0]
        for times in (3, 4)
    )
    assert four - three == pytest.approx((three - long["generate"][0]) / 2) and four < 2 * long["generate"][0]
    assert (
        short["train"][0] == planned(SIZE.features, Recipe())[0] * 9
    )  # an encoder's 3 layers and a decoder's, which attend twice
    reads, writes = (held(SHAPE, ALL, head, "encoder", Recipe()) for head in (HEAD, WRITES))
    assert writes[2] > 1.5 * reads[2] > 0 == reads[-1] < writes[-1]


def test_scores_of_attention_cost_something_without_dropout_too():
    with_, without = (
        dict(zip(PARTS["train"], work(shape, ALL, HEAD, "encoder", Recipe(max_length=64))["train"], strict=True))
        for shape in (SHAPE, replace(SHAPE, drops=False))
    )
    assert with_["scores"] == without["scores"] == with_["dropped scores"] > 0 == without["dropped scores"]


def test_a_head_that_reads_the_first_token_needs_less_of_the_last_layer():
    whole, narrow = (
        work(shape, ALL, HEAD, "encoder", Recipe())["evaluate"] for shape in (SHAPE, replace(SHAPE, narrows=True))
    )
    assert 0.7 < narrow[1] / whole[1] < 0.85 and narrow[2] < whole[2] and narrow[4] == whole[4]
    one = replace(SHAPE, narrows=True, layers=1, weights=200_000)
    assert stack(one, HEAD, "encoder").saved == pytest.approx(1 - 3 * 128**2 / 200_000)
    assert stack(one, WINDOWS, "encoder").saved == 0 == stack(SHAPE, HEAD, "encoder").saved


def test_embeddings_of_words_that_no_row_holds_are_not_trained_unless_words_are_written():
    few = {split: replace(size, different=100) for split, size in ALL.items()}
    most = {split: replace(size, different=900) for split, size in ALL.items()}

    def updated(sizes, head):
        return work(SHAPE, sizes, head, "decoder", Recipe(epochs=1))["train"][7] / 10

    assert updated(few, HEAD) == 750_000 - 900 * 128 and updated(most, HEAD) == updated(ALL, HEAD) == 750_000
    assert updated(few, WRITES) == 750_000


def test_words_are_weighed_where_one_is_written_and_prompts_are_read_once():
    done = work(SHAPE, ALL, WRITES, "decoder", Recipe(epochs=1))
    assert done["train"][6] == SIZE.written * SHAPE.vocabulary
    answers = {split: replace(size, written=9 * size.written) for split, size in ALL.items()}
    assert work(SHAPE, answers, WRITES, "decoder", Recipe(epochs=1))["evaluate"] == done["evaluate"]


def test_texts_that_make_room_for_others_take_fewer_steps_than_batches_that_wait():
    recipe = Recipe(eval_batch_size=8, epochs=1, max_target_length=16)
    few = {split: replace(size, written=10.0 * size.features) for split, size in ALL.items()}
    waits, joins = (
        work(replace(SHAPE, decoder_layers=3, relative=relative), few, WRITES, "encoder-decoder", recipe)["generate"]
        for relative in (False, True)
    )
    assert joins[0] < waits[0] and joins[3] == waits[3] <= 2 * 64 * 16 * 1000
    beams = work(SHAPE, few, WRITES, "decoder", replace(recipe, num_beams=3))["generate"]
    assert beams[3] > 3 * joins[3]
    alone = {split: replace(size, features=8, written=8 * 10.0) for split, size in few.items()}
    assert (
        work(SHAPE, alone, WRITES, "decoder", recipe)["generate"][0] <= (15 + 16) * 3
    )  # none waits: to the longest text


def test_short_rows_are_evaluated_in_few_batches_and_long_ones_in_many():
    long = {split: replace(size, tokens=64 * 512.0) for split, size in ALL.items()}
    short, many = (work(SHAPE, sizes, HEAD, "encoder", Recipe(epochs=1))["evaluate"][0] for sizes in (ALL, long))
    assert (short, many) == (2 * 2 * 3, 2 * 8 * 3)


def test_a_precision_that_a_model_must_avoid_is_not_what_auto_means():
    assert precision("cpu", "auto", ("bf16",)) == "fp32" == precision("cuda:0", "auto", ("bf16", "fp16"))
    assert precision("cpu", "bf16", ()) == "bf16" and precision("cuda:0", "auto") == "auto"


def test_numbers_of_modules_that_import_torch_are_theirs():
    from harness.fast import vocabulary
    from harness.heads.decoding import greedy
    from harness.heads.text import PromptedTextHead
    from harness.training import evaluate

    theirs = (vocabulary.WORTH, greedy.SHARE / 2, PromptedTextHead.SEPARATOR, evaluate.AT_ONCE)
    assert theirs == (WORTH, IDLE, SEPARATOR, AT_ONCE)


@pytest.mark.parametrize("name", ["bert-mini", "gpt2-mini", "t5-mini"])
def test_the_shape_of_a_bundled_model_is_what_torch_finds_in_it(name):
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


def test_a_model_of_the_hub_that_nobody_has_fetched_has_no_shape(tmp_path, monkeypatch):
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
    return Counter(tmp_path / "tokenizer.json")


def test_rows_are_cut_windowed_or_joined_with_their_targets(counter):
    rows = [{"text": "a " * 10, "target": "a a a"}, {"text": ["a"] * 100, "target": "a"}]
    told = Content({"train": 20}, {"train": rows}, frozenset(["text"]))

    def size(head, recipe, one_sequence=False, limit=None):
        return sizes(told, counter, head, recipe, limit, one_sequence)["train"]

    recipe = Recipe(max_length=40, max_target_length=3, doc_stride=10)
    cut = size(HEAD, recipe)
    assert (cut.features, cut.tokens, cut.longest) == (20, 500.0, 40) and cut.squares == 10 * (10**2 + 40**2)
    assert size(HEAD, recipe, limit=20).longest == 20
    assert cut.padding == pytest.approx(2 * 40 / 50)
    windows = size(SPANS, recipe)
    assert windows.features == 40 and windows.longest == 40 and windows.tokens == 10 * (10 + 40 + 40 + 40)
    asked = Content({"train": 2}, {"train": [{"q": "a " * 8, "c": "a " * 60}] * 2}, frozenset("qc"))
    repeated = sizes(asked, counter, SPANS, recipe, None, False)["train"]
    assert (
        repeated.tokens == 2 * (40 + 40 + 24) and repeated.features == 6
    )  # 32 of the context, each 10 after the last one
    assert size(WINDOWS, recipe).features >= 40
    beside, joined = size(WRITES, recipe), size(WRITES, recipe, one_sequence=True)
    assert beside.written == 10 * (3 + 2) and beside.tokens == 500 and joined.tokens == 560  # with one token between
    assert beside.longest_written == 3
    test = sizes(replace(told, rows={"test": 20}, sample={"test": rows}), counter, WRITES, recipe, None, True)["test"]
    assert test.tokens == 510 and test.written == 50  # what it is to write is not read


def test_a_sample_is_of_the_whole_split():
    class Family:
        head, inputs = HEAD, ("text",)

        def texts(self, row):
            return {"text": row}

    some = content({"train": [str(number) for number in range(300)]}, Family()).sample["train"]
    numbers = [int(row["text"]) for row in some]
    assert len(numbers) == len(set(numbers)) == 200 and numbers[0] == 0 and numbers[-1] >= 298


def test_unlike_tokens_grow_as_a_power_of_the_text(tmp_path):
    tokenizer = Tokenizer(models.WordLevel({str(number): number for number in range(1000)}, "0"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    counter = Counter(tmp_path / "tokenizer.json")
    new = [f"{number}" for number in range(100)]  # each text has a token of its own
    assert counter.different(new, 1.0) == 100 and counter.different(new, 3.0) == 300
    assert counter.different(new, 50.0) == 1000 and counter.different(["1 2 3"] * 100, 50.0) == 3
    assert Counter(None).different(new, 1.0) is None


def test_without_a_tokeniser_letters_are_counted():
    counter = Counter(None)
    assert counter.count(["abcd efgh"]) == [3] and counter.count(["这是一个没有空格的句子也很长很长"])[0] > 9


def test_records_of_another_machine_or_slot_are_not_of_here():
    own = {"device_type": "cpu", "device": (names() or ["any"])[0], "threads": 1}
    assert is_here(own, "cpu", 1) and not is_here(own, "cpu", 2) and not is_here(own, "cuda:0", 1)
    assert not is_here({**own, "device": "Abacus 3000"}, "cpu", 1) or not names()
    assert not is_here({}, "cpu", 1)
