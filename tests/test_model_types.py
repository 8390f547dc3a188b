"""Tiny checkpoints of a hundred model types through every family: a row's prediction never depends on the rows beside it, or the model
is refused in one line."""

import pytest
from model_types import expected, kinds, run

from harness.errors import BenchError
from harness.planning.plan import make_plan
from harness.planning.request import Request


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", kinds())
def test_every_kind(model_types, name, tmp_path):
    folder = model_types(*kinds())
    if not (folder / "models" / name / "model.safetensors").is_file():
        pytest.skip(f"this version of transformers cannot make {name}")
    # Classification and writing for every kind, the others in turn: the tests have 40 minutes in all.
    every = kinds()
    others = ("topic", "names", "quest")
    for task in ("sent", "trans", others[every.index(name) % 3]):
        assert run(folder, name, task, tmp_path) == expected(name, task), task


@pytest.mark.slow
def test_languages_that_a_model_does_not_know_are_told_by_the_plan(model_types):
    folder = model_types("mbart")
    text = (folder / "data/trans.yaml").read_text(encoding="utf-8")
    assert "target_language: de" in text
    (folder / "data/other.yaml").write_text(text.replace("name: trans", "name: other").replace("target_language: de", "target_language: eo"), encoding="utf-8")
    with pytest.raises(BenchError, match="nothing to run: model 'mbart' does not know the target language 'eo' of the task"):
        make_plan(Request([str(folder / "models/mbart")], [str(folder / "data/other.yaml")]))
