"""The sides of the speed comparison do the same work, and their figures become the right tables. No time is tested."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding

from harness import registry
from harness.heads.make import make_head
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.task_data import load_splits
from harness.training.device import make_accelerator
from harness.training.evaluate import predict

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
import command  # noqa: E402 - scripts beside the package
import fit  # noqa: E402
import grid  # noqa: E402
import sides  # noqa: E402
import tables  # noqa: E402
import translate  # noqa: E402
from runs import kept  # noqa: E402

CONDITIONS = sides.Conditions(threads=1, precision="fp32", eval_batch_size=16)
RECIPE = {
    "epochs": 2,
    "batch_size": 8,
    "max_length": 128,
    "max_target_length": 8,
    "evaluations": "none",
    "precision": "fp32",
}
FAR_TOO_SLOW = 1e-12  # a learning rate that leaves the weights as they are


def make_cell(task, folder, limit=20, **recipe):
    """A cell of the suite mini, or of benchmarks/real.yaml."""
    suite = "mini" if task.startswith("mini-") else str(ROOT / "benchmarks" / "real.yaml")
    settings = {f"recipe.{name}": str(value) for name, value in {**RECIPE, **recipe}.items()}
    return make_plan(Request([str(folder)], [task], suite=suite, limit=limit, settings=settings)).cells[0]


@pytest.fixture
def environment(monkeypatch):
    """The sides set these for their own process."""
    for name in ("RAYON_NUM_THREADS", "TOKENIZERS_PARALLELISM"):
        monkeypatch.setenv(name, "1")


@pytest.mark.parametrize(
    ("task", "kind"),
    [("mini-sentiment", "bert"), ("mini-ner", "bert"), ("xquad", "bert"), ("mini-translation", "gpt2"),
     ("mini-translation", "t5"), ("mini-translation", "bert")],
)  # fmt: skip
def test_all_sides_do_the_same_work(task, kind, checkpoints, environment, request):
    if not task.startswith("mini-"):
        request.getfixturevalue("shared")
    cell = make_cell(task, checkpoints(kind))
    results = {side: sides.run(side, cell, CONDITIONS) for side in sides.SIDES}
    ours = results["harness"]
    assert ours["steps"] > 2 and ours["validations"] == 2
    for side, result in results.items():
        work = ("steps", "validations", "train_tokens", "evaluate_tokens", "cell", "seed")
        assert [result[name] for name in work] == [ours[name] for name in work], side
        assert result["precision_used"] == "fp32" and 0 <= result["score"] <= 100
        assert result["wall_seconds"] >= result["train_seconds"] + result["evaluate_seconds"] > 0
        assert result["processor_seconds"] > 0 and result["peak_memory_bytes"] > 2**26


def test_the_peers_keep_the_recipe_and_differ_in_their_ways(checkpoints):
    recipe = make_cell("mini-sentiment", checkpoints("bert"), weight_decay=0.3, max_grad_norm=0.7).recipe
    ways = {side: sides.way_of(side, CONDITIONS) for side in sides.PEERS}
    made = {side: fit.arguments_for(recipe, way, 5, 20, "nowhere") for side, way in ways.items()}
    for arguments in made.values():
        wanted = {
            "learning_rate": recipe.learning_rate, "per_device_train_batch_size": 8, "num_train_epochs": 2,
            "weight_decay": 0.3, "max_grad_norm": 0.7, "seed": 5, "warmup_steps": 1, "save_strategy": "no",
        }  # fmt: skip
        assert {name: arguments[name] for name in wanted} == wanted
    differ = ("per_device_eval_batch_size", "train_sampling_strategy", "bf16")
    assert [made["trainer-default"][name] for name in differ] == [8, "random", False]
    assert [made["trainer-tuned"][name] for name in differ] == [16, "group_by_length", False]
    assert ways["tutorial"].pad_to == 128 and ways["trainer-default"].pad_to is None


def test_precision_can_be_forced_on_the_tuned_side_alone():
    forced = sides.Conditions(threads=1, precision="bf16")
    assert [sides.way_of(side, forced).bf16 for side in sides.PEERS] == [False, True, False]


def test_predictions_come_back_in_the_order_of_the_rows(checkpoints):
    """With group_by_length the library evaluates in another order."""
    folder = str(checkpoints("bert"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = [" ".join(["cat", "dog", "house", "the"][number % 4 :] * (1 + number * 7 % 11)) for number in range(40)]
    data = Dataset.from_dict({**tokenizer(texts), "label": [0, 1] * 20})
    recipe = make_cell("mini-sentiment", folder, learning_rate=FAR_TOO_SLOW, epochs=1).recipe
    found = {}
    for side in sides.PEERS:
        torch.manual_seed(0)  # the checkpoint has no pooler
        network = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2)
        torch.nn.init.normal_(network.classifier.weight, std=1000.0)  # rows of an untrained model are much alike
        seen, way = [], sides.way_of(side, sides.Conditions(threads=1, precision="fp32", eval_batch_size=4))
        splits = dict.fromkeys(("train", "validation", "test"), data)
        collator = DataCollatorWithPadding(tokenizer, pad_to_multiple_of=way.pad_to)
        found[side] = fit.fit(
            network, tokenizer, collator, splits, recipe, 0, way, lambda logits: seen.append(logits) or 1.0  # noqa: B023
        )  # fmt: skip
        np.testing.assert_allclose(seen[-1], found[side], atol=1e-2)
    assert np.ptp(found["trainer-default"][:, 0]) > 1, "rows that all look alike have no order"
    for logits in found.values():
        np.testing.assert_allclose(logits, found["trainer-default"], atol=1e-2)


@pytest.mark.parametrize("kind", ["gpt2", "t5"])
def test_translations_are_the_harness_s(kind, checkpoints, environment):
    """Untrained models write the same on both sides: the same prompts, limits, decoding and order."""
    cell = make_cell("mini-translation", checkpoints(kind), learning_rate=FAR_TOO_SLOW, epochs=1)
    family = registry.family("translation")
    splits = load_splits(cell.task, family)
    head = make_head(cell, family, None)
    features = head.encode([family.example(row, cell.task) for row in splits["test"]], training=False)
    ours = predict(make_accelerator("cpu", "fp32"), head.build(), head, features, len(features), 16)
    assert len(set(ours)) > 1
    for side in ("trainer-default", "trainer-tuned"):
        way = sides.way_of(side, CONDITIONS)
        theirs = translate.translate(cell.model.location, splits, cell.recipe, 0, way, lambda found: 0.0)
        assert theirs == ours, side


def result(side, seed, score, wall, **more):
    """What a run leaves behind."""
    return {
        "task": "t", "model": "m", "side": side, "seed": seed, "score": score, "wall_seconds": wall,
        "processor_seconds": 2 * wall, "train_seconds": wall / 2, "evaluate_seconds": wall / 4, "validations": 2,
        "peak_memory_bytes": 2**30, "precision_used": "fp32", **more,
    }  # fmt: skip


def test_medians_ratios_and_spreads():
    theirs = [result("trainer-tuned", seed, 80 + seed, wall) for seed, wall in enumerate((10.0, 90.0, 30.0))]
    ours = [result("harness", seed, 81.5 + seed, wall) for seed, wall in enumerate((20.0, 10.0, 5.0))]
    summaries = [tables.summary(theirs), tables.summary(ours)]
    assert summaries[0]["wall_seconds"] == 30 and summaries[1]["wall_seconds"] == 10
    lines = tables.sides_table(summaries).splitlines()
    assert lines[2] == "| t | m | trainer-tuned | fp32 | 30.0 | 60.0 | 15.0 | 7.5 | 1024 | 81.00 ± 1.00 | 3 |"
    assert len({line.count("|") for line in lines}) == 1
    lines = tables.ratios_table(summaries).splitlines()
    assert lines[2:] == ["| t | m | trainer-tuned | 3.00× | 3.00× | 3.00× | 3.00× | 1.00× | +1.50 |"]


def test_a_side_without_the_harness_beside_it_has_no_ratio():
    assert len(tables.ratios_table([tables.summary([result("tutorial", 0, 1.0, 1.0)])]).splitlines()) == 2


def test_a_finished_run_is_not_run_again(tmp_path):
    file = tmp_path / "folder" / "run.json"
    first = kept(file, dict, [("score", 1.0)])
    assert first["score"] == 1.0 and first["with_start_seconds"] > 0
    assert kept(file, dict, [("score", 2.0)]) == first


@pytest.mark.slow
@pytest.mark.long
def test_a_whole_grid(checkpoints, tmp_path):
    """The command of the harness and the Trainer's loop over the same cells."""
    settings = {name: value for name, value in RECIPE.items() if name != "evaluations"}
    request = Request(
        [str(checkpoints("bert"))], ["mini-sentiment"], seeds=range(2), limit=20,
        settings={f"recipe.{name}": str(value) for name, value in settings.items()},
    )  # fmt: skip
    cells = make_plan(request).cells
    arguments = ["--models", str(checkpoints("bert")), "--tasks", "mini-sentiment", "--seeds", "2"]
    arguments += ["--limit", "20", "--devices", "cpu", "--jobs", "1"]
    for name, value in request.settings.items():
        arguments += ["--set", f"{name}={value}"]
    results = [
        kept(tmp_path / "ours.json", command.bench_run, arguments, [cell.id for cell in cells]),
        kept(tmp_path / "theirs.json", grid.one_after_another, cells, CONDITIONS),
    ]
    results[1]["wall_seconds"] = results[1]["with_start_seconds"]
    assert all(sorted(one["scores"]) == sorted(cell.id for cell in cells) for one in results)
    text = grid.table(results, cells)
    assert "| mini-sentiment@20 |" in text and "| harness | 2 |" in text
