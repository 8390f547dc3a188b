"""Slices on the board: means over seeds, who is best where, small ones marked, old records helped by their predictions."""

import csv
import io
import re

import pytest
from made_records import record
from rich.console import Console

from harness.report.board import Board
from harness.report.entries import best_on_slice, slice_means
from harness.report.formats import to_slices
from harness.report.markdown import render
from harness.report.record_view import show
from harness.stats.standings import standings
from harness.store import Store


def sliced(model, score, seed, **slices):
    found = {
        kind: {name: {"rows": rows, "score": value} for name, (rows, value) in parts.items()}
        for kind, parts in slices.items()
    }
    return record("films", model, score, seed, metrics={"slices": found})


def board():
    return Board.of(
        [
            sliced("bert", 90.0, 0, length={"1-5": (100, 95.0), "6-9": (100, 85.0), "10-12": (7, 50.0)}),
            sliced("bert", 92.0, 1, length={"1-5": (100, 97.0), "6-9": (100, 87.0), "10-12": (7, 52.0)}),
            sliced("gpt", 80.0, 0, length={"1-5": (100, 96.0), "6-9": (100, 64.0), "10-12": (7, 80.0)}),
            sliced("gpt", 80.0, 1, length={"1-5": (100, 96.0), "6-9": (100, 64.0), "10-12": (7, 80.0)}),
            sliced("lucky", 99.0, 0, length={"1-5": (100, 99.0), "6-9": (100, 99.0), "10-12": (7, 99.0)}),
        ]
    )


def test_means_over_seeds_and_rows():
    found = board()
    assert found.columns[0].slices == {"length": {"1-5": 100, "6-9": 100, "10-12": 7}}
    bert = next(row for row in found.rows if row.title == "bert").entries["films"]
    assert bert.slices["length"]["1-5"] == {"seeds": 2, "score": 96.0}
    assert slice_means([]) == {} and slice_means([{"a": {"b": {"rows": 1, "score": 2.0}}}, {}])["a"]["b"] == {
        "seeds": 1,
        "score": 2.0,
    }


def test_ties_on_a_slice_go_to_the_best_row_on_the_whole_test():
    assert best_on_slice({"bert": 96.0, "gpt": 96.001}, "bert") == "bert"
    assert best_on_slice({"bert": 96.0, "gpt": 96.01}, "bert") == "gpt"
    assert best_on_slice({"bert": None, "gpt": 1.0}, "bert") == "gpt" and best_on_slice({"bert": None}, "bert") is None


def test_markdown_names_other_best_rows_and_marks_small_slices():
    text = render(board())
    line = {
        name: re.search(rf"\| length in words: {name} +\|(.*)\|", text)[1].split("|")
        for name in ("1-5", "6-9", "10-12")
    }
    assert [cell.strip() for cell in line["1-5"]] == ["100", "**96.00**", "96.00", "99.00", ""]
    assert [cell.strip() for cell in line["6-9"]] == ["100", "**86.00**", "64.00", "99.00", ""]
    assert [cell.strip() for cell in line["10-12"]] == ["7°", "51.00", "**80.00**", "99.00", "gpt +29.00"]
    assert "°: fewer than 20 rows" in text


def test_markdown_stays_small_for_many_models_and_labels():
    parts = {f"label-{number:03}": (number + 1, 50.0) for number in range(150)}
    text = render(Board.of([sliced(f"m{number:02}", 50.0 + number, 0, label=parts) for number in range(30)]))
    lines = [line for line in text.split("\n") if line.startswith("| label: ")]
    assert len(lines) == 12 and all("label-1" in line for line in lines) and lines[0].count("|") == 9
    assert "138 more slices, of fewer rows" in text


def test_csv_has_a_line_for_each_slice():
    lines = list(csv.DictReader(io.StringIO(to_slices(board()))))
    assert len(lines) == 9
    assert next(line for line in lines if line["model"] == "bert") == {
        "model": "bert", "method": "full", "task": "films", "by": "length", "slice": "1-5", "rows": "100", "seeds": "2", "score": "96.0"
    }  # fmt: skip
    assert to_slices(Board.of([])).startswith("model,method,task,by,slice,rows,seeds,score")


def old(store, model, seed, said):
    """A record from before slices were kept, and its predictions."""
    gold = ["good"] * 30 + ["bad"] * 10
    right = sum(one == other for one, other in zip(said, gold, strict=True))
    lines = [
        {"id": str(i), "prediction": one, "reference": other}
        for i, (one, other) in enumerate(zip(said, gold, strict=True))
    ]
    made = record("films", model, 100 * right / 40, seed)
    store.write(made, lines)
    return made, lines


def test_slices_of_old_records_are_computed_from_predictions_and_cached(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    store = Store(tmp_path / "r")
    old(store, "bert", 0, ["good"] * 40)
    new, _ = old(store, "gpt", 0, ["bad"] * 40)
    store.write(
        {**new, "metrics": {**new["metrics"], "slices": {"label": {"bad": {"rows": 10, "score": 1.5}}}}},
        store.predictions(new["id"]),
    )
    for _ in range(2):  # computed, and from the cache
        found = Board.of(store.records(), standings=standings(store, store.records()))
        bert, gpt = (
            next(row for row in found.rows if row.title == name).entries["films"].slices for name in ("bert", "gpt")
        )
        assert bert["label"]["good"]["recall"] == 1.0 and bert["label"]["good"]["precision"] == 0.75
        assert bert["label"]["bad"]["score"] == 0.0
        assert gpt["label"] == {"bad": {"seeds": 1, "score": 1.5}}  # what the record says counts
        monkeypatch.setattr("harness.stats.column_statistics.slice_scores", None)


def test_no_slices_from_predictions_that_do_not_fit(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    store = Store(tmp_path / "r")
    made, lines = old(store, "bert", 0, ["good"] * 40)
    store.write({**made, "score": 99.0}, lines)
    assert standings(store, store.records()).slices == {}


@pytest.mark.parametrize("kept", [True, False])
def test_one_cell(kept, tmp_path):
    made, lines = old(Store(tmp_path), "bert", 0, ["good"] * 40)
    slices = {"label": {"bad": {"rows": 10, "score": 12.345, "recall": 0.25}}}
    if kept:
        made["metrics"]["slices"] = slices
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(show(made, lines, None if kept else slices))
    text = console.export_text()
    assert "Scores by label" in text and re.search(r"bad +10° +12.3[45] +0.2500", text)
