"""A model is tried on its own rows before it is trained: what it makes of padding and of other rows decides how it is computed."""

import copy
import json
from dataclasses import replace
from functools import partial

import pytest
import torch
from head_examples import EXAMPLES, LABELS, RECIPE

from harness.errors import BenchError
from harness.fast.attention import NotPackable
from harness.fast.packing import Packing
from harness.fast.prepare import EQUAL, PACKED, PADDED, SINGLE, BatchComputer, prepare
from harness.fast.tokenizer_check import check_text
from harness.heads.base import IGNORE
from harness.heads.sequence import SequenceHead
from harness.heads.spans import SpanHead
from harness.heads.text import TextHead
from harness.heads.tokens import TokenHead
from harness.methods import METHODS
from harness.models.load import Pretrained
from harness.models.resolve import resolve
from harness.training.checkpoint import Progress
from harness.training.device import make_accelerator
from harness.training.evaluate import predict
from harness.training.half_precision import check_one_row
from harness.training.step import Step
from harness.training.together import Team
from harness.training.weights import Weights

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", "off")


def made(checkpoints, kind, head=SequenceHead, method="full"):
    """(model, head, training features) of a tiny checkpoint."""
    torch.manual_seed(0)
    pretrained = Pretrained(resolve(str(checkpoints(kind))), METHODS[method])
    head_class = head.for_architecture(pretrained.architecture)
    one = head_class(pretrained, RECIPE, LABELS[head], {})
    return one.build(), one, one.encode(EXAMPLES[head], training=True)


def prepared(model, head, features):
    return prepare(model, head, [features], features)


def step_gradients(model, head, features, fast):
    """Gradients of one step over all features, as a training computes them."""
    model = copy.deepcopy(model)
    step = Step(make_accelerator("cpu", "fp32"), Team(make_accelerator("cpu", "fp32")), weights := Weights(model), head, fast, features, RECIPE, 0.0)
    model.eval()  # dropout off; `run` would turn it on
    loss, _ = step._gradients(range(len(features)), list(range(len(features))), None)
    weights.complete_gradients()
    return float(loss), torch.cat([parameter.grad.flatten() for parameter in weights.parameters()])


def leak(model, mix):
    """Let the layers before the stack see other tokens: `mix` changes [rows, tokens, width] states of the embeddings."""
    model.bert.embeddings.register_forward_hook(lambda module, args, output: mix(output))


def over_the_width(states):
    return states + states.mean(1, keepdim=True)  # padding included


def over_the_rows(states):
    return states + states.mean((0, 1), keepdim=True)


@pytest.mark.parametrize(("mix", "wanted"), [(over_the_width, EQUAL), (over_the_rows, SINGLE)])
@pytest.mark.parametrize("kind", [SequenceHead, TokenHead], ids=lambda head: head.__name__)
def test_rows_that_change_each_other_are_not_computed_together(checkpoints, mix, wanted, kind):
    """As in FNet, ConvBERT, YOSO (padding), Switch and NLLB-MoE (rows that compete for experts)."""
    model, head, features = made(checkpoints, "bert", kind)
    leak(model, mix)
    fast = prepared(model, head, features)
    assert fast.facts()["batches"] == wanted and fast.packing is None and fast.notes
    accelerator = make_accelerator("cpu", "fp32")
    read = [*head.encode(EXAMPLES[kind], training=False)]
    answers = [predict(accelerator, model, head, read, len(EXAMPLES[kind]), size, fast=fast) for size in (1, 32)]
    assert answers[0] == answers[1], "a row's prediction depends on the rows beside it"
    together = step_gradients(model, head, features, fast)
    alone = step_gradients(model, head, features, BatchComputer(batches=SINGLE))
    assert together[0] == pytest.approx(alone[0], rel=1e-5)
    torch.testing.assert_close(together[1], alone[1], rtol=1e-4, atol=1e-6)


def test_a_model_that_does_not_mix_rows_is_packed(checkpoints):
    model, head, features = made(checkpoints, "bert")
    fast = prepared(model, head, features)
    assert fast.facts()["batches"] == PACKED and not fast.notes


def test_a_model_that_remembers_earlier_rows_is_refused(checkpoints):
    model, head, features = made(checkpoints, "bert")
    seen = []

    def remember(module, args, output):
        seen.append(0)
        return output + len(seen)

    model.bert.embeddings.register_forward_hook(remember)
    with pytest.raises(BenchError, match=r"bert.*gives the same row another result when it is computed again"):
        prepared(model, head, features)


def test_attention_without_a_kernel_is_refused(checkpoints):
    """As MRA's: zeros instead of an error, so that one token alone decides."""
    model, head, features = made(checkpoints, "bert")
    for layer in model.bert.encoder.layer:
        layer.attention.self.register_forward_hook(lambda module, args, output: (torch.zeros_like(output[0]), *output[1:]))
    with pytest.raises(BenchError, match="whatever stands beside it"):
        prepared(model, head, features)


def test_a_model_that_cannot_be_computed_is_refused_in_one_line(checkpoints):
    model, head, features = made(checkpoints, "bert")

    def broken(module, args):
        raise RuntimeError("view size is not\ncompatible")

    model.bert.encoder.register_forward_pre_hook(broken)
    with pytest.raises(BenchError, match=r"\(model_type bert\) cannot be computed.*view size is not compatible") as error:
        prepared(model, head, features)
    assert "\n" not in str(error.value)


def test_a_number_beyond_the_embeddings_is_named(checkpoints):
    model, head, features = made(checkpoints, "bert")
    features[0].inputs["input_ids"][1] = 4000
    with pytest.raises(BenchError, match=r"has the number 4000, the model has \d+ embeddings"):
        prepared(model, head, features)


def test_what_the_packed_way_raises_later_means_padding(checkpoints):
    model, head, features = made(checkpoints, "bert")
    fast = prepared(model, head, features)
    expected = float(BatchComputer().compute(partial(head.loss, model.eval()), head.collate(features), CPU))
    fast.packing.remove()
    fast.packing._undo = []

    class Broken:
        def __enter__(self):
            raise RuntimeError("shape mismatch")

        def __exit__(self, *error):
            return False

    fast.packing = type("Breaks", (), {"__call__": lambda self, batch: Broken(), "remove": lambda self: None})()
    assert float(fast.compute(partial(head.loss, model), head.collate(features), CPU)) == pytest.approx(expected, rel=1e-5)
    assert fast.packing is None and "shape mismatch" in fast.refused


def test_what_our_layers_raise_means_the_librarys(checkpoints, monkeypatch):
    model, head, features = made(checkpoints, "bert")
    monkeypatch.setattr("harness.fast.prepare.Packing", lambda *args: (_ for _ in ()).throw(NotPackable("not today")))
    fast = prepared(model, head, features)
    assert fast.kernels
    calls = []

    def work(batch):
        calls.append(type(model.dropout) is torch.nn.Dropout)
        if len(calls) == 1:
            raise RuntimeError("Output 0 of ProductBackward is a view and is being modified inplace")
        return head.loss(model, batch)

    assert torch.isfinite(fast.compute(work, head.collate(features), CPU))
    assert not fast.kernels and calls == [False, True]
    assert any("ProductBackward" in note for note in fast.notes)


def test_running_out_of_memory_is_not_a_reason_to_go_another_way(checkpoints):
    model, head, features = made(checkpoints, "bert")
    fast = prepared(model, head, features)

    def work(batch):
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        fast.compute(work, head.collate(features), CPU)
    assert fast.packing is not None and fast.kernels


def test_layers_left_out_by_chance_are_not_packed(checkpoints):
    model, head, features = made(checkpoints, "bart")
    model.model.encoder.layerdrop = 0.1
    with pytest.raises(NotPackable, match="LayerDrop"):
        Packing(model)
    assert prepared(model, head, features).facts()["batches"] == PADDED


@pytest.mark.parametrize("kind", [SequenceHead, TokenHead, TextHead], ids=lambda head: head.__name__)
@pytest.mark.parametrize("checkpoint", ["deberta-v2", "bart", "t5"])
def test_a_training_has_dropout_in_every_module_from_its_first_step(checkpoints, kind, checkpoint):
    """A head of our own is in training mode around a loaded model that is in evaluation mode."""
    model, head, features = made(checkpoints, checkpoint, kind)
    fast = prepared(model, head, features)
    seen = []
    model.register_forward_pre_hook(lambda module, args: seen.append([name for name, part in model.named_modules() if not part.training]))
    step = Step(make_accelerator("cpu", "fp32"), Team(make_accelerator("cpu", "fp32")), Weights(model), head, fast, features, RECIPE, 0.0)
    seen.clear()
    step.run(range(len(features)), Progress())
    assert seen and not any(seen), seen[0][:3]


def test_what_was_found_is_kept_and_followed(checkpoints, monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    model, head, features = made(checkpoints, "bert")
    leak(model, over_the_width)
    first = prepared(model, head, features)
    assert len(list((tmp_path / "preflight").iterdir())) == 1
    monkeypatch.setattr("harness.fast.prepare.Preflight", None)  # it would be tried again
    model, head, features = made(checkpoints, "bert")
    again = prepared(model, head, features)
    assert (again.batches, again.notes, again.kernels) == (first.batches, first.notes, first.kernels)
    monkeypatch.undo()
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    other, head, features = made(checkpoints, "electra")
    assert prepared(other, head, features).batches == PADDED


def test_a_damaged_file_of_the_cache_is_made_anew(checkpoints, monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    model, head, features = made(checkpoints, "bert")
    prepared(model, head, features)
    (file,) = (tmp_path / "preflight").iterdir()
    file.write_text('{"batches": 3')
    model, head, features = made(checkpoints, "bert")
    assert prepared(model, head, features).packing is not None
    assert file.read_text().endswith("}")


@pytest.mark.parametrize("kind", ["gpt2", "t5", "bert"])
def test_a_loop_that_writes_something_else_is_not_used(checkpoints, kind, monkeypatch):
    model, head, features = made(checkpoints, kind, TextHead)
    assert not prepared(model, head, features).notes and head.loop
    model, head, features = made(checkpoints, kind, TextHead)
    right = "harness.heads.generation.decoding.decode"
    monkeypatch.setattr(right, lambda model, ids, *more: [[7, 7, 7, 7]] * len(ids))
    fast = prepared(model, head, features)
    assert not head.loop and not fast.notes


def test_a_loop_that_fails_leaves_the_writing_to_the_library(checkpoints, monkeypatch):
    model, head, features = made(checkpoints, "gpt2", TextHead)
    prepared(model, head, features)
    batch = head.collate(head.encode(EXAMPLES[TextHead], training=False))
    model.eval()
    with torch.inference_mode():
        expected = head.predict(model, batch)

    def fails(*args):
        raise IndexError("index 9 is out of bounds")

    monkeypatch.setattr("harness.heads.generation.decoding.decode", fails)
    with torch.inference_mode():
        assert head.predict(model, batch) == expected and not head.loop


def test_half_precision_that_a_layer_cannot_compute_is_told(checkpoints):
    model, head, features = made(checkpoints, "bert")
    fast = prepared(model, head, features)
    fast.stop_packing("")

    def refuses(module, args):
        if args[0].dtype == torch.bfloat16:
            raise RuntimeError('"fft_cpu" not implemented for \'BFloat16\'')

    model.bert.encoder.layer[0].intermediate.register_forward_pre_hook(refuses)
    accelerator = make_accelerator("cpu", "bf16")
    weights = Weights(model, half=True)
    with pytest.raises(FloatingPointError, match="not implemented for 'BFloat16'"):
        check_one_row(accelerator, model, weights, head, fast, features)


@pytest.mark.parametrize(
    ("text", "share"), [("the cat sees anna in lisbon", None), ("Ünter dem großen Baum", None), ("猫が庭にいる猫が庭にいる", "knows 0%")]
)
def test_a_tokeniser_that_loses_the_texts_is_refused(checkpoints, text, share):
    _, head, _ = made(checkpoints, "bert")
    examples = [{"text": text, "text_pair": None, "label": "good"}]
    if share:
        with pytest.raises(BenchError, match=share):
            check_text(head, examples)
    else:
        check_text(head, examples)


def test_texts_that_are_partly_unknown_are_told(checkpoints):
    _, head, _ = made(checkpoints, "bert")
    examples = [{"text": "the cat sees the garden 猫猫猫猫", "text_pair": None}]
    assert "does not know 1" in check_text(head, examples)


def shortened(feature, length):
    """A feature with its first tokens and its last one."""
    inputs = {name: [*values[: length - 1], values[-1]] if isinstance(values, list) else values for name, values in feature.inputs.items()}
    return replace(feature, inputs=inputs)


@pytest.mark.parametrize(("mix", "wanted"), [(over_the_width, EQUAL), (over_the_rows, SINGLE)])
@pytest.mark.parametrize(("count", "length"), [(1, 8), (1, 3), (2, 5), (3, 6)])
@pytest.mark.parametrize("kind", [SequenceHead, TokenHead], ids=lambda head: head.__name__)
def test_training_rows_of_one_length_do_not_hide_what_padding_does(checkpoints, mix, wanted, count, length, kind):
    """The rows that are tested are of other lengths."""
    model, head, features = made(checkpoints, "bert", kind)
    leak(model, mix)
    same = [shortened(feature, length) for feature in features[:count]]
    fast = prepare(model, head, [same, features], same)
    assert fast.batches == wanted and fast.packing is None


@pytest.mark.parametrize("kind", [SequenceHead, TokenHead, SpanHead, TextHead], ids=lambda head: head.__name__)
@pytest.mark.parametrize("checkpoint", ["bert", "gpt2", "t5"])
@pytest.mark.parametrize("count", [1, 2])
def test_one_training_row_is_enough_to_pack(checkpoints, kind, checkpoint, count):
    model, head, features = made(checkpoints, checkpoint, kind)
    fast = prepare(model, head, [features], features[:count])
    assert fast.facts()["packed"], fast.refused


def test_rows_without_a_label_do_not_keep_a_model_from_being_packed(checkpoints):
    """The last window of a sentence may hold the end of a word that another window judges: the mean over no word is no number."""
    model, head, features = made(checkpoints, "bert", TokenHead)
    bare = replace(features[0], inputs={name: values[:3] for name, values in features[0].inputs.items()} | {"labels": [IGNORE] * 3})
    fast = prepared(model, head, [*features, bare])
    assert fast.facts()["packed"], fast.refused
    fast.stop_packing("")
    loss, gradients = step_gradients(model, head, [bare], fast)
    assert loss == 0 and not gradients.any()


@pytest.mark.parametrize("kind", ["bert", "gpt2", "t5"])
def test_a_weight_that_is_no_number_is_named(checkpoints, kind):
    model, head, features = made(checkpoints, kind)
    name, weight = next((name, weight) for name, weight in model.named_parameters() if weight.ndim == 2 and "embed" not in name and "wte" not in name and "wpe" not in name and "shared" not in name)
    with torch.no_grad():
        weight[0, 0] = float("nan")
    with pytest.raises(BenchError, match=rf"has weights that are no finite numbers \({name}\)"):
        prepared(model, head, features)


@pytest.mark.parametrize(("kind", "cross"), [("t5", "EncDecAttention"), ("bart", "encoder_attn"), ("bert", "crossattention")])
def test_a_decoder_that_does_not_read_its_encoder_is_refused(checkpoints, kind, cross):
    model, head, features = made(checkpoints, kind, TextHead)
    assert not prepared(model, head, features).notes
    model, head, features = made(checkpoints, kind, TextHead)
    for name, module in model.named_modules():
        if name.endswith(f".{cross}"):
            module.register_forward_hook(lambda module, args, output: (torch.zeros_like(output[0]), *output[1:]))
            if kind == "bert":
                module.output.LayerNorm.register_forward_hook(lambda module, args, output: torch.zeros_like(output))
    with pytest.raises(BenchError, match=rf"{kind}.*writes the same whatever text it is given"):
        prepared(model, head, features)


def test_a_gradient_that_a_faster_way_loses_is_noticed(checkpoints, monkeypatch):
    model, head, features = made(checkpoints, "bert")

    def cut(module, args):
        return (args[0].detach(), *args[1:])

    class Detaching(Packing):
        def __init__(self, model):
            super().__init__(model)
            self._undo.append(model.bert.encoder.layer[0].register_forward_pre_hook(cut).remove)

    monkeypatch.setattr("harness.fast.prepare.Packing", Detaching)
    fast = prepared(model, head, features)
    assert fast.packing is None and "is lost" in fast.refused


DAMAGES = (
    {"head": 3}, {"head": {"tokenizer": None}}, {"head": {"loop": "no", "together": "any", "cached": True}}, {"batches": "other"},
    {"notes": 5}, {"notes": [7]}, {"packed": "yes"}, {"refused": None}, {"whole_vocabulary": None},
)  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_of_the_cache_that_cannot_be_followed_is_made_anew(checkpoints, monkeypatch, tmp_path, damage):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    model, head, features = made(checkpoints, "bert", TextHead)
    expected = prepared(model, head, features).facts()
    (file,) = (tmp_path / "preflight").iterdir()
    whole = json.loads(file.read_text())
    file.write_text(json.dumps({**whole, **damage}))
    model, head, features = made(checkpoints, "bert", TextHead)
    assert prepared(model, head, features).facts() == expected
    assert json.loads(file.read_text()) == whole


def test_a_table_that_has_to_stay_whole_stays_so_by_the_cache(checkpoints, monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    outputs = []
    for _ in range(2):
        model, head, features = made(checkpoints, "bert")
        features = features[:1]
        model.eval()

        def read_the_table(module, args, output):
            return output + module.word_embeddings.weight.mean(0)

        model.bert.embeddings.register_forward_hook(read_the_table)
        fast = prepared(model, head, features)
        assert fast.vocabulary is None
        batch = head.collate(features)
        batch.pop("labels")
        with torch.no_grad():
            outputs.append(model.eval()(**batch).logits)
    torch.testing.assert_close(*outputs)


@pytest.mark.parametrize("change", ["rows", "beams", "written"])
def test_what_was_found_is_not_taken_for_another_situation(checkpoints, monkeypatch, tmp_path, change):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    model, head, features = made(checkpoints, "bert", TextHead)
    prepared(model, head, features)
    model, head, features = made(checkpoints, "bert", TextHead)
    if change == "rows":
        features = features[1:]
    elif change == "beams":
        head.recipe = replace(head.recipe, num_beams=3)
    else:
        head.max_written -= 1
    prepared(model, head, features)
    assert len(list((tmp_path / "preflight").iterdir())) == 2


@pytest.mark.parametrize("kind", [SequenceHead, TextHead], ids=lambda head: head.__name__)
@pytest.mark.parametrize("checkpoint", ["bert", "t5"])
def test_a_row_to_be_tested_that_cannot_be_computed_is_told_before_the_training(checkpoints, kind, checkpoint):
    """As Funnel's of fewer than five tokens."""

    def refuses(module, args, kwargs):
        given = args[0] if args else kwargs["input_ids"]
        if given.shape[1] < 4:
            raise RuntimeError("shapes do not match")

    def found(short):
        model, head, features = made(checkpoints, checkpoint, kind)
        inputs = {name: values for name, values in shortened(features[0], 3).inputs.items() if name != "labels"}
        reader = model.get_encoder() if kind is TextHead else model.base_model
        reader.register_forward_pre_hook(refuses, with_kwargs=True)
        long = [feature for feature in features if feature.length >= 4]
        return prepare(model, head, [long, *[[replace(features[0], inputs=inputs)]] * short], long)

    assert found(0).batches == PADDED
    with pytest.raises(BenchError, match="for a row of 3 tokens: RuntimeError: shapes do not match"):
        found(1)


@pytest.mark.parametrize("broken", [False, True])
def test_a_model_that_leaves_its_training_to_chance_is_not_slowed_down(checkpoints, broken):
    """As PhiMoE, which draws its experts; a gradient that a faster way loses is noticed all the same."""
    model, head, features = made(checkpoints, "bert")

    def noisy(module, args, output):
        return output * (1 + torch.rand_like(output)) if module.training else output

    def cut(module, args):
        return (args[0].detach(), *args[1:]) if len(args[0]) > 1 else None

    model.bert.encoder.layer[0].intermediate.register_forward_hook(noisy)
    if broken:
        model.classifier.register_forward_pre_hook(cut)
    fast = prepared(model, head, features)
    assert fast.facts()["batches"] == (SINGLE if broken else PACKED)


def test_a_tokeniser_that_loses_what_is_to_be_written_is_refused(checkpoints):
    _, head, _ = made(checkpoints, "bert", TextHead)
    with pytest.raises(BenchError, match=r"knows 0% of the characters of 'target' in the first 1 training rows"):
        check_text(head, [{"source": "the cat sees anna in lisbon", "target": "猫が庭にいる"}])


def test_the_longest_text_to_write_is_tried(checkpoints):
    """A decoder may have a shorter table of positions than the encoder beside it."""
    model, head, features = made(checkpoints, "bart", TextHead)
    longest = max(len(feature.inputs["labels"]) for feature in features)

    def refuses(module, args, kwargs):
        if kwargs["input_ids"].shape[1] >= longest:
            raise IndexError("index out of range in self")

    model.get_decoder().register_forward_pre_hook(refuses, with_kwargs=True)
    with pytest.raises(BenchError, match="index out of range"):
        prepared(model, head, features)


@pytest.mark.parametrize("packed", [True, False])
def test_what_a_backward_pass_raises_later_means_a_slower_way(checkpoints, monkeypatch, packed):
    model, head, features = made(checkpoints, "bert")
    fast = prepared(model, head, features)
    if not packed:
        fast.stop_packing("not today")
    step = Step(make_accelerator("cpu", "fp32"), Team(make_accelerator("cpu", "fp32")), Weights(model), head, fast, features, RECIPE, 0.0)
    backward, calls = step.accelerator.backward, []

    def fails_once(loss):
        calls.append(float(loss))
        if len(calls) == 1:
            raise RuntimeError("Expected size for first two dimensions of batch2 tensor")
        backward(loss)

    monkeypatch.setattr(step.accelerator, "backward", fails_once)
    loss = step.run(range(len(features)), Progress())
    assert torch.isfinite(loss) and len(calls) > 1
    assert fast.packing is None and fast.kernels == packed and ("first two dimensions" in (fast.refused if packed else fast.notes[-1]))
    assert all(torch.isfinite(parameter.grad).all() for parameter in step.weights.parameters())


def test_running_out_of_memory_in_a_trial_says_nothing_of_the_model(checkpoints):
    model, head, features = made(checkpoints, "bert")

    def full(module, args):
        raise torch.OutOfMemoryError

    model.bert.encoder.register_forward_pre_hook(full)
    with pytest.raises(torch.OutOfMemoryError):
        prepared(model, head, features)
