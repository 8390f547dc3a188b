"""Tiny checkpoints of a hundred model types through every family: a row's prediction never depends on the rows beside it, or the model
is refused in one line."""

import pytest
from model_types import expected, kinds, run


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
