"""Plugins of earlier versions find what was renamed."""

import importlib

import pytest

from harness import old_names


@pytest.mark.parametrize("module", old_names.MOVED)
def test_an_old_module_has_its_names(module):
    old_names.install()
    loaded = importlib.import_module(module)
    for old, place in old_names.MOVED[module].items():
        source, _, new = place.partition(":")
        assert getattr(loaded, old) is getattr(importlib.import_module(source), new)


def test_other_names_are_missing_as_before():
    old_names.install()
    with pytest.raises(ModuleNotFoundError, match=r"harness\.check\.nothing"):
        importlib.import_module("harness.check.nothing")
