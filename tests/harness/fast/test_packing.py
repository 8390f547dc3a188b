"""Packed and padded batches give the same loss and the same gradients, for every head on every kind of model."""

import copy
import importlib.util
from functools import partial

import pytest
import tiny
import torch
from head_examples import EXAMPLES, LABELS, RECIPE

from harness.fast import attention
from harness.fast.attention import NotPackable
from harness.fast.layout import BF16_ROUNDING, FP32_ROUNDING, NO_ROUNDING, Rounding, round_up
from harness.fast.packing import Packing
from harness.fast.preflight import Disagrees, Preflight
from harness.fast.prepare import BatchComputer, prepare
from harness.methods import METHODS
from harness.models import internals
from harness.models.load import Pretrained
from harness.models.resolve import resolve
from harness.training.device import make_accelerator
from harness.training.evaluate import predict
from harness.training.weights import Weights

CPU = torch.device("cpu")
PADDED_KINDS = {"deberta-v2": "eager"}  # its attention is its own
# The coarsest rounding on every model type, the others on one of each architecture.
KINDS_AND_ROUNDINGS = [
    *(pytest.param(kind, Rounding(7, 5, vector=16, least=16), id=f"{kind}-coarse") for kind in tiny.KINDS),
    *(pytest.param(kind, NO_ROUNDING, id=f"{kind}-fine") for kind in ("bert", "gpt2", "t5")),
    *(pytest.param(kind, FP32_ROUNDING, id=f"{kind}-full") for kind in ("bert", "gpt2", "t5")),
]


@pytest.fixture(params=tiny.KINDS)
def kind(request):
    return request.param


@pytest.fixture(params=EXAMPLES, ids=lambda head: head.__name__)
def head(request, kind, checkpoints):
    torch.manual_seed(0)
    pretrained = Pretrained(resolve(str(checkpoints(kind))), METHODS["full"])
    return request.param.for_architecture(pretrained.architecture)(pretrained, RECIPE, LABELS[request.param], {})


def examples_of(head):
    return next(EXAMPLES[base] for base in type(head).__mro__ if base in EXAMPLES)


def gradients(model, head, fast, batch):
    """The loss, and parameter name → gradient, without dropout."""
    model.eval()
    model.zero_grad()
    loss = fast.compute(partial(head.loss, model), batch, CPU)
    loss.backward()
    return loss.item(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize(("kind", "rounding"), KINDS_AND_ROUNDINGS, indirect=["kind"])
def test_the_same_loss_and_gradients(head, kind, rounding, monkeypatch):
    monkeypatch.setattr("harness.fast.packing.FP32_ROUNDING", rounding)  # of models in fp32, where rounding hides nothing
    model = head.build()
    features = head.encode(examples_of(head), training=True)
    batch = head.collate(sorted(features, key=lambda feature: -feature.length))
    plain = copy.deepcopy(model)
    fast = prepare(model, head, [features], features)
    if kind in PADDED_KINDS:
        assert fast.packing is None and PADDED_KINDS[kind] in fast.refused
    else:
        assert fast.packing is not None, fast.refused
    expected_loss, expected = gradients(plain, head, BatchComputer(), batch)
    loss, found = gradients(model, head, fast, batch)
    assert loss == pytest.approx(expected_loss, abs=1e-5)
    used = [module for module in model.modules() if type(module).__name__ == "UsedEmbedding"]
    assert set(found) <= set(expected) and (len(found) == len(expected) or used)
    largest = max(float(gradient.abs().max()) for gradient in expected.values())
    for name, gradient in found.items():
        if gradient.shape != expected[name].shape:
            rows = (used[0].positions >= 0).nonzero().flatten()
            assert not expected[name][used[0].positions < 0].any(), "a word that no row holds has a gradient"
            expected[name] = expected[name][rows]
        torch.testing.assert_close(gradient, expected[name], atol=1e-5 * max(1, largest), rtol=1e-4)


def test_predictions_are_what_they_were(head):
    """Hooks and another attention change nothing where no batch is packed, also in generation; removed, they leave nothing."""
    model = head.build().eval()
    features = head.encode(examples_of(head), training=False)
    batch = head.collate(features)
    plain = copy.deepcopy(model)
    training = head.encode(examples_of(head), training=True)
    fast = prepare(model, head, [features, training], training)
    model.eval()
    with torch.inference_mode():
        assert str(head.predict(model, batch)) == str(head.predict(plain, batch))
        fast.stop_packing("")
        assert str(head.predict(model, batch)) == str(head.predict(plain, batch))
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in model.modules())


def test_the_same_answers(head):
    """Packed evaluation gives what padded evaluation gives."""
    torch.manual_seed(0)  # two spans of a head of random weights may score all but alike
    model = head.build().eval()
    features = head.encode(examples_of(head), training=True)
    accelerator = make_accelerator("cpu", "fp32")
    answers = []
    for fast in (None, prepare(model, head, [features], features)):
        read = head.encode(examples_of(head), training=False)
        answers.append(predict(accelerator, model, head, read, 3, 2, fast=fast))
    for padded, packed in zip(*answers, strict=True):
        if isinstance(padded, dict):
            assert padded["text"] == packed["text"] and padded["score"] == pytest.approx(packed["score"], abs=1e-4)
        else:
            assert padded == packed


@pytest.fixture
def bert(checkpoints):
    """(model, head, features) of a classifier."""
    torch.manual_seed(0)
    first = next(iter(EXAMPLES))
    head = first(Pretrained(resolve(str(checkpoints("bert"))), METHODS["full"]), RECIPE, LABELS[first], {})
    return head.build(), head, head.encode(EXAMPLES[first], training=True)


@pytest.mark.parametrize("name", ["sdpa_mask", "sdpa_attention_forward"])
def test_a_transformers_without_its_internals_pads(bert, name, monkeypatch, caplog):
    """As a later version might be: the names that packing takes from inside the library are gone."""
    model, head, features = bert
    monkeypatch.setenv("BENCH_CACHE", "off")
    module = "transformers.masking_utils" if name == "sdpa_mask" else "transformers.integrations.sdpa_attention"
    monkeypatch.delattr(f"{module}.{name}")
    spec = importlib.util.find_spec("harness.models.internals")
    lacking = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lacking)
    assert name in lacking.MISSING and [record.levelname for record in caplog.records] == ["WARNING"]
    monkeypatch.setattr(internals, "MISSING", lacking.MISSING)
    fast = prepare(model, head, [features], features)
    assert fast.packing is None and name in fast.refused and fast.batches == "padded"
    assert torch.isfinite(fast.compute(partial(head.loss, model), head.collate(features), CPU))


def test_real_tokens_alone_enter_the_layers(bert, monkeypatch):
    monkeypatch.setattr("harness.fast.packing.FP32_ROUNDING", NO_ROUNDING)
    model, head, features = bert
    fast = prepare(model, head, [features], features)
    seen = []
    model.bert.encoder.layer[0].intermediate.register_forward_hook(
        lambda layer, args, output: seen.append(args[0].shape)
    )
    fast.compute(partial(head.loss, model), head.collate(features), CPU)
    assert seen == [(1, sum(feature.length for feature in features), 32)]


def test_a_model_that_comes_out_otherwise_is_refused(bert, monkeypatch):
    """Rows that see each other, as they would in a model whose layers look around outside their attention."""
    model, head, features = bert
    monkeypatch.setenv("BENCH_CACHE", "off")  # which knows nothing of the fault
    monkeypatch.setattr(attention, "_bias", lambda *arguments: None)
    preflight = Preflight(model, head, [features], features)
    preflight.compute_reference()
    packing = Packing(model)
    with pytest.raises(Disagrees, match="outputs differ"):
        preflight.check([preflight.rows], packing)
    packing.remove()
    fast = prepare(model, head, [features], features)
    assert fast.packing is None and "differ" in fast.refused
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_what_attention_is_asked_for_and_not_known_here_is_refused(bert):
    model, head, features = bert
    preflight = Preflight(model, head, [features], features)
    preflight.compute_reference()
    packing = Packing(model)
    layer = model.bert.encoder.layer[0].attention.self
    forward = layer.forward
    layer.forward = lambda *args, **kwargs: forward(*args, **kwargs, sinks=torch.ones(2))
    with pytest.raises(NotPackable, match="sinks"):
        preflight.check([preflight.rows], packing)


def test_a_window_is_packed_only_where_it_holds_whole_rows(checkpoints):
    """ModernBERT's layers look 64 tokens to each side: a long row met in training is padded, and the training goes on."""
    torch.manual_seed(0)
    first = next(iter(EXAMPLES))
    pretrained = Pretrained(resolve(str(checkpoints("modernbert"))), METHODS["full"])
    head = first(pretrained, RECIPE.updated({"max_length": 200}), LABELS[first], {})
    model = head.build()
    long = {"text": "the cat sees " * 40, "text_pair": None, "label": "bad"}
    short = head.encode(EXAMPLES[first], training=True)
    features = head.encode([*EXAMPLES[first], long], training=True)
    fast = prepare(model, head, [features], short)
    assert fast.packing is not None, fast.refused
    plain = copy.deepcopy(model)
    fast_loss, _ = gradients(model, head, fast, head.collate(features))
    assert fast.packing is None and "window" in fast.refused
    assert fast_loss == pytest.approx(gradients(plain, head, BatchComputer(), head.collate(features))[0], abs=1e-5)


def test_products_have_few_shapes(bert):
    model, head, features = bert
    fast = prepare(model, head, [features], features)
    sizes = []
    model.bert.encoder.layer[0].register_forward_pre_hook(lambda layer, args: sizes.append(args[0].shape[1]))
    batch = head.collate(sorted(features, key=lambda feature: -feature.length))
    fast.compute(partial(head.loss, model), batch, CPU)
    Weights(model, half=True)
    fast.compute(partial(head.loss, model), batch, CPU)
    real = int(batch["attention_mask"].sum())
    assert sizes == [round_up(real, FP32_ROUNDING.tokens), round_up(real, BF16_ROUNDING.tokens)] and real not in sizes
