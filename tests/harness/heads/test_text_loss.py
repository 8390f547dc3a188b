"""Extra positions computed beside the target leave loss and gradients as the library has them."""

import pytest
import torch

from harness.heads import text
from harness.heads.base import IGNORE
from harness.heads.text import PromptedTextHead, TextHead

from .test_decoding import batch, make


@pytest.mark.parametrize("multiple", [1, 5, 32])
@pytest.mark.parametrize("kind, head", [("t5", TextHead), ("gpt2", PromptedTextHead)])
def test_the_loss_is_that_of_the_library(kind, head, multiple, monkeypatch):
    monkeypatch.setattr(text, "POSITIONS_MULTIPLE", multiple)
    model = make(kind).eval()
    ids, mask = batch(model, 4)
    labels = ids.masked_fill(mask == 0, IGNORE)
    labels[:, 0] = IGNORE
    given = {"input_ids": ids, "attention_mask": mask, "labels": labels}
    count = []
    model.get_output_embeddings().register_forward_hook(
        lambda layer, args, scores: count.append(scores.shape[:-1].numel())
    )
    made = head.__new__(head).loss(model, given)
    right = model(**given).loss
    assert count[0] % multiple == 0 and 0 <= count[0] - int((labels != IGNORE).sum()) < multiple
    torch.testing.assert_close(made, right)
    weights = list(model.parameters())
    for gradient, expected in zip(
        torch.autograd.grad(made, weights, allow_unused=True),
        torch.autograd.grad(right, weights, allow_unused=True),
        strict=True,
    ):
        assert (gradient is None) == (expected is None)
        if gradient is not None:
            torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-6)
