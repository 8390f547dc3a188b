"""Methods that train a part of a model: which part, and that the rest keeps the checkpoint's weights bit for bit."""

import pytest
import tiny
import torch
from head_examples import EXAMPLES, LABELS, RECIPE
from torch import nn

from harness.adapt import adapt
from harness.adapt.frozen import backbone
from harness.errors import BenchError
from harness.fast.prepare import prepare
from harness.fast.vocabulary import UsedEmbedding
from harness.heads.sequence import SequenceHead
from harness.heads.text import TextHead
from harness.methods import METHODS
from harness.models.load import Pretrained
from harness.models.resolve import resolve
from harness.recipe import Recipe

PARTS = ["frozen", "lora"]
HEADS = pytest.mark.parametrize("head", EXAMPLES, ids=lambda kind: kind.__name__)


def build(folder, kind, method, recipe=RECIPE):
    """A head, its model after a method was applied to it, and the weights before."""
    pretrained = Pretrained(resolve(str(folder)), METHODS[method])
    made = kind.for_architecture(pretrained.architecture)(pretrained, recipe, LABELS[kind], {})
    torch.manual_seed(0)
    model = made.build()
    before = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    adapt(model, METHODS[method], pretrained, recipe)
    return made, model, before


def trained(model):
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def step(head, model, examples, steps=3):
    features = head.encode(examples, training=True)
    fast = prepare(model, head, [features], features)
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    model.train()
    losses = []
    for _ in range(steps):
        loss = fast.compute(lambda batch: head.loss(model, batch), head.collate(features), torch.device("cpu"))
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    return fast, losses


@pytest.mark.parametrize("kind", tiny.KINDS)
@pytest.mark.parametrize("method", PARTS)
@HEADS
def test_only_the_intended_weights_are_trained(checkpoints, kind, method, head):
    made, model, before = build(checkpoints(kind), head, method)
    # From here on the numbers are those of the model as it is trained: an output layer may have got weights of its own.
    start = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    moving = trained(model)
    frozen = set(start) - moving
    assert moving and frozen
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    _, losses = step(made, model, EXAMPLES[head], steps=16)
    assert min(losses[1:]) < losses[0]
    now = dict(model.named_parameters())
    for name in frozen:
        if now[name].shape == start[name].shape:  # a table may have been cut down
            assert torch.equal(now[name], start[name]), name
    unused = {name for name in moving if now[name].grad is None and torch.equal(now[name], start[name])}
    assert all("pooler" in name for name in unused), unused  # an encoder's, in an encoder-decoder
    changed = {name for name in moving if not torch.equal(now[name], start[name])}
    if method == "lora":
        adapters = {name for name in moving if ".lora_" in name}
        assert adapters <= changed
        assert not [name for name in frozen if ".lora_" in name]
    # What is frozen is the checkpoint's: nothing that was drawn at random stays as it was drawn.
    fresh = {name for name in before if name.startswith(("classifier", "score", "qa_outputs", "linear"))}
    assert fresh <= moving
    assert changed


@pytest.mark.parametrize("kind", ["bert", "gpt2", "t5"])
@HEADS
def test_adapters_change_nothing_at_the_start(checkpoints, kind, head):
    outputs = []
    for method in ("full", "lora"):
        made, model, _ = build(checkpoints(kind), head, method)
        features = made.encode(EXAMPLES[head], training=True)
        with torch.inference_mode():
            outputs.append(made.loss(model.eval(), made.collate(features)))
    torch.testing.assert_close(outputs[0], outputs[1])


@pytest.mark.parametrize("kind", ["gpt2", "t5", "bart", "llama"])
def test_frozen_generative_models_train_the_output_layer(checkpoints, kind):
    _, model, before = build(checkpoints(kind), TextHead, "frozen")
    assert trained(model) == {"lm_head.weight"}
    assert model.lm_head.weight is not model.get_input_embeddings().weight
    assert torch.equal(model.lm_head.weight, before["lm_head.weight"])


def test_a_frozen_warm_started_model_trains_its_cross_attention(checkpoints):
    _, model, _ = build(checkpoints("bert"), TextHead, "frozen")
    assert {name for name in trained(model) if "crossattention" not in name} <= {
        "encoder.pooler.dense.weight",
        "encoder.pooler.dense.bias",
    }


def test_a_model_without_anything_to_train_is_an_error(checkpoints):
    pretrained = Pretrained(resolve(str(checkpoints("bert"))), METHODS["frozen"])
    from transformers import AutoModel

    model = pretrained.load(AutoModel, pretrained.configure())
    for parameter in model.parameters():
        pretrained.taken[parameter] = ""
    with pytest.raises(BenchError, match="no layer that method 'frozen' could train"):
        adapt(model, METHODS["frozen"], pretrained, Recipe())


@pytest.mark.parametrize("kind", ["bert", "gpt2", "t5", "bart", "distilbert", "llama"])
@HEADS
def test_dropout_is_off_in_frozen_layers_and_on_in_trained_ones(checkpoints, kind, head):
    _, model, _ = build(checkpoints(kind), head, "frozen")
    for mode in (True, False, True):
        model.train(mode)
    frozen = backbone(model)
    for name, module in frozen.named_modules():
        weights = [parameter.requires_grad for parameter in module.parameters()]
        if weights and not all(weights):
            assert not module.training, name
    for module in model.modules():
        weights = [parameter.requires_grad for parameter in module.parameters()]
        if weights and all(weights):
            assert module.training
    if frozen is not model:  # dropout before a classifier is the classifier's
        beside = [child for child in model.children() if isinstance(child, nn.Dropout)]
        assert all(module.training for module in beside)
    assert not any(module.training for module in model.eval().modules())


def test_a_frozen_backbone_gives_the_same_states_in_every_step(checkpoints):
    made, model, _ = build(checkpoints("bert"), SequenceHead, "frozen")
    model.train()
    batch = made.collate(made.encode(EXAMPLES[SequenceHead], training=False))
    first, second = (model.bert.embeddings(batch["input_ids"]) for _ in range(2))
    assert torch.equal(first, second)
    first, second = (model.bert(**batch).last_hidden_state for _ in range(2))
    assert torch.equal(first, second)


def test_which_layers_get_adapters(checkpoints):
    def layers(kind, head=SequenceHead, **values):
        _, model, _ = build(checkpoints(kind), head, "lora", RECIPE.updated(values))
        return {name.rpartition(".lora_A")[0].rpartition(".")[2] for name in trained(model) if ".lora_A" in name}

    assert layers("bert") == {"query", "value"}
    assert layers("gpt2") == {"c_attn"}
    assert layers("t5", TextHead) == {"q", "v"}
    assert layers("bert", lora_targets="all") == {"query", "key", "value", "dense"}
    assert layers("gpt2", TextHead, lora_targets="all") == {"c_attn", "c_proj", "c_fc"}
    # PEFT has no list for this type of model.
    assert layers("distilbert") == {"q_lin", "k_lin", "v_lin", "out_lin", "lin1", "lin2"}


def test_rank_and_dropout_of_adapters(checkpoints):
    _, model, _ = build(
        checkpoints("bert"), SequenceHead, "lora", RECIPE.updated({"lora_rank": 3, "lora_dropout": 0.5})
    )
    query = model.bert.encoder.layer[0].attention.self.query
    assert query.lora_A["default"].weight.shape == (3, 32) and query.lora_B["default"].weight.shape == (32, 3)
    assert query.scaling["default"] == RECIPE.lora_alpha / 3 and query.lora_dropout["default"].p == 0.5


@pytest.mark.parametrize("kind", ["bert", "gpt2", "t5", "bart", "llama"])
@pytest.mark.parametrize("method", PARTS)
@HEADS
def test_fast_computation_stays(checkpoints, kind, method, head):
    """Batches are packed and vocabularies cut as for `full`."""
    facts = []
    for name in ("full", method):
        made, model, _ = build(checkpoints(kind), head, name)
        features = made.encode(EXAMPLES[head], training=True)
        fast = prepare(model, made, [features], features)
        facts.append(fast.facts())
        tables = [module for module in model.modules() if isinstance(module, UsedEmbedding)]
        assert all(table.weight.requires_grad == (name == "full") for table in tables)
    assert facts[0] == facts[1]


@pytest.mark.parametrize("kind", ["bert", "gpt2", "t5"])
@pytest.mark.parametrize("method", PARTS)
@HEADS
def test_packed_gradients_are_those_of_padded_batches(checkpoints, kind, method, head):
    gradients = []
    for packed in (False, True):
        made, model, _ = build(checkpoints.without_dropout(kind), head, method)
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        features = made.encode(EXAMPLES[head], training=True)
        batch = made.collate(features)
        if packed:
            fast = prepare(model, made, [features], features)
            assert fast.packing is not None
            loss = fast.compute(
                lambda one, made=made, model=model: made.loss(model.train(), one), batch, torch.device("cpu")
            )
        else:
            loss = made.loss(model.train(), batch)
        loss.backward()
        gradients.append({name: p.grad for name, p in model.named_parameters() if p.grad is not None})
    assert gradients[0] and set(gradients[0]) == set(gradients[1])
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, atol=1e-5, rtol=1e-3)
