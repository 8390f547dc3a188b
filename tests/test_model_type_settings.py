"""Fifteen of the kinds in `test_model_types`, in every run of the tests; and with the settings that have found faults."""

import pytest
from model_types import SHORT, expected, run


@pytest.mark.slow
@pytest.mark.parametrize("name", SHORT)
def test_fifteen_kinds(model_types, name, tmp_path):
    folder = model_types(*SHORT)
    tasks = ("sent", "trans", ("names", "quest", "topic")[SHORT.index(name) % 3])
    for task in tasks:
        assert run(folder, name, task, tmp_path) == expected(name, task), task


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", SHORT)
@pytest.mark.parametrize("what", ["lora", "frozen", "scratch", "bf16", "beams", "long"])
def test_other_settings(model_types, name, what, tmp_path):
    folder = model_types(*SHORT)
    method = what if what in ("lora", "frozen", "scratch") else "full"
    settings = {
        "bf16": {"recipe.precision": "bf16"},
        "beams": {"recipe.num_beams": "3"},
        "long": {"recipe.max_length": "512", "recipe.max_target_length": "200"},
    }.get(what, {})
    for task in {"beams": ("trans",), "frozen": ("names",), "scratch": ("sent",)}.get(what, ("sent", "trans")):
        got = run(folder, name, task, tmp_path, method, settings)
        assert got == expected(name, task) or (what == "bf16" and got == "in fp32 only"), (task, got)
