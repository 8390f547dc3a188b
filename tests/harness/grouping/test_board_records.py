"""Reduced records give the same board as whole ones, and shared parts are parsed only once."""

import copy
import json

import made_records
import pytest
from made_records import failed
from msgspec import Raw

from harness.files import replace_non_finite
from harness.grouping import board_records as parts
from harness.grouping.board_records import COMMON, BoardRecords
from harness.report.board import Board
from harness.report.formats import FORMATS, formatted
from harness.store import Store

PHENOMENA = {"phenomena": {"negation": {"rows": 9, "score": 70.0}}}


def made(seeds):
    """Two models on two tasks, both methods, a different recipe, and failed cells."""
    for seed in range(seeds):
        for model in ("bert", "gpt2"):
            for method in ("full", "scratch"):
                yield made_records.record("films", model, 60.0 + seed, seed, method=method, metrics=PHENOMENA)
                yield made_records.record("books", model, 70.0 - seed, seed, method=method)
        yield made_records.record("films", "bert", 80.0, seed, recipe={"epochs": 9})
        yield failed("books", "t5", seed)


def odd():
    """A score that is no number, an old record, and a cell without a model."""
    yield made_records.record("films", "roberta", float("nan"))
    old = made_records.record("films", "albert", 66.0)
    yield {name: value for name, value in old.items() if name not in ("cost", "suite", "environment", "constant")}
    yield {**failed("films", "lost"), "model": {"name": "lost", "digest": ""}, "metrics": None}


@pytest.fixture
def store(tmp_path):
    def fill(records):
        folder = Store(tmp_path / "results")
        for record in records:
            folder.write(record)
        return folder

    return fill


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_board_as_from_whole_records(store, form):
    records = [*made(3), *odd()]
    folder = store(records)
    board = formatted(form, BoardRecords.read(folder))
    assert board == formatted(form, folder.records()) == formatted(form, replace_non_finite(records))
    assert "films" in board


def test_given_records_are_not_changed(store):
    records = list(made(2))
    before = copy.deepcopy(records)
    kept = BoardRecords.of(records)
    assert records == before
    assert "training" in records[0] and not any("training" in record for record in kept)
    assert BoardRecords.of(kept) is kept


@pytest.mark.parametrize("how", ["read", "of"])
def test_equal_parts_are_one_object(store, how):
    records = list(made(4))
    kept = BoardRecords.read(store(records)) if how == "read" else BoardRecords.of(json.loads(json.dumps(records)))
    kept = [record for record in kept if record["status"] == "ok"]
    for name in COMMON:
        assert len({id(record[name]) for record in kept}) == len({json.dumps(record[name]) for record in kept})
    assert len({id(record["metrics"]["trivial"]) for record in kept}) == 1


def counts(monkeypatch, folder):
    """Numbers of files opened and of JSON texts parsed and written from a folder to its board."""
    counted = {"open": 0, "loads": 0, "dumps": 0}

    def counting(name, function):
        def call(*given, **more):
            counted[name] += 1
            return function(*given, **more)

        return call

    with monkeypatch.context() as patched:
        patched.setattr("harness.store.open", counting("open", open), raising=False)
        for name in ("loads", "dumps"):
            patched.setattr(json, name, counting(name, getattr(json, name)))
        Board.of(BoardRecords.read(folder))
    return counted


def test_each_file_is_opened_once_and_shared_parts_are_parsed_once(store, monkeypatch):
    few = counts(monkeypatch, store(made(2)))
    many = counts(monkeypatch, store(made(30)))
    assert (few["open"], many["open"]) == (len(list(made(2))), len(list(made(30))))
    assert many["loads"] == few["loads"] < few["open"]
    assert many["dumps"] == few["dumps"]


def test_current_records_are_read_in_parts(store):
    """No whole record is built, which would take four times as long."""
    folder = store(made(1))
    for file in folder.root.glob("cells/*/record.json"):
        record = parts._DECODER.decode(file.read_bytes())
        assert all(isinstance(record[name], Raw) for name in ("model", "task", "recipe"))
