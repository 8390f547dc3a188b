"""The harness against `transformers.Trainer`: the same inputs, the same decoding, and after training the same weights.

benchmarks/trainer.py is written as the library's examples are, without the harness. Where batches are the whole data set and
nothing is dropped out, no chance is left and both sides must give the same logits.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate.utils import set_seed
from transformers import AutoConfig, BertForQuestionAnswering

from harness.fast.prepare import prepare
from harness.heads.sequence import SequenceHead
from harness.heads.spans import SpanHead
from harness.heads.tokens import TokenHead
from harness.methods import METHODS
from harness.models.load import Pretrained
from harness.models.resolve import resolve
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.planning.suite import load_suite
from harness.recipe import Recipe
from harness.registry import family
from harness.task_data import load_splits
from harness.training.device import make_accelerator
from harness.training.loop import train
from harness.training.weights import Weights

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
import trainer  # noqa: E402 - a script beside the package
from fit import Way  # noqa: E402

# The last one has questions without answer.
HEADS = {"sst2": SequenceHead, "wikigold": TokenHead, "xquad": SpanHead, "subjqa": SpanHead}
ROWS = 24
# One batch is the whole training split, so its order does not matter; a warm-up of no step is the same in any convention.
RECIPE = Recipe(
    learning_rate=1e-3, batch_size=1000, epochs=4, warmup_ratio=0, weight_decay=0.1, max_grad_norm=0.5, precision="fp32",
    max_length=128, doc_stride=32,
)  # fmt: skip
WAY = Way(eval_batch_size=RECIPE.eval_batch_size, keep_best=True)


@pytest.fixture
def folder(checkpoints, tmp_path):
    """A tiny BERT without dropout."""
    config = AutoConfig.from_pretrained(checkpoints("bert"), hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    for file in checkpoints("bert").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config.save_pretrained(tmp_path)
    return tmp_path


@pytest.fixture(params=HEADS)
def problem(request, shared, folder):
    """(task, family, splits, head) of real rows."""
    suites = (load_suite(str(ROOT / "benchmarks" / name)) for name in ("real.yaml", "other.yaml"))
    task = next(task for suite in suites for task in suite.tasks if task.name == request.param)
    task = task.limited(ROWS)
    adapter = family(task.family)
    splits = load_splits(task, adapter)
    if task.family == "ner":
        splits = readable(splits)
    if task.family == "qa":
        splits = {name: [row for row in rows if single(row)] for name, rows in splits.items()}
    names = {tag for row in splits["train"] for tag in row["tags"]} if task.family == "ner" else set(task.label_order)
    labels = sorted(names)
    pretrained = Pretrained(resolve(str(folder)), METHODS["full"])
    return task, adapter, splits, HEADS[request.param](pretrained, RECIPE, labels, task.options)


def single(row):
    """Of several answers the examples train on the first one, the harness in each window on the first that the window holds."""
    return len(set(row["answers"]["text"])) < 2


def readable(splits):
    """The sentences that the examples do not cut (the tiny tokeniser often takes a character for a token) and can score."""
    short = {
        name: [row for row in rows if len("".join(row["words"])) < RECIPE.max_length - 8]
        for name, rows in splits.items()
    }
    known = {tag for row in short["train"] for tag in row["tags"]}
    return {name: [row for row in rows if known.issuperset(row["tags"])] for name, rows in short.items()}


def examples(problem, split):
    task, adapter, splits, _ = problem
    return [adapter.example(row, task) for row in splits[split]]


def centred(logits):
    """A softmax ignores what is added to all logits, so its gradient there is rounding noise, which Adam blows up."""
    return logits - logits.mean(axis=0 if logits.ndim == 1 else -1, keepdims=True)


def test_inputs_and_decoding_are_the_same(problem, folder, monkeypatch):
    """Token for token, label for label; and the same made-up logits become the same answers."""
    task, adapter, splits, head = problem
    noise = np.random.default_rng(0)

    def made_up(network, tokenizer, collator, data, *rest):
        shape = (len(data["test"]), max(map(len, data["test"]["input_ids"])))
        made_up.data = data
        made_up.logits = {
            "sentiment": lambda: noise.normal(size=(shape[0], 2)),
            "ner": lambda: noise.normal(size=(*shape, len(head.labels))),
            "qa": lambda: (noise.normal(size=shape), noise.normal(size=shape)),
        }[task.family]()
        return made_up.logits

    monkeypatch.setattr(trainer, "fit", made_up)
    theirs = trainer.BY_FAMILY[task.family](str(folder), splits, RECIPE, 0, WAY, len)
    for split, data in made_up.data.items():
        features = head.encode(examples(problem, split), training=True)
        assert len(features) == len(data)
        for feature, row in zip(features, data, strict=True):
            for name, values in feature.inputs.items():
                assert values == row["label" if name == "labels" and "label" in row else name], (split, name)
    features = head.encode(examples(problem, "test"), training=False)
    if task.family == "qa":
        assert len(features) > len(splits["test"]), "no long context, so windows are not tested"
        outputs = list(zip(*made_up.logits, strict=True))
    else:
        outputs = made_up.logits.argmax(-1).tolist()
    decoded = head.decode(features, outputs, len(splits["test"]))
    ours = [adapter.prediction(output, row, task) for output, row in zip(decoded, splits["test"], strict=True)]
    assert ours == theirs and len({json.dumps(answer) for answer in ours}) > 1


def test_words_that_the_examples_cut_count_as_o(tmp_path, folder, monkeypatch, capsys):
    """A file with a sentence of 600 words, and a tag that training never saw."""
    names = [f"w{number}" for number in range(600)]
    long = "\n".join(f"{name} {'B-PER' if number % 3 == 0 else 'O'}" for number, name in enumerate(names))
    for split in ("train", "validation", "test"):
        strange = "\n\nAda B-ELSEWHERE" if split == "test" else ""
        (tmp_path / f"{split}.conll").write_text(f"{long}\n\nAda B-PER\nsings O{strange}\n")
    files = {split: str(tmp_path / f"{split}.conll") for split in ("train", "validation", "test")}
    (tmp_path / "task.yaml").write_text(
        json.dumps({"name": "long", "family": "ner", "data": {"format": "conll", "files": files}})
    )
    [task] = [cell.task for cell in make_plan(Request([str(folder)], [str(tmp_path / "task.yaml")])).cells]
    adapter = family("ner")
    splits = load_splits(task, adapter)

    def made_up(network, tokenizer, collator, data, recipe, seed, way, score):
        logits = np.zeros((len(data["test"]), recipe.max_length, network.num_labels))
        logits[..., 0] = 1.0
        assert score(logits[: len(data["validation"])]) == [600, 2], "a prediction for each word of the validation"
        return logits

    monkeypatch.setattr(trainer, "fit", made_up)
    way = Way()
    found = trainer.tag(str(folder), splits, RECIPE, 0, way, lambda found: list(map(len, found)))
    assert [len(tags) for tags in found] == [600, 2, 1] and found[0][-1] == "O" and found[2] == ["B-PER"]
    assert 0 < way.figures["cut_words"] == found[0].count("O") < 600, "what was read is B-PER"
    assert f"test: {way.figures['cut_words']} of 603 words were cut; they count as O" in capsys.readouterr().err
    assert adapter.score(found, [adapter.reference(row, task) for row in splits["test"]], task)["f1"] >= 0


class QuestionAnsweringWithoutPadding(BertForQuestionAnswering):
    """The library's own counts padding as a place where an answer may be, so a window's loss depends on its neighbours."""

    def forward(self, input_ids, attention_mask, start_positions=None, end_positions=None, **inputs):
        output = super().forward(input_ids, attention_mask, **inputs)
        if start_positions is not None:
            rows, parts = range(len(input_ids)), []
            for logits, wanted in ((output.start_logits, start_positions), (output.end_logits, end_positions)):
                real = [logits[row][attention_mask[row] == 1] for row in rows]  # padding is on the right
                parts += [-real[row].log_softmax(-1)[wanted[row]] for row in rows]
            output["loss"] = torch.stack(parts).mean()
        return output


def test_training_gives_the_same_logits(problem, folder, monkeypatch):
    """Loss, gradient clipping, optimiser, weight decay, schedule and the choice of the best epoch, all at once, and with
    batches that are padded there and packed here."""
    task, _, splits, head = problem
    scores = [1.0, 2.0, 3.0, 2.5]  # the third of four epochs is the best one
    fit, found = trainer.fit, {}

    def kept(*arguments):
        turn = iter(scores)
        found["logits"] = fit(*arguments[:-1], lambda logits: next(turn))
        return found["logits"]

    monkeypatch.setattr(trainer, "fit", kept)
    monkeypatch.setattr(trainer, "AutoModelForQuestionAnswering", QuestionAnsweringWithoutPadding)
    trainer.BY_FAMILY[task.family](str(folder), splits, RECIPE, 7, WAY, len)
    theirs = found["logits"] if task.family == "qa" else (found["logits"],)

    set_seed(7)
    model = head.build()
    features = {split: head.encode(examples(problem, split), training=split == "train") for split in splits}
    fast = prepare(model, head, list(features.values()), features["train"])
    assert fast.packing, fast.refused
    turn = iter(scores)
    outcome = train(
        make_accelerator("cpu", "fp32"), Weights(model), head, fast, features["train"],
        lambda: (next(turn), {}), RECIPE, 7, lambda event: None,
    )  # fmt: skip
    assert (outcome.steps, outcome.best_step) == (4, 3)
    model.eval()
    with torch.inference_mode():
        output = model(**head.collate(features["test"]))
    ours = (output.start_logits, output.end_logits) if task.family == "qa" else (output.logits,)
    for mine, reference in zip(ours, theirs, strict=True):
        for number, feature in enumerate(features["test"]):
            length = feature.length if task.family != "sentiment" else 2
            np.testing.assert_allclose(
                centred(mine[number, :length].numpy()), centred(reference[number, :length]), atol=1e-4
            )
