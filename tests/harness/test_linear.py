"""Linear layers by oneDNN: outputs and gradients are those of the layers whose place they take."""

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification
from transformers.pytorch_utils import Conv1D

from harness import linear, processor
from harness.linear import Crosswise, Linear, Product, install, packed, pays, precision

pytestmark = pytest.mark.skipif(not linear.OPERATORS, reason="this PyTorch has no operators of oneDNN")
IN, OUT = 48, 80
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 50}


REFUSED = pytest.mark.skipif(
    linear.OPERATORS and not torch.ops.mkldnn._is_mkldnn_bf16_supported(),
    reason="oneDNN has no products in bf16 for this processor",
)


@pytest.fixture(autouse=True)
def on_any_processor(monkeypatch):
    monkeypatch.setattr(linear, "pays", lambda precision: True)


def layer(kind):
    torch.manual_seed(0)
    made = Conv1D(OUT, IN) if kind == "crosswise" else nn.Linear(IN, OUT, bias=kind != "without bias")
    if made.bias is not None:
        nn.init.normal_(made.bias)
    return made


def used(made):
    return "Product" in str(made.grad_fn) or any("Product" in str(one) for one, _ in made.grad_fn.next_functions)


@pytest.mark.parametrize("frozen", [False, True], ids=["", "frozen"])
@pytest.mark.parametrize("kind", ["with bias", "without bias", "crosswise"])
def test_outputs_and_gradients(kind, frozen):
    module = layer(kind)
    module.weight.requires_grad_(not frozen)
    states = torch.randn(2, 37, IN, requires_grad=True)
    wanted = [tensor for tensor in (states, *module.parameters()) if tensor.requires_grad]
    upstream = torch.randn(37, 2, OUT).transpose(0, 1)  # with gaps
    expected = module(states)
    gradients = torch.autograd.grad(expected, wanted, upstream)
    install(module)
    assert type(module) is (Crosswise if kind == "crosswise" else Linear)
    made = module(states)
    assert used(made)
    torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-5)
    for gradient, right in zip(torch.autograd.grad(made, wanted, upstream), gradients, strict=True):
        assert gradient.stride() == right.contiguous().stride()
        torch.testing.assert_close(gradient, right, rtol=1e-4, atol=1e-4)


def test_what_is_left_to_pytorch(monkeypatch):
    module = layer("with bias")
    install(module)
    states = torch.randn(5, IN)
    monkeypatch.setattr(Product, "apply", None)
    with torch.no_grad():
        module(states)
    with torch.autocast("cpu", torch.bfloat16):
        assert module(states).dtype == torch.bfloat16
    assert module.double()(states.double()).dtype == torch.float64
    assert module.bfloat16()(states.bfloat16()).dtype == torch.bfloat16
    with pytest.raises(TypeError):
        module.float()(states)
    with torch.enable_grad():
        assert module(states[:0]).shape == (0, OUT)  # an expert that no token asks for

    class Own(nn.Linear):
        pass

    own = Own(2, 2)
    install(own)
    assert type(own) is Own


@pytest.mark.parametrize("room", [0, 1 << 29], ids=["", "in its order"])
@pytest.mark.parametrize("dtype", [torch.float32, pytest.param(torch.bfloat16, marks=REFUSED)])
@torch.inference_mode()
def test_without_gradients_a_model_is_the_same_and_then_as_before(dtype, room, monkeypatch):
    monkeypatch.setattr(linear, "PACKED", room)
    torch.manual_seed(0)
    model = BertForSequenceClassification(BertConfig(**SMALL)).eval()
    install(model)
    ids = torch.arange(40).view(4, 10)
    expected = model(ids).logits
    model.to(dtype)
    calls = []
    monkeypatch.setattr(linear, "product", lambda *given, whole=linear.product: calls.append(1) or whole(*given))
    for _ in range(2):  # weights that have changed are read anew
        with packed(model):
            made = model(ids).logits
        torch.testing.assert_close(
            made.float(), expected, **({} if dtype == torch.float32 else {"rtol": 0.1, "atol": 0.05})
        )
        model.classifier.weight.mul_(2)
        model.classifier.bias.mul_(2)
        expected = expected * 2
    assert len(calls) == 2 * sum(type(module) is Linear for module in model.modules())
    assert not any("forward" in vars(module) for module in model.modules())


def test_layers_that_somebody_has_changed_stay_so():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[0].forward = own = lambda states: states
    with packed(model), torch.no_grad():
        assert model[0].forward is own and "forward" in vars(model[1])
    assert model[0].forward is own and "forward" not in vars(model[1])


def test_unlike_precisions_are_left_alone():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3).bfloat16())
    assert precision(model) is None
    with packed(model):
        assert not any("forward" in vars(module) for module in model)


@pytest.mark.parametrize(
    "maker, vectors, full, half",
    [
        ("AuthenticAMD", "AVX512", True, True),
        ("AuthenticAMD", "AVX2", False, False),  # MKL's products are the quicker ones there
        ("GenuineIntel", "AVX512", False, True),  # and use all of the processor here
        (None, "DEFAULT", False, False),
    ],
)
def test_where_it_pays(maker, vectors, full, half, monkeypatch):
    monkeypatch.setattr(processor, "entry", lambda: {"vendor_id": maker} if maker else {})
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: vectors)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: vectors == "AVX512", raising=False)
    assert (pays(torch.float32), pays(torch.bfloat16), pays(torch.float64)) == (full, half, False)


def test_bf16_is_evaluated_on_every_processor(monkeypatch):
    """Also where oneDNN refuses it, and PyTorch has to do it alone."""
    monkeypatch.undo()
    torch.manual_seed(0)
    model = BertForSequenceClassification(BertConfig(**SMALL)).eval().bfloat16()
    ids = torch.arange(40).view(4, 10)
    with torch.inference_mode(), packed(model):
        made = model(ids).logits
    with torch.inference_mode():
        torch.testing.assert_close(made, model(ids).logits, rtol=0.1, atol=0.05)


def test_where_it_does_not_pay_the_model_is_left_alone(monkeypatch):
    monkeypatch.setattr(linear, "pays", lambda precision: False)
    model = nn.Sequential(nn.Linear(3, 3), Conv1D(3, 3))
    install(model)
    assert [type(module) for module in model] == [nn.Linear, Conv1D]
    with packed(model):
        assert not any("forward" in vars(module) for module in model)
