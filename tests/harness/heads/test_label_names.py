"""Models know the names of their classes, with heads of transformers and with assembled ones, also after saving."""

import pytest
import tiny

from harness.heads.assembled import ClassifierOnBackbone
from harness.heads.sequence import SequenceHead
from harness.heads.tokens import TokenHead
from harness.methods import METHODS
from harness.models.load import Pretrained
from harness.models.resolve import resolve
from harness.recipe import Recipe

LABELS = {SequenceHead: ["Sci/Tech", "World", "好"], TokenHead: ["O", "B-PER", "I-PER"]}


@pytest.mark.parametrize("kind", tiny.KINDS)
@pytest.mark.parametrize("head", LABELS, ids=lambda head: head.__name__)
def test_the_model_knows_the_names_of_its_classes(kind, head, checkpoints):
    names = LABELS[head]
    model = head(Pretrained(resolve(str(checkpoints(kind))), METHODS["full"]), Recipe(), names, {}).build()
    assert model.config.id2label == dict(enumerate(names))
    assert model.config.label2id == {name: number for number, name in enumerate(names)}
    assert model.config.num_labels == len(names)


@pytest.mark.parametrize("kind", ["bert", "gpt2", "t5"])
def test_an_assembled_head_knows_them_and_keeps_them_in_a_file(kind, checkpoints, tmp_path):
    pretrained = Pretrained(resolve(str(checkpoints(kind))), METHODS["full"])
    names = LABELS[SequenceHead]
    model = ClassifierOnBackbone(pretrained, names, "mean")
    assert model.linear.out_features == 3
    model.config.save_pretrained(tmp_path)
    assert type(model.config).from_pretrained(tmp_path).id2label == dict(enumerate(names))
    assert pretrained.config.id2label != dict(enumerate(names))  # the checkpoint's own configuration is left alone
