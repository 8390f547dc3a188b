"""Linear layers by oneDNN: outputs and gradients are those of the layers whose place they take."""

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification
from transformers.pytorch_utils import Conv1D

from harness import linear
from harness.linear import Crosswise, Linear, Product, install, packed, precision

pytestmark = pytest.mark.skipif(not linear.OPERATORS, reason="this PyTorch has no operators of oneDNN")
IN, OUT = 48, 80
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 50}


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

    class Own(nn.Linear):
        pass

    own = Own(2, 2)
    install(own)
    assert type(own) is Own


@pytest.mark.parametrize("room", [0, 1 << 29], ids=["", "in its order"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
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
