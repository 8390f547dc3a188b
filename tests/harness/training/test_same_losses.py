"""Three steps of a training give the losses that `transformers.Trainer` has from the same weights: every family, four kinds of model.

Packing, kernels, the smaller table of words and the scores of written tokens alone are all at work on our side; on the other are the
library's model, its own loss and its optimiser. Nothing is dropped out, and each batch is the whole split, so no chance is left.
"""

import copy

import pytest
import torch
from head_examples import EXAMPLES, LABELS
from transformers import Trainer, TrainingArguments

from harness.fast.prepare import prepare
from harness.heads.sequence import SequenceHead
from harness.heads.spans import SpanHead
from harness.methods import METHODS
from harness.models.load import Pretrained
from harness.models.resolve import resolve
from harness.recipe import Recipe
from harness.training.device import make_accelerator
from harness.training.loop import train
from harness.training.step import Step
from harness.training.weights import Weights

PAIRS = [
    {"text": "the cat sees anna", "text_pair": "anna", "label": "good"},
    {"text": "dog", "text_pair": "the dog is not very good in lisbon", "label": "bad"},
    {"text": "the garden was bad", "text_pair": "who sees the garden ?", "label": "bad"},
]
FAMILIES = {"texts": (SequenceHead, EXAMPLES[SequenceHead]), "pairs": (SequenceHead, PAIRS)}
FAMILIES |= {kind.__name__: (kind, examples) for kind, examples in EXAMPLES.items() if kind is not SequenceHead}
RECIPE = Recipe(
    learning_rate=5e-3, batch_size=100, epochs=3, warmup_ratio=0, weight_decay=0.0, max_grad_norm=1.0, precision="fp32", max_length=48,
    doc_stride=12, max_target_length=40, evaluations=1, patience=0,
)  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["deberta-v2", "electra", "llama", "t5"])
def test_three_steps_have_the_losses_of_the_library(checkpoints, tmp_path, kind, family, monkeypatch):
    torch.manual_seed(0)
    pretrained = Pretrained(resolve(str(checkpoints.without_dropout(kind))), METHODS["full"])
    base, examples = FAMILIES[family]
    head = base.for_architecture(pretrained.architecture)(pretrained, RECIPE, LABELS[base], {})
    model = head.build()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # also of heads of our own
    features = head.encode(examples, training=True)
    theirs = library_losses(copy.deepcopy(model), head, features, tmp_path)
    ours = harness_losses(model, head, features, monkeypatch)
    assert len(ours) == len(theirs) == 3 and theirs[2] < theirs[0]
    assert ours == pytest.approx(theirs, abs=1e-4)


def harness_losses(model, head, features, monkeypatch):
    steps, run = [], Step.run
    monkeypatch.setattr(Step, "run", lambda self, batch, progress: steps.append(run(self, batch, progress)) or steps[-1])
    fast = prepare(model, head, [features], features)
    train(
        make_accelerator("cpu", "fp32"), Weights(model), head, fast, features, lambda: (0.0, {}), RECIPE, 0, lambda event: None
    )  # fmt: skip
    return [float(loss) for loss in steps]


def library_losses(model, head, features, folder):
    """Of `transformers.Trainer`, with the model's own loss; for answers the library's would count padding, so it is written out."""
    losses = []

    class Recording(Trainer):
        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            if isinstance(head, SpanHead):
                hidden = inputs["attention_mask"] == 0
                given = {name: value for name, value in inputs.items() if not name.endswith("_positions")}
                made = model(**given)
                scores = (made.start_logits, made.end_logits)
                wanted = (inputs["start_positions"], inputs["end_positions"])
                both = [
                    torch.nn.functional.cross_entropy(score.masked_fill(hidden, -torch.inf), place)
                    for score, place in zip(scores, wanted, strict=True)
                ]
                loss = sum(both) / 2
            else:
                loss = model(**inputs).loss
            losses.append(float(loss))
            return loss

    settings = TrainingArguments(
        str(folder), per_device_train_batch_size=RECIPE.batch_size, num_train_epochs=3, learning_rate=RECIPE.learning_rate,
        weight_decay=0.0, max_grad_norm=1.0, warmup_steps=0, report_to=[], save_strategy="no", use_cpu=True, disable_tqdm=True,
        remove_unused_columns=False, logging_strategy="no",
    )  # fmt: skip
    Recording(model=model, args=settings, train_dataset=list(features), data_collator=head.collate).train()
    return losses
