"""The identity of a cell: whatever could change the score changes it, and nothing else does."""

from dataclasses import asdict, replace

import pytest

from harness.cell import Cell
from harness.data.source import GeneratedSource
from harness.model import Checkpoint
from harness.recipe import Recipe
from harness.task import Task


def rows():
    return {"all": [{"text": "a", "label": "b"}]}


TASK = Task("tweets", "sentiment", GeneratedSource(rows, "test"), labels=("neg", "pos"))
MODEL = Checkpoint("bert", "org/bert", "org/bert", "c0ffee", None, "encoder", "d1")
CELL = Cell(MODEL, TASK, "f1", 1, "full", 0, Recipe(), "mini")

CHANGES = {
    "weights": replace(CELL, model=replace(MODEL, digest="d2")),
    "architecture": replace(CELL, model=replace(MODEL, architecture="decoder")),
    "data": replace(CELL, fingerprint="f2"),
    "family version": replace(CELL, family_version=2),
    "task version": replace(CELL, task=replace(TASK, version=2)),
    "columns": replace(CELL, task=replace(TASK, columns={"text": "x"})),
    "labels": replace(CELL, task=replace(TASK, labels=("pos", "neg"))),
    "options": replace(CELL, task=replace(TASK, options={"mode": "strict"})),
    "limit": replace(CELL, task=TASK.limited(10)),
    "training rows": replace(CELL, train_rows=10),
    "more training rows": replace(CELL, train_rows=100),
    "method": replace(CELL, method="scratch"),
    "seed": replace(CELL, seed=1),
    "recipe": replace(CELL, recipe=Recipe(learning_rate=1e-4)),
    "adapters": replace(CELL, method="lora"),
    "rank of adapters": replace(CELL, method="lora", recipe=Recipe(lora_rank=4)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_changes_the_score_changes_the_id(what):
    assert CHANGES[what].id != CELL.id


def test_all_changes_differ_from_each_other():
    assert len({cell.id for cell in CHANGES.values()}) == len(CHANGES)


@pytest.mark.parametrize(
    "other",
    [
        replace(CELL, suite="mine"),
        replace(CELL, recipe=Recipe(micro_batch_size=4, eval_batch_size=8)),
        replace(CELL, recipe=Recipe(lora_rank=4, lora_alpha=4, lora_dropout=0.1, lora_targets="all")),
        replace(CELL, model=replace(MODEL, location="/elsewhere")),
    ],
)
def test_what_does_not_change_the_score_does_not_change_the_id(other):
    assert other.id == CELL.id


def test_the_id_is_readable_and_fit_for_a_folder():
    odd = replace(CELL, model=replace(MODEL, name="org/my model"), task=TASK.limited(10))
    assert odd.id.startswith("tweets@10--org_my_model--full--s0--")
    assert "/" not in odd.id


@pytest.mark.parametrize("name", [".hidden", "..", ".", "-rf"])
def test_no_cell_has_a_hidden_folder_or_one_like_an_option(name):
    assert replace(CELL, task=replace(CELL.task, name=name)).id.startswith(f"_{name[1:]}--bert--full--s0--")


def test_the_id_is_the_same_in_every_version():
    """A changed id would run every finished cell of everybody again: it may change with the protocol only."""
    assert CELL.id == "tweets--bert--full--s0--7306712cdfb5"


def test_the_recipe_is_told_as_far_as_the_method_reads_it_and_as_a_copy():
    lora = replace(CELL, method="lora").facts()["recipe"]
    assert list(lora.items()) == list(asdict(CELL.recipe).items())
    told = CELL.facts()["recipe"]
    assert set(lora) - set(told) == {"lora_rank", "lora_alpha", "lora_dropout", "lora_targets"}
    told["epochs"] = 99
    assert CELL.recipe.epochs != 99
