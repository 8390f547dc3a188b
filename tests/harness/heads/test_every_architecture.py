"""Every head on every kind of backbone: inputs, labels, outputs, and that padding changes nothing."""

import math

import pytest
import tiny
import torch
from head_examples import EXAMPLES, LABELS, RECIPE

from harness.heads.base import IGNORE
from harness.heads.generation import end_token
from harness.heads.sequence import SequenceHead
from harness.heads.spans import SpanHead
from harness.heads.text import TextHead
from harness.heads.tokens import TokenHead
from harness.methods import METHODS
from harness.models.load import Pretrained
from harness.models.resolve import resolve


@pytest.fixture(params=tiny.KINDS)
def pretrained(request, checkpoints):
    return Pretrained(resolve(str(checkpoints(request.param))), METHODS["full"])


@pytest.fixture(params=EXAMPLES, ids=lambda kind: kind.__name__)
def head(request, pretrained):
    torch.manual_seed(0)
    kind = request.param.for_architecture(pretrained.architecture)
    made = kind(pretrained, RECIPE, LABELS[request.param], {})
    made.examples = EXAMPLES[request.param]
    return made


def test_it_learns_its_examples(head):
    """Thirty steps on three examples lower the loss by far: labels, masks and gradients fit together."""
    model = head.build()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    batch = head.collate(head.encode(head.examples, training=True))
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss = head.loss(model, batch)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    assert all(map(math.isfinite, losses))
    assert losses[-1] < losses[0] * 0.7, (losses[0], losses[-1])


def test_it_answers_every_example(head):
    model = head.build().eval()
    features = head.encode(head.examples, training=False)
    assert {feature.example for feature in features} == set(range(3))
    assert not {"labels", "start_positions"} & set(features[0].inputs)
    with torch.inference_mode():
        outputs = head.predict(model, head.collate(features))
    answers = head.decode(features, outputs, 3)
    assert len(answers) == 3
    for example, answer in zip(head.examples, answers, strict=True):
        if isinstance(head, SequenceHead):
            assert answer in LABELS[SequenceHead]
        elif isinstance(head, TokenHead):
            assert len(answer) == len(example["words"]) and set(answer) <= set(LABELS[TokenHead])
        elif isinstance(head, SpanHead):
            assert answer["text"] in example["context"] and math.isfinite(answer["score"])
        else:
            assert isinstance(answer, str)


def test_padding_changes_nothing(head):
    """A row's outputs are the same alone and in a batch with longer rows: masks, positions and pooling are right."""
    model = head.build().eval()
    features = head.encode(head.examples, training=True)
    short, long = min(features, key=lambda f: f.length), max(features, key=lambda f: f.length)
    assert short.length < long.length
    with torch.inference_mode():
        alone, together = (model(**inputs(head.collate(rows))) for rows in ([short], [short, long]))
    name = "start_logits" if isinstance(head, SpanHead) else "logits"
    one, other = alone[name][0], together[name][0]
    if not isinstance(head, SequenceHead):
        length = one.shape[0]
        one, other = one[:length], other[:length]
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def test_padding_changes_no_loss(head):
    """The loss of a batch is the mean over the terms of its rows, whatever else is in the batch."""
    model = head.build().eval()
    features = head.encode(head.examples, training=True)
    rows = [min(features, key=lambda f: f.length), max(features, key=lambda f: f.length)]
    terms = [head.loss_terms(row) for row in rows]
    with torch.inference_mode():
        alone = sum(
            float(head.loss(model, head.collate([row]))) * count for row, count in zip(rows, terms, strict=True)
        )
        together = float(head.loss(model, head.collate(rows)))
    assert together == pytest.approx(alone / sum(terms), abs=1e-4)


def inputs(batch):
    """The batch without the positions of answers, which `head.loss` does not pass to the model."""
    return {name: tensor for name, tensor in batch.items() if not name.endswith("_positions")}


def test_it_starts_from_the_checkpoint(head):
    """Every matrix of the backbone is the checkpoint's: a head that names its backbone differently would start from noise."""
    from transformers import AutoModel

    model = head.build().state_dict()
    known = {tensor.shape: [] for tensor in model.values()}
    for tensor in model.values():
        known[tensor.shape].append(tensor)
    backbone = AutoModel.from_pretrained(head.pretrained.checkpoint.location).state_dict()
    if not isinstance(head, TextHead) and head.pretrained.architecture == "encoder-decoder":
        backbone = {name: tensor for name, tensor in backbone.items() if not name.startswith("decoder.")}
    for name, tensor in backbone.items():
        if tensor.ndim == 2 and "pooler" not in name:
            assert any(torch.equal(tensor, other) for other in known.get(tensor.shape, [])), name


def test_scratch_has_other_weights_of_the_same_shape(head):
    trained = head.build().state_dict()
    head.pretrained.method = METHODS["scratch"]
    fresh = head.build().state_dict()
    assert {name: tensor.shape for name, tensor in trained.items()} == {
        name: tensor.shape for name, tensor in fresh.items()
    }
    matrices = [
        name for name, tensor in trained.items() if tensor.ndim == 2 and tensor.is_floating_point() and tensor.std() > 0
    ]
    assert matrices and not any(torch.equal(trained[name], fresh[name]) for name in matrices)


def test_labels_are_ignored_outside_the_target(head):
    if isinstance(head, TextHead):
        features = head.encode(head.examples, training=True)
        for feature, example in zip(features, head.examples, strict=True):
            labels = [token for token in feature.inputs["labels"] if token != IGNORE]
            assert head.tokenizer.decode(labels, skip_special_tokens=True).split() == example["target"].split()
            assert labels[-1] == end_token(head.tokenizer)
            assert head.loss_terms(feature) == len(labels)


@pytest.mark.parametrize("kind", [SequenceHead, TokenHead, SpanHead, TextHead], ids=lambda kind: kind.__name__)
def test_an_encoder_decoder_of_two_models_serves_every_family(kind, checkpoints, tmp_path):
    """An encoder-decoder of two BERTs can only be loaded whole; its encoder reads for the other families."""
    pretrained = Pretrained(resolve(str(checkpoints("bert"))), METHODS["full"])
    TextHead(pretrained, RECIPE, [], {}).build().save_pretrained(tmp_path)
    pretrained.tokenizer.save_pretrained(tmp_path)
    both = Pretrained(resolve(str(tmp_path)), METHODS["full"])
    assert both.architecture == "encoder-decoder"
    head = kind(both, RECIPE, LABELS[kind], {})
    model = head.build()
    batch = head.collate(head.encode(EXAMPLES[kind], training=True))
    assert math.isfinite(float(head.loss(model, batch)))
    assert all(parameter in both.taken for name, parameter in model.named_parameters() if name.startswith("backbone."))
